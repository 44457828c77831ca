#include "worker/source/mp4/protection.h"

#include "worker/source/mp4/boxes.h"

#define NAME MP4_NAME

static bool
protection_find(struct mp4_walk *w, struct mp4_span in, uint32_t name, struct mp4_span *ret)
{
	struct mp4_box box;

	while (mp4_next_box(w, &in.from, in.to, &box))
		if (box.name == name) {
			*ret = box.body;
			return true;
		}
	return false;
}

static uint32_t
protection_track_id(struct mp4_walk *w, struct mp4_span track)
{
	struct mp4_span head;

	if (!protection_find(w, track, NAME('t', 'k', 'h', 'd'), &head))
		return 0;
	return mp4_u32(w->in, head.from + (mp4_u32(w->in, head.from) >> 24 == 1 ? 20 : 12));
}

/* "enca" of common encryption, "drms" of FairPlay, "aavd" of Audible; "drmi", "encv" are pictures.
 */
static bool
protection_in_table(struct mp4_walk *w, struct mp4_span track)
{
	static const uint32_t path[] = { NAME('m', 'd', 'i', 'a'), NAME('m', 'i', 'n', 'f'),
					 NAME('s', 't', 'b', 'l'), NAME('s', 't', 's', 'd') };
	struct mp4_box entry;

	for (size_t i = 0; i < sizeof path / sizeof path[0]; i++)
		if (!protection_find(w, track, path[i], &track))
			return false;
	track.from += 8; /* version, flags and how many */
	while (mp4_next_box(w, &track.from, track.to, &entry))
		if (entry.name == NAME('e', 'n', 'c', 'a') ||
		    entry.name == NAME('d', 'r', 'm', 's') ||
		    entry.name == NAME('a', 'a', 'v', 'd'))
			return true;
	return false;
}

bool
mp4_is_protected(struct input *in, uint32_t track_id)
{
	struct mp4_walk walk = { .in = in };
	struct mp4_span movie;
	struct mp4_box box;

	if (!protection_find(&walk, (struct mp4_span){ 0, in->size }, NAME('m', 'o', 'o', 'v'),
			     &movie))
		return false;
	while (mp4_next_box(&walk, &movie.from, movie.to, &box))
		if (box.name == NAME('t', 'r', 'a', 'k') &&
		    protection_track_id(&walk, box.body) == track_id)
			return protection_in_table(&walk, box.body);
	return false;
}
