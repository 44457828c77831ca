/* How much of each channel of a source goes into each of the result's, by ITU-R BS.775: the middle
 * and the surround channels at -3 dB, one at the back at -6 dB into both, none of the low
 * frequencies' channel; heights and sides as the surround. One channel goes into both at its level.
 * Pure. */
#ifndef TONEARM_WORKER_SOUND_MIX_H
#define TONEARM_WORKER_SOUND_MIX_H

#include <stdbool.h>

#define MIX_CHANNELS_MAX 64 /* swresample's own limit */

struct AVChannelLayout; /* of libav */

/* ret[out * channels of in + in]. False: swresample's own is as good, or there is none. */
bool mix_matrix(const struct AVChannelLayout *in, const struct AVChannelLayout *out,
		double ret[2 * MIX_CHANNELS_MAX]);

#endif
