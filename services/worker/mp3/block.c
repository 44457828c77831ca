#include "worker/mp3/block.h"

/* Where the old stream's reservoir is as full as the new one's, all that follows fits. Where that
 * is nowhere so, the least lack is made up for by one frame of a higher bit rate (mp3_repack.h). */
int
mp3_seam(const struct mp3_format *format, const struct mp3_frames *block,
	 const struct mp3_frames *next)
{
	int first = mp3_warm_up(format), best = -1, best_lack = 0;

	for (int i = first; i < first + MP3_SEAM_FRAMES; i++) {
		size_t old = (size_t)i + MP3_BLOCK_FRAMES;
		int lack;

		if (old >= block->count || (size_t)i >= next->count)
			break;
		lack = next->list[i].reservoir - block->list[old].reservoir;
		if (best < 0 || lack < best_lack) {
			best = i;
			best_lack = lack;
		}
		if (best_lack <= 0)
			break;
	}
	return best;
}
