/* Serving one worker. What comes over the socket is taken as hostile: a file may have taken the
 * worker over. */
#include "adapter/worker_process/private.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/clock.h"

#define WATCH_INTERVAL_MS 250

static_assert(WORKER_TAG_MAX + 256 * 1024 <= MEDIA_HEAD_MAX, "the largest tag fits");
static_assert(WORKER_HOLD_MAX <= BLOB_HOLD_MAX, "what a worker may hold, a writer does");

/* Every function below returns 0 to go on, or -1 after the end was noted here. */
static int
session_ends(struct worker_session *s, enum session_end how)
{
	s->end = how;
	return -1;
}

/* The reader, the writer or the caller failed with r. */
static int
session_ends_ours(struct worker_session *s, int r)
{
	s->result = r;
	return session_ends(s, SESSION_OURS);
}

static int
session_watch(struct worker_session *s, struct err *e)
{
	int64_t now = now_monotonic_ms();
	int r;

	if (now >= s->deadline_ms)
		return session_ends(s, SESSION_TIMEOUT);
	if (now < s->next_watch_ms || !s->watch || !s->watch->progress)
		return 0;
	s->next_watch_ms = now + WATCH_INTERVAL_MS;
	r = s->watch->progress(s->watch->arg, &s->progress, e);
	return r < 0 ? session_ends_ours(s, r) : 0;
}

static int
session_wait(struct worker_session *s, short events, struct err *e)
{
	for (;;) {
		struct pollfd p = { .fd = s->fd, .events = events };
		int left = deadline_left_ms(s->deadline_ms), n;

		if (session_watch(s, e) < 0)
			return -1;
		n = poll(&p, 1, left < WATCH_INTERVAL_MS ? left : WATCH_INTERVAL_MS);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return session_ends_ours(s, err_errno(e, ERR_INTERNAL, errno, "poll"));
	}
}

static int
session_receive(struct worker_session *s, void *to, size_t len, struct err *e)
{
	uint8_t *at = to;

	while (len > 0) {
		ssize_t got = recv(s->fd, at, len, MSG_DONTWAIT);
		if (got > 0) {
			at += got;
			len -= (size_t)got;
		} else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
			return session_ends(s, SESSION_CLOSED);
		} else if (session_wait(s, POLLIN, e) < 0) {
			return -1;
		}
	}
	return 0;
}

static int
session_transmit(struct worker_session *s, const void *data, size_t len, struct err *e)
{
	const uint8_t *at = data;

	while (len > 0) {
		ssize_t put = send(s->fd, at, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (put > 0) {
			at += put;
			len -= (size_t)put;
		} else if (put < 0 && (errno == EPIPE || errno == ECONNRESET)) {
			return 0; /* it hung up: its last words are still to be received */
		} else if (put == 0 || (errno != EAGAIN && errno != EINTR)) {
			return session_ends(s, SESSION_CLOSED);
		} else if (session_wait(s, POLLOUT, e) < 0) {
			return -1;
		}
	}
	return 0;
}

static int
session_send(struct worker_session *s, enum worker_message type, const void *payload, size_t len,
	     struct err *e)
{
	uint8_t header[WORKER_HEADER_BYTES];

	worker_header_write(&(struct worker_header){ type, (uint32_t)len, 0 }, header);
	return session_transmit(s, header, sizeof header, e) < 0
		       ? -1
		       : session_transmit(s, payload, len, e);
}

static int
session_start(struct worker_session *s, struct err *e)
{
	struct worker_start start = {
		.version = WORKER_PROTOCOL_VERSION,
		.spec = *s->spec,
		.input_bytes = s->in->info.length,
		.max_samples = s->max_samples,
		.threads = s->threads,
	};
	uint8_t bytes[WORKER_START_BYTES];

	worker_start_write(&start, bytes);
	return session_send(s, WORKER_START, bytes, sizeof bytes, e);
}

static int
session_serve_read(struct worker_session *s, const struct worker_header *h, struct err *e)
{
	int64_t offset = (int64_t)h->offset;
	uint32_t size;
	size_t len = 0, got;
	int r;

	if (worker_count_read(s->payload, &size, e) < 0)
		return session_ends(s, SESSION_VIOLATION);
	if (offset > s->in->info.length) {
		(void)err_set(e, ERR_CORRUPT, "a read behind the end");
		return session_ends(s, SESSION_VIOLATION);
	}
	if (offset != s->position && (r = blob_seek(s->in, offset, e)) < 0)
		return session_ends_ours(s, r);
	s->position = offset;
	do {
		if ((r = blob_read(s->in, s->payload + len, size - len, &got, e)) < 0)
			return session_ends_ours(s, r);
		len += got;
	} while (got > 0 && len < size);
	s->position += (int64_t)len;
	return session_send(s, WORKER_DATA, s->payload, len, e);
}

static int
session_take_write(struct worker_session *s, const struct worker_header *h, struct err *e)
{
	int r;

	if (s->written + (int64_t)h->len > s->max_output_bytes) {
		(void)err_set(e, ERR_CORRUPT, "more than %lld bytes of output",
			      (long long)s->max_output_bytes);
		return session_ends(s, SESSION_VIOLATION);
	}
	if ((r = blob_write(s->out, s->payload, h->len, e)) < 0)
		return session_ends_ours(s, r);
	s->written += (int64_t)h->len;
	return 0;
}

static int
session_take_hold(struct worker_session *s, struct err *e)
{
	uint32_t size;

	if (worker_count_read(s->payload, &size, e) < 0)
		return session_ends(s, SESSION_VIOLATION);
	if (s->written > WORKER_TAG_MAX || size > WORKER_HOLD_MAX) {
		(void)err_set(e, ERR_CORRUPT, "a hold of %u bytes after %lld", size,
			      (long long)s->written);
		return session_ends(s, SESSION_VIOLATION);
	}
	return blob_hold(s->out, size, e) < 0 ? session_ends(s, SESSION_VIOLATION) : 0;
}

static int
session_take_patch(struct worker_session *s, const struct worker_header *h, struct err *e)
{
	int r = blob_patch(s->out, (int64_t)h->offset, s->payload, h->len, e);

	return r == ERR_INVALID ? session_ends(s, SESSION_VIOLATION)
	       : r < 0          ? session_ends_ours(s, r)
				: 0;
}

/* Times of a file may go back; what was told does not. */
static int
session_take_progress(struct worker_session *s, struct err *e)
{
	struct worker_progress told;
	double made_s;

	if (worker_progress_read(s->payload, &told, e) < 0)
		return session_ends(s, SESSION_VIOLATION);
	if (told.samples > s->max_samples) {
		(void)err_set(e, ERR_CORRUPT, "more samples than there may be");
		return session_ends(s, SESSION_VIOLATION);
	}
	made_s = (double)told.samples / s->spec->sample_rate;
	if (told.fraction > s->progress.fraction)
		s->progress.fraction = told.fraction;
	if (made_s > s->progress.made_s)
		s->progress.made_s = made_s;
	return 0;
}

static int
session_take_done(struct worker_session *s, struct err *e)
{
	if (worker_done_read(s->payload, &s->report, e) < 0)
		return session_ends(s, SESSION_VIOLATION);
	if (s->report.sample_rate != (uint32_t)s->spec->sample_rate ||
	    s->report.samples > s->max_samples || s->written == 0) {
		(void)err_set(e, ERR_CORRUPT, "a report that cannot be true");
		return session_ends(s, SESSION_VIOLATION);
	}
	return session_ends(s, SESSION_DONE);
}

static int
session_take_warning(struct worker_session *s, struct err *e)
{
	struct warning warning;

	if (worker_warning_read(s->payload, &warning, e) < 0)
		return session_ends(s, SESSION_VIOLATION);
	warnings_add(&s->warnings, &warning);
	return 0;
}

static int
session_take_track(struct worker_session *s, struct err *e)
{
	struct track track;

	if (worker_track_read(s->payload, &track, e) < 0)
		return session_ends(s, SESSION_VIOLATION);
	if (s->tracks.count == TRACKS_MAX) {
		(void)err_set(e, ERR_CORRUPT, "more than %d tracks", TRACKS_MAX);
		return session_ends(s, SESSION_VIOLATION);
	}
	s->tracks.list[s->tracks.count++] = track;
	return 0;
}

static int
session_handle(struct worker_session *s, const struct worker_header *h, struct err *e)
{
	switch (h->type) {
	case WORKER_READ:
		return session_serve_read(s, h, e);
	case WORKER_WRITE:
		return session_take_write(s, h, e);
	case WORKER_HOLD:
		return session_take_hold(s, e);
	case WORKER_PATCH:
		return session_take_patch(s, h, e);
	case WORKER_PROGRESS:
		return session_take_progress(s, e);
	case WORKER_WARNING:
		return session_take_warning(s, e);
	case WORKER_TRACK:
		return session_take_track(s, e);
	case WORKER_DONE:
		return session_take_done(s, e);
	case WORKER_FAIL:
		return worker_fail_read(s->payload, h->len, &s->failure, s->detail, e) < 0
			       ? session_ends(s, SESSION_VIOLATION)
			       : session_ends(s, SESSION_FAILED);
	case WORKER_START:
	case WORKER_DATA:
		break;
	}
	return session_ends(s, SESSION_VIOLATION);
}

void
worker_session_serve(struct worker_session *s, struct err *e)
{
	uint8_t bytes[WORKER_HEADER_BYTES];
	struct worker_header header;

	s->progress.fraction = -1;
	if (session_start(s, e) < 0)
		return;
	for (;;) {
		if (session_watch(s, e) < 0 || session_receive(s, bytes, sizeof bytes, e) < 0)
			return;
		if (worker_header_read(bytes, WORKER_TO_PARENT, &header, e) < 0) {
			(void)session_ends(s, SESSION_VIOLATION);
			return;
		}
		if (session_receive(s, s->payload, header.len, e) < 0 ||
		    session_handle(s, &header, e) < 0)
			return;
	}
}
