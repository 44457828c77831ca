/* The true peak of ITU-R BS.1770 (annex 2): the largest of the samples and of three values between
 * each two of them. Threads: one. */
#ifndef TONEARM_WORKER_SOUND_TRUE_PEAK_H
#define TONEARM_WORKER_SOUND_TRUE_PEAK_H

#include <stddef.h>

#define TRUE_PEAK_PHASES 3
#define TRUE_PEAK_TAPS 12
#define TRUE_PEAK_WINDOW (TRUE_PEAK_TAPS - 1 + 64)

struct true_peak {
	float filter[TRUE_PEAK_PHASES][TRUE_PEAK_TAPS]; /* newest sample first; set once */
	float reach;                       /* no value between is larger than a sample by this */
	float window[2][TRUE_PEAK_WINDOW]; /* the last samples of each channel */
	float peak;
};

void true_peak_init(struct true_peak *t);
void true_peak_add(struct true_peak *t, int channel, const float *samples, size_t count);

#endif
