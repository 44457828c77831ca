#include "worker/source/mp4/samples.h"

/* Of stsc and of stts. */
#define ENTRIES_MAX (1 << 20)
#define SAMPLE_MAX 0x3fffffff /* libav's */
#define LENGTH_MAX (1 << 20)
#define ONE 0x10000 /* as a fixed-point number */
#define MP4A 0x6d703461

static uint32_t
mp4_samples_number(const struct mp4_samples *s, enum mp4_leaf which, int64_t at)
{
	return mp4_u32(s->in, s->track.leaf[which].from + at);
}

/* Behind the count at payload byte `at` there are that many entries. */
static bool
mp4_samples_table_fits(const struct mp4_samples *s, enum mp4_leaf which, int64_t at, int64_t entry)
{
	const struct mp4_span *span = &s->track.leaf[which];
	int64_t room = span->to - span->from - at - 4;
	int64_t count;

	if (span->from == 0 || room < entry)
		return false;
	count = mp4_samples_number(s, which, at);
	return count > 0 && count <= room / entry;
}

enum mp4_leaf
mp4_samples_offsets(const struct mp4_samples *s)
{
	return s->track.leaf[MP4_CO64].from > 0 ? MP4_CO64 : MP4_STCO;
}

static int64_t
mp4_samples_chunk_position(const struct mp4_samples *s, uint32_t chunk)
{
	uint64_t at;

	if (mp4_samples_offsets(s) == MP4_STCO)
		return mp4_samples_number(s, MP4_STCO, 8 + 4LL * chunk);
	at = mp4_u64(s->in, s->track.leaf[MP4_CO64].from + 8 + 8LL * chunk);
	return at <= INT64_MAX / 2 ? (int64_t)at : INT64_MAX / 2; /* behind any file's end */
}

/* How many chunks follow one another with as many samples as that entry of stsc says. */
static void
mp4_samples_open_chunks(struct mp4_samples *s, uint32_t entry)
{
	int64_t at = 8 + 12LL * entry;
	bool is_last = entry + 1 == mp4_samples_number(s, MP4_STSC, 4);
	uint32_t end = is_last ? mp4_samples_number(s, mp4_samples_offsets(s), 4) + 1
			       : mp4_samples_number(s, MP4_STSC, at + 12);

	s->stsc_entry = entry;
	s->per_chunk = mp4_samples_number(s, MP4_STSC, at + 4);
	s->chunks_left = end - mp4_samples_number(s, MP4_STSC, at);
}

static void
mp4_samples_open_lengths(struct mp4_samples *s, uint32_t entry)
{
	s->stts_entry = entry;
	s->lengths_left = mp4_samples_number(s, MP4_STTS, 8 + 8LL * entry);
	s->length = mp4_samples_number(s, MP4_STTS, 12 + 8LL * entry);
}

void
mp4_samples_rewind(struct mp4_samples *s)
{
	s->next = s->chunk = s->in_chunk = 0;
	s->start = 0;
	s->position = mp4_samples_chunk_position(s, 0);
	mp4_samples_open_chunks(s, 0);
	mp4_samples_open_lengths(s, 0);
}

static void
mp4_samples_next_chunk(struct mp4_samples *s)
{
	s->in_chunk = 0;
	s->position = mp4_samples_chunk_position(s, ++s->chunk);
	if (--s->chunks_left == 0)
		mp4_samples_open_chunks(s, s->stsc_entry + 1);
}

bool
mp4_samples_next(struct mp4_samples *s, struct mp4_sample *ret)
{
	if (s->next >= s->count)
		return false;
	*ret = (struct mp4_sample){
		.position = s->position,
		.start = s->start,
		.size = mp4_samples_number(s, MP4_STSZ, 12 + 4LL * s->next),
		.duration = s->length,
	};
	s->position += ret->size;
	s->start += ret->duration;
	if (++s->next == s->count)
		return !s->in->peek_failed;
	if (--s->lengths_left == 0)
		mp4_samples_open_lengths(s, s->stts_entry + 1);
	if (++s->in_chunk == s->per_chunk)
		mp4_samples_next_chunk(s);
	return !s->in->peek_failed;
}

/* stsc leaves no chunk out, knows one description, and has as many samples as there are sizes. */
static bool
mp4_samples_check_chunks(struct mp4_samples *s)
{
	uint32_t entries = mp4_samples_number(s, MP4_STSC, 4),
		 chunks = mp4_samples_number(s, mp4_samples_offsets(s), 4);
	uint64_t sum = 0;

	if (entries > ENTRIES_MAX)
		return false;
	for (uint32_t i = 0, before = 0; i < entries; i++) {
		int64_t at = 8 + 12LL * i;

		mp4_samples_open_chunks(s, i);
		if (mp4_samples_number(s, MP4_STSC, at) != before + 1 ||
		    mp4_samples_number(s, MP4_STSC, at + 8) != 1 || s->per_chunk == 0 ||
		    s->chunks_left == 0 || s->chunks_left > chunks - before)
			return false;
		before += s->chunks_left;
		sum += (uint64_t)s->chunks_left * s->per_chunk;
		if (sum > s->count)
			return false;
	}
	return sum == s->count;
}

/* Each sample lies in the file, and beside the tables, which libav sees otherwise. */
static bool
mp4_samples_check_places(struct mp4_samples *s)
{
	const struct mp4_span *movie = &s->track.movie;
	struct mp4_sample sample;

	mp4_samples_rewind(s);
	while (mp4_samples_next(s, &sample)) {
		int64_t end = sample.position + sample.size;

		if (sample.size > SAMPLE_MAX || end > s->in->size ||
		    (end > movie->from && sample.position < movie->to))
			return false;
	}
	return true;
}

/* stts has as many lengths as there are sizes. */
static bool
mp4_samples_check_lengths(struct mp4_samples *s)
{
	uint32_t entries = mp4_samples_number(s, MP4_STTS, 4), sum = 0;
	int64_t end = 0;

	if (entries > ENTRIES_MAX)
		return false;
	for (uint32_t i = 0; i < entries; i++) {
		mp4_samples_open_lengths(s, i);
		if (s->lengths_left == 0 || s->lengths_left > s->count - sum || s->length == 0 ||
		    s->length > LENGTH_MAX)
			return false;
		sum += s->lengths_left;
		end += (int64_t)s->lengths_left * s->length;
		s->last_start = end - s->length;
	}
	return sum == s->count;
}

/* One edit (elst) that starts early, by stts' first entry, and ends in the last sample or behind
 * it; or none. */
static bool
mp4_samples_check_edit(struct mp4_samples *s, uint32_t samples_before_edit)
{
	uint32_t version = mp4_samples_number(s, MP4_ELST, 0) >> 24;
	uint32_t scale = mp4_samples_number(
		s, MP4_MDHD, mp4_samples_number(s, MP4_MDHD, 0) >> 24 == 1 ? 20 : 12);
	uint64_t duration, start;

	if (s->track.leaf[MP4_ELST].from == 0)
		return true;
	if (version != 0 || !mp4_samples_table_fits(s, MP4_ELST, 4, 12) ||
	    mp4_samples_number(s, MP4_ELST, 4) != 1 || mp4_samples_number(s, MP4_ELST, 16) != ONE ||
	    scale == 0 || scale > INT32_MAX)
		return false;
	duration = mp4_samples_number(s, MP4_ELST, 8);
	start = mp4_samples_number(s, MP4_ELST, 12);
	mp4_samples_open_lengths(s, 0);
	return duration <= INT32_MAX && start < (uint64_t)s->lengths_left * s->length &&
	       start < (uint64_t)samples_before_edit * s->length &&
	       (int64_t)(duration * scale / s->track.movie_scale + start) > s->last_start;
}

bool
mp4_samples_open(struct input *in, uint32_t samples_before_edit, struct mp4_samples *ret)
{
	struct mp4_samples s = { .in = in };

	if (!mp4_boxes_find(in, &s.track) || !mp4_samples_table_fits(&s, MP4_STSD, 4, 8) ||
	    mp4_samples_number(&s, MP4_STSD, 4) != 1 ||
	    mp4_samples_number(&s, MP4_STSD, 12) != MP4A ||
	    !mp4_samples_table_fits(&s, MP4_STTS, 4, 8) ||
	    !mp4_samples_table_fits(&s, MP4_STSC, 4, 12) ||
	    !mp4_samples_table_fits(&s, MP4_STSZ, 8, 4) ||
	    mp4_samples_number(&s, MP4_STSZ, 4) != 0 ||
	    !mp4_samples_table_fits(&s, mp4_samples_offsets(&s), 4,
				    mp4_samples_offsets(&s) == MP4_CO64 ? 8 : 4))
		return false;
	s.count = mp4_samples_number(&s, MP4_STSZ, 8);
	if (s.count <= samples_before_edit || !mp4_samples_check_lengths(&s) ||
	    !mp4_samples_check_chunks(&s) || !mp4_samples_check_edit(&s, samples_before_edit) ||
	    !mp4_samples_check_places(&s) || in->peek_failed)
		return false;
	mp4_samples_rewind(&s);
	*ret = s;
	return true;
}
