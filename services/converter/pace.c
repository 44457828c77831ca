#include "converter/pace.h"

#define TOLD_MIN 0.02
#define TOLD_MIN_MS 2000

/* 0 = not known. */
static double
pace_remaining_s(struct pace *p, double fraction, int64_t now_ms)
{
	double came = fraction - p->first;
	int64_t took_ms = now_ms - p->first_ms;

	if (p->first_ms == 0) {
		p->first_ms = now_ms;
		p->first = fraction;
		return 0;
	}
	if (came < TOLD_MIN || took_ms < TOLD_MIN_MS)
		return 0;
	return (1 - fraction) / came * (double)took_ms / 1000;
}

struct job_progress
pace_of(struct pace *p, const struct encode_progress *news, int64_t now_ms)
{
	int64_t ms = now_ms - p->start_ms;
	struct job_progress pace = { 0 };

	if (ms > 0)
		pace.speed = news->made_s / ((double)ms / 1000);
	if (news->fraction > 0) {
		pace.fraction = news->fraction;
		pace.remaining_s = pace_remaining_s(p, news->fraction, now_ms);
	}
	return pace;
}
