#include "wire/loudness_json.h"

#include <jansson.h>
#include <math.h>

/* To the hundredth: meters are not nearer to each other. */
static json_t *
loudness_level(bool known, double value)
{
	return known && isfinite(value) ? json_real(round(value * 100) / 100) : json_null();
}

json_t *
loudness_json_new(const struct job_loudness *l)
{
	if (!l->has_integrated && !l->has_range && !l->has_true_peak)
		return json_null();
	return json_pack("{s:o, s:o, s:o}", "integrated_lufs",
			 loudness_level(l->has_integrated, l->integrated_lufs), "range_lu",
			 loudness_level(l->has_range, l->range_lu), "true_peak_dbtp",
			 loudness_level(l->has_true_peak, l->true_peak_dbtp));
}
