#include "worker/channel.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static _Noreturn void
channel_lost(void)
{
	_exit(WORKER_EXIT_LOST);
}

static void
channel_receive_all(int fd, void *to, size_t len)
{
	char *at = to;

	while (len > 0) {
		ssize_t got = recv(fd, at, len, MSG_WAITALL);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			channel_lost();
		at += got;
		len -= (size_t)got;
	}
}

static void
channel_send_all(int fd, const void *data, size_t len, int flags)
{
	const char *at = data;

	while (len > 0) {
		ssize_t put = send(fd, at, len, MSG_NOSIGNAL | flags);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			channel_lost();
		at += put;
		len -= (size_t)put;
	}
}

static void
channel_send(int fd, const struct worker_header *header, const void *payload)
{
	uint8_t bytes[WORKER_HEADER_BYTES];

	worker_header_write(header, bytes);
	channel_send_all(fd, bytes, sizeof bytes, header->len > 0 ? MSG_MORE : 0);
	channel_send_all(fd, payload, header->len, 0);
}

static struct worker_header
channel_receive_header(int fd, enum worker_message expected)
{
	uint8_t bytes[WORKER_HEADER_BYTES];
	struct worker_header header;

	channel_receive_all(fd, bytes, sizeof bytes);
	if (worker_header_read(bytes, WORKER_TO_WORKER, &header, NULL) < 0 ||
	    header.type != expected)
		channel_lost();
	return header;
}

void
channel_start(int fd, struct worker_start *ret)
{
	uint8_t bytes[WORKER_START_BYTES];

	(void)channel_receive_header(fd, WORKER_START);
	channel_receive_all(fd, bytes, sizeof bytes);
	if (worker_start_read(bytes, ret, NULL) < 0)
		channel_lost();
}

size_t
channel_read(int fd, int64_t offset, void *to, size_t size)
{
	struct worker_header answer;
	uint8_t count[4];

	if (size > WORKER_PAYLOAD_MAX)
		size = WORKER_PAYLOAD_MAX;
	worker_count_write((uint32_t)size, count);
	channel_send(fd, &(struct worker_header){ WORKER_READ, 4, (uint64_t)offset }, count);
	answer = channel_receive_header(fd, WORKER_DATA);
	if (answer.len > size)
		channel_lost();
	channel_receive_all(fd, to, answer.len);
	return answer.len;
}

void
channel_write(int fd, const void *data, size_t len)
{
	channel_send(fd, &(struct worker_header){ WORKER_WRITE, (uint32_t)len, 0 }, data);
}

void
channel_hold(int fd, size_t len)
{
	uint8_t count[4];

	worker_count_write((uint32_t)len, count);
	channel_send(fd, &(struct worker_header){ WORKER_HOLD, sizeof count, 0 }, count);
}

void
channel_patch(int fd, int64_t offset, const void *data, size_t len)
{
	channel_send(fd, &(struct worker_header){ WORKER_PATCH, (uint32_t)len, (uint64_t)offset },
		     data);
}

void
channel_progress(int fd, const struct worker_progress *progress)
{
	uint8_t bytes[WORKER_PROGRESS_BYTES];

	worker_progress_write(progress, bytes);
	channel_send(fd, &(struct worker_header){ WORKER_PROGRESS, sizeof bytes, 0 }, bytes);
}

void
channel_warning(int fd, const struct warning *warning)
{
	uint8_t bytes[WORKER_WARNING_BYTES];

	worker_warning_write(warning, bytes);
	channel_send(fd, &(struct worker_header){ WORKER_WARNING, sizeof bytes, 0 }, bytes);
}

void
channel_track(int fd, const struct track *track)
{
	uint8_t bytes[WORKER_TRACK_BYTES];

	worker_track_write(track, bytes);
	channel_send(fd, &(struct worker_header){ WORKER_TRACK, sizeof bytes, 0 }, bytes);
}

void
channel_done(int fd, const struct worker_done *done)
{
	uint8_t bytes[WORKER_DONE_BYTES];

	worker_done_write(done, bytes);
	channel_send(fd, &(struct worker_header){ WORKER_DONE, sizeof bytes, 0 }, bytes);
}

void
channel_fail(int fd, enum worker_failure failure, const char *detail)
{
	uint8_t bytes[4 + WORKER_DETAIL_MAX];
	size_t len = worker_fail_write(failure, detail, bytes);

	channel_send(fd, &(struct worker_header){ WORKER_FAIL, (uint32_t)len, 0 }, bytes);
}
