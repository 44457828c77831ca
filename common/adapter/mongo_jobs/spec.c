/* What a job asks for, as its document has it: {format, bit_rate, sample_rate, channels}. */
#include "adapter/mongo_jobs/private.h"

/* Whether the number is one that a field of the spec can hold. */
static bool
spec_read_number(const bson_iter_t *it, int *ret)
{
	int64_t value = BSON_ITER_HOLDS_NUMBER(it) ? bson_iter_as_int64(it) : -1;

	if (value < 0 || value > INT32_MAX)
		return false;
	*ret = (int)value;
	return true;
}

static bool
spec_read_field(const bson_iter_t *it, struct media_spec *spec)
{
	const char *key = bson_iter_key(it);

	if (strcmp(key, "format") == 0) {
		spec->format = BSON_ITER_HOLDS_UTF8(it)
				       ? media_format_named(bson_iter_utf8(it, NULL))
				       : MEDIA_UNKNOWN;
		return spec->format != MEDIA_UNKNOWN;
	}
	if (strcmp(key, "sample_rate") == 0)
		return spec_read_number(it, &spec->sample_rate);
	if (strcmp(key, "channels") == 0)
		return spec_read_number(it, &spec->channels);
	/* a wish that this build does not know is not to be passed over */
	return strcmp(key, "bit_rate") == 0 && spec_read_number(it, &spec->bit_rate);
}

struct media_spec
mongo_jobs_spec_read(const bson_t *doc)
{
	static const struct media_spec unknown = { .format = MEDIA_UNKNOWN };
	struct media_spec spec = { 0 };
	bson_iter_t top, it;

	if (bson_iter_init_find(&top, doc, "spec") && !BSON_ITER_HOLDS_NULL(&top)) {
		if (!BSON_ITER_HOLDS_DOCUMENT(&top) || !bson_iter_recurse(&top, &it))
			return unknown;
		while (bson_iter_next(&it))
			if (!spec_read_field(&it, &spec))
				return unknown;
	}
	return media_spec_settle(&spec, NULL) == 0 ? spec : unknown;
}
