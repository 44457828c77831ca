#include "worker/mp3/pcm.h"

#include <stdlib.h>
#include <string.h>

static struct pcm_piece *
pcm_room(struct pcm *pcm)
{
	struct pcm_piece *piece = pcm->last;

	if (piece && piece->count < PCM_PIECE)
		return piece;
	if (!(piece = malloc(sizeof *piece)))
		return NULL;
	piece->next = NULL;
	piece->count = 0;
	if (pcm->last)
		pcm->last->next = piece;
	else
		pcm->first = piece;
	return pcm->last = piece;
}

int
pcm_put(struct pcm *pcm, int channels, float *const planes[2], size_t count, struct err *e)
{
	for (size_t done = 0, n; done < count; done += n) {
		struct pcm_piece *piece = pcm_room(pcm);

		if (!piece)
			return err_set(e, ERR_NO_MEMORY, "samples");
		n = PCM_PIECE - piece->count;
		if (n > count - done)
			n = count - done;
		for (int c = 0; c < channels; c++)
			memcpy(piece->planes[c] + piece->count, planes[c] + done,
			       n * sizeof(float));
		piece->count += n;
	}
	return 0;
}

struct pcm_piece *
pcm_take(struct pcm *pcm)
{
	struct pcm_piece *piece = pcm->first;

	if (!piece)
		return NULL;
	pcm->first = piece->next;
	if (!pcm->first)
		pcm->last = NULL;
	return piece;
}

void
pcm_clear(struct pcm *pcm)
{
	struct pcm_piece *piece;

	while ((piece = pcm_take(pcm)))
		free(piece);
}
