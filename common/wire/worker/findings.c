#include "wire/worker/findings.h"

#include <string.h>

#include "base/text/str.h"
#include "wire/worker/little_endian.h"

/* Of a conversion; far longer than any. */
#define TIME_MAX_MS (INT64_C(1000) * 3600 * 24 * 366)
#define CHANNELS_MAX 64
#define IS_DEFAULT 1u
#define TAKEN 2u

void
worker_warning_write(const struct warning *warning, uint8_t ret[WORKER_WARNING_BYTES])
{
	put32(ret, (uint32_t)warning->code);
	put32(ret + 4, warning->events);
	put64(ret + 8, (uint64_t)warning->at_ms);
	put64(ret + 16, (uint64_t)warning->ms);
}

int
worker_warning_read(const uint8_t bytes[WORKER_WARNING_BYTES], struct warning *ret, struct err *e)
{
	uint32_t code = get32(bytes), events = get32(bytes + 4);
	int64_t at_ms = (int64_t)get64(bytes + 8), ms = (int64_t)get64(bytes + 16);

	if (code < WARNING_TRUNCATED || code >= WARNING_CODES || events == 0)
		return err_set(e, ERR_CORRUPT, "warning %u", code);
	if (at_ms < -1 || at_ms > TIME_MAX_MS || ms < 0 || ms > TIME_MAX_MS)
		return err_set(e, ERR_CORRUPT, "a warning of a time that cannot be");
	*ret = (struct warning){ (enum warning_code)code, at_ms, ms, events };
	return 0;
}

/* Text in a field of its own size, with zeros behind it. */
static uint8_t *
put_text(uint8_t *to, const char *text, size_t size)
{
	size_t len = strnlen(text, size - 1);

	memset(to, 0, size);
	memcpy(to, text, len);
	return to + size;
}

static const uint8_t *
get_text(const uint8_t *from, char *ret, size_t size)
{
	memcpy(ret, from, size);
	return from + size;
}

static bool
is_text(const char *text, size_t size)
{
	size_t len = strnlen(text, size), behind = len;

	while (behind < size && text[behind] == '\0')
		behind++;
	return len < size && behind == size && utf8_valid(text, len);
}

void
worker_track_write(const struct track *track, uint8_t ret[WORKER_TRACK_BYTES])
{
	uint8_t *at = ret + 8;

	put32(ret, (uint32_t)track->channels);
	put32(ret + 4, (track->is_default ? IS_DEFAULT : 0) | (track->taken ? TAKEN : 0));
	at = put_text(at, track->codec, sizeof track->codec);
	at = put_text(at, track->language, sizeof track->language);
	(void)put_text(at, track->title, sizeof track->title);
}

int
worker_track_read(const uint8_t bytes[WORKER_TRACK_BYTES], struct track *ret, struct err *e)
{
	uint32_t channels = get32(bytes), flags = get32(bytes + 4);
	const uint8_t *at = bytes + 8;
	struct track track = { .channels = (int)(channels & 0xff),
			       .is_default = (flags & IS_DEFAULT) != 0,
			       .taken = (flags & TAKEN) != 0 };

	at = get_text(at, track.codec, sizeof track.codec);
	at = get_text(at, track.language, sizeof track.language);
	(void)get_text(at, track.title, sizeof track.title);
	if (channels > CHANNELS_MAX || (flags & ~(IS_DEFAULT | TAKEN)) != 0 ||
	    !is_text(track.codec, sizeof track.codec) ||
	    !is_text(track.language, sizeof track.language) ||
	    !is_text(track.title, sizeof track.title))
		return err_set(e, ERR_CORRUPT, "a track that cannot be");
	*ret = track;
	return 0;
}
