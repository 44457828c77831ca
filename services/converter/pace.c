#include "converter/pace.h"

struct job_progress
pace_of(const struct encode_progress *progress, int64_t ms)
{
	double seconds = ms > 0 ? (double)ms / 1000 : 0, fraction = progress->fraction;
	struct job_progress pace = { 0 };

	if (seconds > 0)
		pace.speed = progress->made_s / seconds;
	if (fraction > 0) {
		pace.fraction = fraction;
		pace.remaining_s = seconds / fraction - seconds;
	}
	return pace;
}
