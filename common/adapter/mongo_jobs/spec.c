/* What a job asks for, as its document has it: {format, bit_rate, sample_rate, channels} and, where
 * it is asked for, {strict: true} and {gaps: "drop"}: what is not asked for an older build must not
 * stumble over. */
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

/* An option that is set, as its document has it: true, or text. */
static bool
spec_read_option(const bson_iter_t *it, enum media_option option, struct media_spec *spec)
{
	const char *value = BSON_ITER_HOLDS_UTF8(it) ? bson_iter_utf8(it, NULL) : "";

	if (BSON_ITER_HOLDS_BOOL(it))
		value = bson_iter_bool(it) ? "true" : "false";
	return media_option_set(spec, option, value, NULL) == 0;
}

static bool
spec_read_field(const bson_iter_t *it, struct media_spec *spec)
{
	const char *key = bson_iter_key(it);
	enum media_option option;

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
	if (media_option_named(key, &option) == 0)
		return spec_read_option(it, option, spec);
	/* a wish that this build does not know is not to be passed over */
	return strcmp(key, "bit_rate") == 0 && spec_read_number(it, &spec->bit_rate);
}

bson_t *
mongo_jobs_spec_new(const struct media_spec *spec)
{
	bson_t *doc = bson_new();

	BSON_APPEND_UTF8(doc, "format", media_format_info(spec->format)->name);
	BSON_APPEND_INT32(doc, "bit_rate", spec->bit_rate);
	BSON_APPEND_INT32(doc, "sample_rate", spec->sample_rate);
	BSON_APPEND_INT32(doc, "channels", spec->channels);
	if (spec->strict)
		BSON_APPEND_BOOL(doc, "strict", true);
	if (spec->drop_gaps)
		BSON_APPEND_UTF8(doc, "gaps", "drop");
	return doc;
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
