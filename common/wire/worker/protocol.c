#include "wire/worker/protocol.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/scope.h"
#include "wire/worker/little_endian.h"
#include "wire/worker/findings.h"

/* Of START. */
#define STRICT 1u
#define DROP_GAPS 2u
#define PROGRESS_UNKNOWN 0xffffffffu
#define PROGRESS_WHOLE 1000000u

struct rule {
	enum worker_message type;
	enum worker_direction direction;
	uint32_t min_len, max_len;
	bool has_offset;
};

static const struct rule rules[] = {
	{ WORKER_START, WORKER_TO_WORKER, WORKER_START_BYTES, WORKER_START_BYTES, false },
	{ WORKER_DATA, WORKER_TO_WORKER, 0, WORKER_PAYLOAD_MAX, false },
	{ WORKER_READ, WORKER_TO_PARENT, 4, 4, true },
	{ WORKER_WRITE, WORKER_TO_PARENT, 1, WORKER_PAYLOAD_MAX, false },
	{ WORKER_HOLD, WORKER_TO_PARENT, 4, 4, false },
	{ WORKER_PATCH, WORKER_TO_PARENT, 1, WORKER_HOLD_MAX, true },
	{ WORKER_PROGRESS, WORKER_TO_PARENT, WORKER_PROGRESS_BYTES, WORKER_PROGRESS_BYTES, false },
	{ WORKER_WARNING, WORKER_TO_PARENT, WORKER_WARNING_BYTES, WORKER_WARNING_BYTES, false },
	{ WORKER_TRACK, WORKER_TO_PARENT, WORKER_TRACK_BYTES, WORKER_TRACK_BYTES, false },
	{ WORKER_DONE, WORKER_TO_PARENT, WORKER_DONE_BYTES, WORKER_DONE_BYTES, false },
	{ WORKER_FAIL, WORKER_TO_PARENT, 4, 4 + WORKER_DETAIL_MAX, false },
};

void
worker_header_write(const struct worker_header *header, uint8_t ret[WORKER_HEADER_BYTES])
{
	put32(ret, (uint32_t)header->type);
	put32(ret + 4, header->len);
	put64(ret + 8, header->offset);
}

int
worker_header_read(const uint8_t bytes[WORKER_HEADER_BYTES], enum worker_direction direction,
		   struct worker_header *ret, struct err *e)
{
	uint32_t type = get32(bytes), len = get32(bytes + 4);
	uint64_t offset = get64(bytes + 8);

	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		const struct rule *rule = &rules[i];
		if ((uint32_t)rule->type != type || rule->direction != direction)
			continue;
		if (len < rule->min_len || len > rule->max_len)
			return err_set(e, ERR_CORRUPT, "message %u of %u bytes", type, len);
		if (offset > INT64_MAX || (offset != 0 && !rule->has_offset))
			return err_set(e, ERR_CORRUPT, "message %u with a bad offset", type);
		*ret = (struct worker_header){ rule->type, len, offset };
		return 0;
	}
	return err_set(e, ERR_CORRUPT, "unknown message %u", type);
}

void
worker_start_write(const struct worker_start *start, uint8_t ret[WORKER_START_BYTES])
{
	put32(ret, start->version);
	put32(ret + 4, (uint32_t)start->spec.format);
	put32(ret + 8, (uint32_t)start->spec.sample_rate);
	put32(ret + 12, (uint32_t)start->spec.channels);
	put32(ret + 16, (uint32_t)start->spec.bit_rate);
	put64(ret + 20, (uint64_t)start->input_bytes);
	put64(ret + 28, (uint64_t)start->max_samples);
	put32(ret + 36, start->threads);
	put32(ret + 40,
	      (start->spec.strict ? STRICT : 0) | (start->spec.drop_gaps ? DROP_GAPS : 0));
}

static bool
read_spec(const uint8_t *from, struct media_spec *ret)
{
	uint32_t format = get32(from), rate = get32(from + 4), channels = get32(from + 8),
		 bit_rate = get32(from + 12);

	if (format >= MEDIA_FORMATS || rate > INT32_MAX || channels > INT32_MAX ||
	    bit_rate > INT32_MAX)
		return false;
	*ret = (struct media_spec){ .format = (enum media_format)format,
				    .sample_rate = (int)rate,
				    .channels = (int)channels,
				    .bit_rate = (int)bit_rate };
	return media_spec_is_settled(ret);
}

int
worker_start_read(const uint8_t bytes[WORKER_START_BYTES], struct worker_start *ret, struct err *e)
{
	struct worker_start start = {
		.version = get32(bytes),
		.threads = get32(bytes + 36),
	};
	uint64_t input_bytes = get64(bytes + 20), max_samples = get64(bytes + 28);
	uint32_t flags = get32(bytes + 40);

	if (start.version != WORKER_PROTOCOL_VERSION)
		return err_set(e, ERR_CORRUPT, "protocol version %u", start.version);
	if (!read_spec(bytes + 4, &start.spec))
		return err_set(e, ERR_CORRUPT, "a result that cannot be made");
	if (start.threads < 1 || start.threads > WORKER_THREADS_MAX)
		return err_set(e, ERR_CORRUPT, "%u threads", start.threads);
	if (input_bytes > INT64_MAX || max_samples > INT64_MAX || max_samples == 0)
		return err_set(e, ERR_CORRUPT, "sizes out of range");
	if ((flags & ~(STRICT | DROP_GAPS)) != 0)
		return err_set(e, ERR_CORRUPT, "flags %x", flags);
	start.spec.strict = (flags & STRICT) != 0;
	start.spec.drop_gaps = (flags & DROP_GAPS) != 0;
	start.input_bytes = (int64_t)input_bytes;
	start.max_samples = (int64_t)max_samples;
	*ret = start;
	return 0;
}

/* What a sound can be; more than that no meter of ours says. */
struct level {
	uint32_t flag;
	double least, most;
};
static const struct level integrated = { 1, -70, 70 }, range = { 2, 0, 140 },
			  true_peak = { 4, -1000, 70 };
#define COPIED 8u
#define FLAGS (7u | COPIED)

static uint32_t
put_level(uint8_t *to, const struct level *level, bool known, double value)
{
	known = known && value >= level->least && value <= level->most;
	put32(to, known ? (uint32_t)(int32_t)lround(value * 100) : 0);
	return known ? level->flag : 0;
}

/* False: a value that cannot be. */
static bool
get_level(const uint8_t *from, const struct level *level, uint32_t flags, bool *ret_known,
	  double *ret)
{
	int32_t hundredths = (int32_t)get32(from);

	*ret_known = (flags & level->flag) != 0;
	*ret = hundredths / 100.0;
	return *ret_known ? *ret >= level->least && *ret <= level->most : hundredths == 0;
}

void
worker_done_write(const struct worker_done *done, uint8_t ret[WORKER_DONE_BYTES])
{
	const struct job_loudness *l = &done->loudness;

	put64(ret, (uint64_t)done->samples);
	put32(ret + 8, done->sample_rate);
	put32(ret + 12,
	      (done->copied ? COPIED : 0) |
		      put_level(ret + 16, &integrated, l->has_integrated, l->integrated_lufs) |
		      put_level(ret + 20, &range, l->has_range, l->range_lu) |
		      put_level(ret + 24, &true_peak, l->has_true_peak, l->true_peak_dbtp));
}

int
worker_done_read(const uint8_t bytes[WORKER_DONE_BYTES], struct worker_done *ret, struct err *e)
{
	uint64_t samples = get64(bytes);
	uint32_t rate = get32(bytes + 8), flags = get32(bytes + 12);
	struct job_loudness l;

	if (samples == 0 || samples > INT64_MAX || rate < MEDIA_RATE_MIN || rate > MEDIA_RATE_MAX ||
	    (flags & ~FLAGS) != 0 ||
	    !get_level(bytes + 16, &integrated, flags, &l.has_integrated, &l.integrated_lufs) ||
	    !get_level(bytes + 20, &range, flags, &l.has_range, &l.range_lu) ||
	    !get_level(bytes + 24, &true_peak, flags, &l.has_true_peak, &l.true_peak_dbtp))
		return err_set(e, ERR_CORRUPT, "a report out of range");
	*ret = (struct worker_done){ (int64_t)samples, rate, (flags & COPIED) != 0, l };
	return 0;
}

void
worker_count_write(uint32_t count, uint8_t ret[4])
{
	put32(ret, count);
}

int
worker_count_read(const uint8_t bytes[4], uint32_t *ret, struct err *e)
{
	uint32_t count = get32(bytes);

	if (count == 0 || count > WORKER_PAYLOAD_MAX)
		return err_set(e, ERR_CORRUPT, "a count of %u bytes", count);
	*ret = count;
	return 0;
}

void
worker_progress_write(const struct worker_progress *progress, uint8_t ret[WORKER_PROGRESS_BYTES])
{
	double fraction = progress->fraction;
	uint32_t parts = PROGRESS_UNKNOWN;

	if (fraction >= 0)
		parts = fraction >= 1 ? PROGRESS_WHOLE : (uint32_t)(fraction * PROGRESS_WHOLE);
	put32(ret, parts);
	put64(ret + 4, (uint64_t)progress->samples);
}

int
worker_progress_read(const uint8_t bytes[WORKER_PROGRESS_BYTES], struct worker_progress *ret,
		     struct err *e)
{
	uint32_t parts = get32(bytes);
	uint64_t samples = get64(bytes + 4);

	if ((parts > PROGRESS_WHOLE && parts != PROGRESS_UNKNOWN) || samples > INT64_MAX)
		return err_set(e, ERR_CORRUPT, "progress of %u", parts);
	ret->fraction = parts == PROGRESS_UNKNOWN ? -1 : (double)parts / PROGRESS_WHOLE;
	ret->samples = (int64_t)samples;
	return 0;
}

size_t
worker_fail_write(enum worker_failure failure, const char *detail, uint8_t *ret)
{
	size_t len = strnlen(detail, WORKER_DETAIL_MAX);

	put32(ret, (uint32_t)failure);
	memcpy(ret + 4, detail, len);
	return 4 + len;
}

int
worker_fail_read(const uint8_t *bytes, size_t len, enum worker_failure *ret,
		 char ret_detail[WORKER_DETAIL_MAX + 1], struct err *e)
{
	uint32_t failure;

	if (len < 4 || len > 4 + WORKER_DETAIL_MAX)
		return err_set(e, ERR_CORRUPT, "a failure of %zu bytes", len);
	failure = get32(bytes);
	if (failure == WORKER_FAILURE_NONE || failure >= WORKER_FAILURES)
		return err_set(e, ERR_CORRUPT, "failure %u", failure);
	*ret = (enum worker_failure)failure;
	for (size_t i = 4; i < len; i++)
		ret_detail[i - 4] = bytes[i] >= ' ' && bytes[i] < 0x7f ? (char)bytes[i] : '?';
	ret_detail[len - 4] = '\0';
	return 0;
}
