/* Fuzz target: what converter-worker and its parent say to each other, as a stream of messages; the
 * first byte is the direction. What was read must be what its writer writes. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/worker/findings.h"
#include "wire/worker/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
same(const uint8_t *read, const uint8_t *written, size_t len)
{
	if (memcmp(read, written, len) != 0)
		abort();
}

static void
check_fail(const uint8_t *payload, size_t len)
{
	char detail[WORKER_DETAIL_MAX + 1];
	enum worker_failure failure;

	if (worker_fail_read(payload, len, &failure, detail, NULL) < 0)
		return;
	if (failure <= WORKER_FAILURE_NONE || failure >= WORKER_FAILURES ||
	    strlen(detail) != len - 4)
		abort();
}

static void
check_small(enum worker_message type, const uint8_t *payload)
{
	uint8_t again[4];
	uint32_t count;
	struct worker_progress progress;
	double fraction;

	if ((type == WORKER_READ || type == WORKER_HOLD) &&
	    worker_count_read(payload, &count, NULL) == 0) {
		worker_count_write(count, again);
		same(payload, again, sizeof again);
		if (count < 1 || count > WORKER_PAYLOAD_MAX)
			abort();
	}
	if (type != WORKER_PROGRESS || worker_progress_read(payload, &progress, NULL) < 0)
		return;
	fraction = progress.fraction;
	if (progress.samples < 0 ||
	    (!(fraction >= 0 && fraction <= 1) && !(fraction >= -1 && fraction <= -1)))
		abort();
}

static void
check_findings(enum worker_message type, const uint8_t *payload)
{
	uint8_t again[WORKER_TRACK_BYTES];
	struct warning warning;
	struct track track;

	if (type == WORKER_WARNING && worker_warning_read(payload, &warning, NULL) == 0) {
		worker_warning_write(&warning, again);
		same(payload, again, WORKER_WARNING_BYTES);
	}
	if (type == WORKER_TRACK && worker_track_read(payload, &track, NULL) == 0) {
		worker_track_write(&track, again);
		same(payload, again, WORKER_TRACK_BYTES);
	}
}

static void
check_payload(const struct worker_header *h, const uint8_t *payload)
{
	struct worker_start start;
	struct worker_done done;

	if (h->type == WORKER_START && worker_start_read(payload, &start, NULL) == 0) {
		uint8_t again[WORKER_START_BYTES];

		worker_start_write(&start, again);
		same(payload, again, sizeof again);
	}
	if (h->type == WORKER_DONE && worker_done_read(payload, &done, NULL) == 0) {
		uint8_t again[WORKER_DONE_BYTES];

		if (done.samples < 1 || done.sample_rate < 8000)
			abort();
		worker_done_write(&done, again);
		same(payload, again, sizeof again);
	}
	check_findings(h->type, payload);
	if (h->type == WORKER_FAIL)
		check_fail(payload, h->len);
	if (h->type == WORKER_READ || h->type == WORKER_HOLD || h->type == WORKER_PROGRESS)
		check_small(h->type, payload);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum worker_direction direction;
	struct worker_header h;

	if (size < 1)
		return 0;
	direction = data[0] % 2 ? WORKER_TO_PARENT : WORKER_TO_WORKER;
	for (data++, size--; size >= WORKER_HEADER_BYTES;) {
		uint8_t again[WORKER_HEADER_BYTES];
		uint8_t *payload;

		if (worker_header_read(data, direction, &h, NULL) < 0)
			return 0;
		worker_header_write(&h, again);
		same(data, again, sizeof again);
		data += WORKER_HEADER_BYTES;
		size -= WORKER_HEADER_BYTES;
		if (h.len > size || (payload = malloc(h.len + 1)) == NULL)
			return 0;
		memcpy(payload, data, h.len);
		check_payload(&h, payload);
		free(payload);
		data += h.len;
		size -= h.len;
	}
	return 0;
}
