#include "worker/source/mp4/edits.h"

#include "worker/source/mp4/boxes.h"
#include "worker/source/timeline.h"

#define SILENCE INT64_C(-1) /* an entry that is no piece of the track */

struct edits_track {
	uint32_t id, media_scale;
	struct mp4_span list;
};

/* The number behind version, flags and two times of 4 or 8 bytes, as tkhd and mdhd have it. */
static uint32_t
behind_times(struct input *in, const struct mp4_box *box)
{
	return mp4_u32(in, box->body.from + (mp4_u32(in, box->body.from) >> 24 == 1 ? 20 : 12));
}

static void
edits_note_box(struct mp4_walk *w, const struct mp4_box *box, struct edits_track *track)
{
	switch (box->name) {
	case MP4_NAME('t', 'k', 'h', 'd'):
		track->id = behind_times(w->in, box);
		break;
	case MP4_NAME('m', 'd', 'h', 'd'):
		track->media_scale = behind_times(w->in, box);
		break;
	case MP4_NAME('e', 'l', 's', 't'):
		track->list = box->body;
		break;
	default:
		break;
	}
}

static void
edits_read_track(struct mp4_walk *w, struct mp4_span span, struct edits_track *ret)
{
	struct mp4_box box, leaf;

	*ret = (struct edits_track){ 0 };
	while (mp4_next_box(w, &span.from, span.to, &box))
		if (box.name == MP4_NAME('m', 'd', 'i', 'a') ||
		    box.name == MP4_NAME('e', 'd', 't', 's'))
			while (mp4_next_box(w, &box.body.from, box.body.to, &leaf))
				edits_note_box(w, &leaf, ret);
		else
			edits_note_box(w, &box, ret);
}

/* False: no such track, or nothing that a time can be told by. */
static bool
edits_find_track(struct mp4_walk *w, struct mp4_span movie, uint32_t id, struct edits_track *ret,
		 uint32_t *ret_scale)
{
	struct mp4_box box;
	bool found = false;

	*ret_scale = 0;
	while ((!found || *ret_scale == 0) && mp4_next_box(w, &movie.from, movie.to, &box))
		if (box.name == MP4_NAME('m', 'v', 'h', 'd'))
			*ret_scale = behind_times(w->in, &box);
		else if (box.name == MP4_NAME('t', 'r', 'a', 'k')) {
			edits_read_track(w, box.body, ret);
			found = ret->id == id;
		}
	return found && *ret_scale > 0 && ret->media_scale > 0 && !w->misfit;
}

static bool
edits_find_movie(struct mp4_walk *w, struct mp4_span *ret)
{
	struct mp4_box box;
	int64_t at = 0;

	while (mp4_next_box(w, &at, w->in->size, &box))
		if (box.name == MP4_NAME('m', 'o', 'o', 'v')) {
			*ret = box.body;
			return true;
		}
	return false;
}

/* -1: longer than a film can be. */
static int64_t
flicks_of_units(uint64_t units, uint32_t scale)
{
	uint64_t seconds = units / scale;

	if (seconds > UINT64_C(1000) * 3600)
		return -1;
	return (int64_t)seconds * TIMELINE_FLICKS +
	       (int64_t)((units % scale) * (uint64_t)TIMELINE_FLICKS / scale);
}

/* Entries of version 0 are 12 bytes, of 1 20: duration in the film's units, start in the track's
 * (all ones = silence), a rate. */
static bool
edits_read_entry(struct input *in, int64_t at, bool wide, const uint32_t scales[2],
		 struct mp4_edit *ret)
{
	int64_t media = wide ? (int64_t)mp4_u64(in, at + 8) : (int32_t)mp4_u32(in, at + 4);

	ret->length = flicks_of_units(wide ? mp4_u64(in, at) : mp4_u32(in, at), scales[0]);
	ret->media = media < 0 ? SILENCE : flicks_of_units((uint64_t)media, scales[1]);
	return ret->length >= 0 && (media < 0 || ret->media >= 0);
}

static bool
edits_read_list(struct input *in, const struct edits_track *track, uint32_t movie_scale,
		struct mp4_edits *ret)
{
	bool wide = mp4_u32(in, track->list.from) >> 24 == 1;
	const uint32_t scales[2] = { movie_scale, track->media_scale };
	uint32_t entries = mp4_u32(in, track->list.from + 4);
	int64_t at = track->list.from + 8, film = 0, size = wide ? 20 : 12;
	struct mp4_edit edit;

	if (entries > MP4_EDITS_MAX || track->list.to - at < (int64_t)entries * size)
		return false;
	for (; entries > 0; entries--, at += size, film += edit.length) {
		if (!edits_read_entry(in, at, wide, scales, &edit))
			return false;
		edit.film = film;
		if (edit.media != SILENCE)
			ret->list[ret->count++] = edit;
	}
	return true;
}

/* Pieces that follow one another in both times are one. */
static void
edits_join(struct mp4_edits *e)
{
	size_t kept = 0;

	for (size_t i = 1; i < e->count; i++) {
		struct mp4_edit *last = &e->list[kept], *edit = &e->list[i];

		if (edit->film == last->film + last->length &&
		    edit->media == last->media + last->length)
			last->length += edit->length;
		else
			e->list[++kept] = *edit;
	}
	e->count = e->count > 0 ? kept + 1 : 0;
}

void
mp4_edits_find(struct input *in, uint32_t track_id, struct mp4_edits *ret)
{
	struct mp4_walk walk = { .in = in };
	struct edits_track track = { 0 };
	struct mp4_span movie;
	uint32_t scale;

	*ret = (struct mp4_edits){ 0 };
	if (!edits_find_movie(&walk, &movie) ||
	    !edits_find_track(&walk, movie, track_id, &track, &scale) || track.list.from == 0)
		return;
	if (!edits_read_list(in, &track, scale, ret)) {
		ret->count = 0;
		return;
	}
	edits_join(ret);
	if (ret->count != 1)
		return;
	ret->count = 0;
	/* of a recording that goes on (fragments) the length is 0 */
	if (ret->list[0].film > 0 && ret->list[0].length > 0)
		ret->late_end = ret->list[0].film + ret->list[0].length;
}

int64_t
mp4_edits_media(const struct mp4_edits *e)
{
	return e->list[e->next].media;
}

static void
edits_next_piece(struct mp4_edits *e)
{
	e->next++;
	e->given = 0;
	e->sought = false;
}

bool
mp4_edits_lie_back(struct mp4_edits *e)
{
	/* the present piece began here, or was not found: it is over */
	if (e->next < e->count && (e->given > 0 || e->sought))
		edits_next_piece(e);
	e->sought = e->next < e->count;
	return e->sought;
}

/* To the nearest sample, 0 to most. */
static int
edits_samples(int64_t flicks, int rate, int most)
{
	int64_t whole = flicks / TIMELINE_FLICKS, rest = flicks % TIMELINE_FLICKS;

	if (flicks <= 0 || whole > most / rate + 1)
		return flicks <= 0 ? 0 : most;
	whole = whole * rate + (rest * rate + TIMELINE_FLICKS / 2) / TIMELINE_FLICKS;
	return whole < most ? (int)whole : most;
}

enum mp4_heard
mp4_edits_piece(struct mp4_edits *e, int64_t at, int samples, int rate, struct mp4_piece *ret)
{
	for (; e->next < e->count; edits_next_piece(e)) {
		const struct mp4_edit *edit = &e->list[e->next];
		int64_t wanted = edit->media + e->given;
		int skip = edits_samples(wanted - at, rate, samples);
		int end = edits_samples(edit->media + edit->length - at, rate, samples);

		if (skip == samples)
			return MP4_NOT_HEARD;
		if (e->given == 0 && !e->sought && wanted < at - TIMELINE_FLICKS / rate) {
			e->sought = true;
			return MP4_HEARD_FROM;
		}
		if (end <= skip)
			continue;
		*ret = (struct mp4_piece){ skip, end - skip,
					   edit->film - edit->media + at +
						   (int64_t)skip * TIMELINE_FLICKS / rate };
		e->given = at + (int64_t)end * TIMELINE_FLICKS / rate - edit->media;
		return MP4_HEARD;
	}
	return MP4_HEARD_ALL;
}
