#include "worker/source/mp4/boxes.h"

#include <string.h>

/* A film has some dozens; more are none of our business. */
#define BOXES_MAX 4096
#define NAME MP4_NAME

struct walk {
	struct mp4_walk boxes;
	bool refused;
	uint32_t scale;
	struct mp4_span movie;
	struct mp4_track sound;
	int sounds;
};

static const uint32_t leaf_names[MP4_LEAVES] = {
	[MP4_MDHD] = NAME('m', 'd', 'h', 'd'), [MP4_HDLR] = NAME('h', 'd', 'l', 'r'),
	[MP4_ELST] = NAME('e', 'l', 's', 't'), [MP4_STSD] = NAME('s', 't', 's', 'd'),
	[MP4_STTS] = NAME('s', 't', 't', 's'), [MP4_STSC] = NAME('s', 't', 's', 'c'),
	[MP4_STSZ] = NAME('s', 't', 's', 'z'), [MP4_STCO] = NAME('s', 't', 'c', 'o'),
	[MP4_CO64] = NAME('c', 'o', '6', '4'),
};

uint32_t
mp4_u32(struct input *in, int64_t at)
{
	uint8_t b[4];

	if (!input_peek(in, at, b, sizeof b))
		return 0;
	return NAME(b[0], b[1], b[2], b[3]);
}

uint64_t
mp4_u64(struct input *in, int64_t at)
{
	return (uint64_t)mp4_u32(in, at) << 32 | mp4_u32(in, at + 4);
}

bool
mp4_next_box(struct mp4_walk *w, int64_t *at, int64_t end, struct mp4_box *ret)
{
	uint64_t size;
	int64_t head = 8;

	if (w->misfit || end - *at < head)
		return false;
	size = mp4_u32(w->in, *at);
	ret->name = mp4_u32(w->in, *at + 4);
	if (size == 1) {
		size = mp4_u64(w->in, *at + 8);
		head = 16;
	}
	if (++w->count > BOXES_MAX || size < (uint64_t)head || size > (uint64_t)(end - *at)) {
		w->misfit = true;
		return false;
	}
	ret->body.from = *at + head;
	ret->body.to = *at += (int64_t)size;
	return true;
}

static bool
mp4_holds_tables(uint32_t name)
{
	return name == NAME('e', 'd', 't', 's') || name == NAME('m', 'd', 'i', 'a') ||
	       name == NAME('m', 'i', 'n', 'f') || name == NAME('s', 't', 'b', 'l');
}

/* What changes nothing of which packets there are. */
static bool
mp4_is_harmless(uint32_t name)
{
	static const uint32_t names[] = {
		NAME('t', 'k', 'h', 'd'), NAME('s', 'm', 'h', 'd'), NAME('d', 'i', 'n', 'f'),
		NAME('u', 'd', 't', 'a'), NAME('s', 'g', 'p', 'd'), NAME('s', 'b', 'g', 'p'),
		NAME('f', 'r', 'e', 'e'), NAME('t', 'r', 'e', 'f'), NAME('m', 'e', 't', 'a'),
	};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (name == names[i])
			return true;
	return false;
}

static void
mp4_note_leaf(struct mp4_track *track, const struct mp4_box *box)
{
	for (size_t i = 0; i < MP4_LEAVES; i++)
		if (box->name == leaf_names[i]) {
			track->odd = track->odd || track->leaf[i].from > 0;
			track->leaf[i] = box->body;
			return;
		}
	track->odd = track->odd || !mp4_is_harmless(box->name);
}

/* What a track holds lies four boxes deep. */
static void
mp4_walk_track(struct walk *w, const struct mp4_span *track_span, struct mp4_track *ret)
{
	struct mp4_span open[4] = { *track_span };
	size_t depth = 1;
	struct mp4_box box;

	while (depth > 0) {
		struct mp4_span *inner = &open[depth - 1];

		if (!mp4_next_box(&w->boxes, &inner->from, inner->to, &box))
			depth--;
		else if (!mp4_holds_tables(box.name))
			mp4_note_leaf(ret, &box);
		else if (depth < 4)
			open[depth++] = box.body;
		else
			ret->odd = true;
	}
}

static void
mp4_note_track(struct walk *w, const struct mp4_span *span)
{
	struct mp4_track track = { 0 };

	mp4_walk_track(w, span, &track);
	if (track.leaf[MP4_HDLR].from > 0 &&
	    mp4_u32(w->boxes.in, track.leaf[MP4_HDLR].from + 8) != NAME('s', 'o', 'u', 'n'))
		return;
	track.odd = track.odd || track.leaf[MP4_HDLR].from == 0 || track.leaf[MP4_MDHD].from == 0 ||
		    (track.leaf[MP4_CO64].from > 0 && track.leaf[MP4_STCO].from > 0);
	w->sound = track;
	w->sounds++;
}

static void
mp4_walk_movie(struct walk *w, struct mp4_span movie)
{
	struct mp4_box box;

	while (mp4_next_box(&w->boxes, &movie.from, movie.to, &box))
		switch (box.name) {
		case NAME('m', 'v', 'h', 'd'):
			w->refused = w->refused || w->scale > 0;
			w->scale = mp4_u32(
				w->boxes.in,
				box.body.from +
					(mp4_u32(w->boxes.in, box.body.from) >> 24 == 1 ? 20 : 12));
			break;
		case NAME('t', 'r', 'a', 'k'):
			mp4_note_track(w, &box.body);
			break;
		case NAME('u', 'd', 't', 'a'):
		case NAME('m', 'e', 't', 'a'):
		case NAME('i', 'o', 'd', 's'):
		case NAME('f', 'r', 'e', 'e'):
			break;
		default: /* mvex: fragments follow */
			w->refused = true;
		}
}

bool
mp4_boxes_find(struct input *in, struct mp4_track *ret)
{
	struct walk w = { .boxes = { .in = in } };
	int64_t at = 0;
	struct mp4_box box;
	int movies = 0;

	if (mp4_u32(in, 4) != NAME('f', 't', 'y', 'p'))
		return false;
	while (mp4_next_box(&w.boxes, &at, in->size, &box))
		switch (box.name) {
		case NAME('m', 'o', 'o', 'v'):
			movies++;
			w.movie = box.body;
			mp4_walk_movie(&w, box.body);
			break;
		case NAME('f', 't', 'y', 'p'):
		case NAME('m', 'd', 'a', 't'):
		case NAME('f', 'r', 'e', 'e'):
			break;
		default:
			w.refused = true;
		}
	if (w.refused || w.boxes.misfit || at != in->size || movies != 1 || w.sounds != 1 ||
	    w.sound.odd || w.scale == 0)
		return false;
	*ret = w.sound;
	ret->movie = w.movie;
	ret->movie_scale = w.scale;
	return true;
}
