/* What was found in a source, as a done job's document has it: result.warnings is an array of {code,
 * at_ms, ms, events}, result.tracks one of {codec, channels, language, title, default, taken}. */
#include "adapter/mongo_jobs/private.h"

#include <stdio.h>

static void
findings_append_warning(bson_t *list, const char *key, const struct warning *w)
{
	bson_t doc;

	bson_append_document_begin(list, key, -1, &doc);
	BSON_APPEND_UTF8(&doc, "code", warning_code_name(w->code));
	BSON_APPEND_INT64(&doc, "at_ms", w->at_ms);
	BSON_APPEND_INT64(&doc, "ms", w->ms);
	BSON_APPEND_INT64(&doc, "events", w->events);
	bson_append_document_end(list, &doc);
}

bson_t *
mongo_jobs_warnings_new(const struct warnings *warnings)
{
	bson_t *list = bson_new();
	char key[24];

	for (size_t i = 0; i < warnings->count; i++) {
		(void)snprintf(key, sizeof key, "%zu", i);
		findings_append_warning(list, key, &warnings->list[i]);
	}
	return list;
}

static void
findings_append_track(bson_t *list, const char *key, const struct track *t)
{
	bson_t doc;

	bson_append_document_begin(list, key, -1, &doc);
	BSON_APPEND_UTF8(&doc, "codec", t->codec);
	BSON_APPEND_INT64(&doc, "channels", t->channels);
	BSON_APPEND_UTF8(&doc, "language", t->language);
	BSON_APPEND_UTF8(&doc, "title", t->title);
	BSON_APPEND_BOOL(&doc, "default", t->is_default);
	BSON_APPEND_BOOL(&doc, "taken", t->taken);
	bson_append_document_end(list, &doc);
}

bson_t *
mongo_jobs_tracks_new(const struct tracks *tracks)
{
	bson_t *list = bson_new();
	char key[24];

	for (size_t i = 0; i < tracks->count; i++) {
		(void)snprintf(key, sizeof key, "%zu", i);
		findings_append_track(list, key, &tracks->list[i]);
	}
	return list;
}

/* The document's array of that name, to walk through; false when there is none. */
static bool
findings_find(const bson_t *doc, const char *path, bson_iter_t *ret)
{
	bson_iter_t top, it;

	return bson_iter_init(&top, doc) && bson_iter_find_descendant(&top, path, &it) &&
	       BSON_ITER_HOLDS_ARRAY(&it) && bson_iter_recurse(&it, ret);
}

static bool
findings_find_field(const bson_iter_t *entry, const char *key, bson_iter_t *ret)
{
	return bson_iter_recurse(entry, ret) && bson_iter_find(ret, key);
}

/* False: it is missing, no integer, or out of range. */
static bool
findings_read_integer(const bson_iter_t *entry, const char *key, int64_t least, int64_t most,
		      int64_t *ret)
{
	bson_iter_t it;

	if (!findings_find_field(entry, key, &it) || !BSON_ITER_HOLDS_INT(&it))
		return false;
	*ret = bson_iter_as_int64(&it);
	return *ret >= least && *ret <= most;
}

/* Cut to ret's size; "" when it is no text. */
static void
findings_read_text(const bson_iter_t *entry, const char *key, char *ret, size_t size)
{
	bson_iter_t it;

	ret[0] = '\0';
	if (findings_find_field(entry, key, &it) && BSON_ITER_HOLDS_UTF8(&it))
		(void)snprintf(ret, size, "%s", bson_iter_utf8(&it, NULL));
}

static bool
findings_read_bool(const bson_iter_t *entry, const char *key)
{
	bson_iter_t it;

	return findings_find_field(entry, key, &it) && BSON_ITER_HOLDS_BOOL(&it) &&
	       bson_iter_bool(&it);
}

static bool
findings_read_warning(const bson_iter_t *entry, struct warning *ret)
{
	char code[32];
	int64_t events;

	if (!BSON_ITER_HOLDS_DOCUMENT(entry))
		return false;
	findings_read_text(entry, "code", code, sizeof code);
	if (warning_code_parse(code, &ret->code) < 0 ||
	    !findings_read_integer(entry, "at_ms", -1, INT64_MAX, &ret->at_ms) ||
	    !findings_read_integer(entry, "ms", 0, INT64_MAX, &ret->ms) ||
	    !findings_read_integer(entry, "events", 1, UINT32_MAX, &events))
		return false;
	ret->events = (uint32_t)events;
	return true;
}

static bool
findings_read_track(const bson_iter_t *entry, struct track *ret)
{
	int64_t channels;

	if (!BSON_ITER_HOLDS_DOCUMENT(entry) ||
	    !findings_read_integer(entry, "channels", 0, INT32_MAX, &channels))
		return false;
	ret->channels = (int)channels;
	findings_read_text(entry, "codec", ret->codec, sizeof ret->codec);
	findings_read_text(entry, "language", ret->language, sizeof ret->language);
	findings_read_text(entry, "title", ret->title, sizeof ret->title);
	ret->is_default = findings_read_bool(entry, "default");
	ret->taken = findings_read_bool(entry, "taken");
	return true;
}

void
mongo_jobs_findings_read(const bson_t *doc, struct job *job)
{
	struct warnings *warnings = &job->warnings;
	struct tracks *tracks = &job->tracks;
	bson_iter_t it;

	if (findings_find(doc, "result.warnings", &it))
		while (warnings->count < WARNINGS_MAX && bson_iter_next(&it))
			warnings->count +=
				findings_read_warning(&it, &warnings->list[warnings->count]);
	if (findings_find(doc, "result.tracks", &it))
		while (tracks->count < TRACKS_MAX && bson_iter_next(&it))
			tracks->count += findings_read_track(&it, &tracks->list[tracks->count]);
}
