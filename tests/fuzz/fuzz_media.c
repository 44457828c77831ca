/* Fuzz target: the whole worker from a file's bytes: container, decoder, resampler, encoder,
 * splice, tags. Its channel ends here; what it may ask and say is checked. A fault inside libav is
 * one that the sandbox contains; it is looked at all the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "worker/channel.h"
#include "worker/transcode.h"

#define SAMPLES_MAX 88200
#define OUTPUT_MAX (WORKER_TAG_MAX + (1 << 20))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	const uint8_t *bytes;
	size_t len;
	size_t written, held_from, held_to;
} file;

size_t
channel_read(int fd, int64_t offset, void *to, size_t size)
{
	size_t left;

	(void)fd;
	if (offset < 0 || (uint64_t)offset > file.len || size < 1 || size > WORKER_PAYLOAD_MAX)
		abort();
	left = file.len - (size_t)offset;
	size = size < left ? size : left;
	if (size > 0)
		memcpy(to, file.bytes + offset, size);
	return size;
}

void
channel_write(int fd, const void *data, size_t len)
{
	(void)fd;
	(void)data;
	file.written += len;
	if (len > WORKER_PAYLOAD_MAX || file.written > OUTPUT_MAX)
		abort();
}

void
channel_hold(int fd, size_t len)
{
	(void)fd;
	if (file.held_to > 0 || len < 1 || len > WORKER_HOLD_MAX || file.written > WORKER_TAG_MAX)
		abort();
	file.held_from = file.written;
	file.held_to = file.written + len;
}

void
channel_patch(int fd, int64_t offset, const void *data, size_t len)
{
	(void)fd;
	(void)data;
	if (offset < 0 || (uint64_t)offset + len > file.written || file.written > OUTPUT_MAX ||
	    (size_t)offset < file.held_from || (uint64_t)offset + len > file.held_to)
		abort();
}

void
channel_warning(int fd, const struct warning *warning)
{
	uint8_t bytes[WORKER_WARNING_BYTES];
	struct warning again;

	(void)fd;
	worker_warning_write(warning, bytes);
	if (worker_warning_read(bytes, &again, NULL) < 0)
		abort();
}

void
channel_track(int fd, const struct track *track)
{
	uint8_t bytes[WORKER_TRACK_BYTES];
	struct track again;

	(void)fd;
	worker_track_write(track, bytes);
	if (worker_track_read(bytes, &again, NULL) < 0)
		abort();
}

void
channel_progress(int fd, const struct worker_progress *progress)
{
	uint8_t bytes[WORKER_PROGRESS_BYTES];
	struct worker_progress again;

	(void)fd;
	worker_progress_write(progress, bytes);
	if (worker_progress_read(bytes, &again, NULL) < 0)
		abort();
}

static void
check_end(enum worker_failure failure, const struct worker_done *done)
{
	uint8_t bytes[WORKER_DONE_BYTES];
	struct worker_done again;

	if (failure < WORKER_FAILURE_NONE || failure >= WORKER_FAILURES || failure == WORKER_BROKEN)
		abort();
	if (failure != WORKER_FAILURE_NONE)
		return;
	worker_done_write(done, bytes);
	if (worker_done_read(bytes, &again, NULL) < 0 || done->samples > SAMPLES_MAX)
		abort();
}

static void
convert_to(enum media_format format, const uint8_t *data, size_t size)
{
	struct worker_start start = {
		.version = WORKER_PROTOCOL_VERSION,
		.spec = { .format = format },
		.input_bytes = (int64_t)size,
		.max_samples = SAMPLES_MAX,
		.threads = 1,
	};
	struct worker_done done = { 0 };
	struct err e = ERR_NONE;

	if (media_spec_settle(&start.spec, NULL) < 0)
		abort();
	memset(&file, 0, sizeof file);
	file.bytes = data;
	file.len = size;
	check_end(transcode(-1, &start, &done, &e), &done);
}

/* The way to a writer is the same for all: a part of the inputs is enough for the others. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	convert_to(MEDIA_MP3, data, size);
	if (size % 4 == 3)
		convert_to(MEDIA_WAV, data, size);
	return 0;
}
