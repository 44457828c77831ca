#include "wire/findings_json.h"

#include <jansson.h>
#include <math.h>

#include "wire/json_text.h"

#define SECONDS_MAX 1e12 /* no time is later */

static json_t *
seconds_new(int64_t ms)
{
	return ms < 0 ? json_null() : json_real((double)ms / 1000);
}

/* Milliseconds, or unknown where there is no number that can be one. */
static int64_t
seconds_read(const json_t *value, int64_t unknown)
{
	double seconds = json_number_value(value);

	return json_is_number(value) && seconds >= 0 && seconds < SECONDS_MAX
		       ? (int64_t)llround(seconds * 1000)
		       : unknown;
}

static json_t *
words_new(const char *words)
{
	return words[0] != '\0' ? json_text_new(words) : json_null();
}

static json_t *
warning_new(const struct warning *warning)
{
	char message[WARNING_TEXT_MAX + 1];

	warning_text(warning, message);
	return json_pack("{s:s, s:s, s:o, s:o}", "code", warning_code_name(warning->code),
			 "message", message, "at_s", seconds_new(warning->at_ms), "seconds",
			 warning->ms > 0 ? seconds_new(warning->ms) : json_null());
}

static json_t *
track_new(const struct track *track)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:b, s:b}", "codec", words_new(track->codec),
			 "channels",
			 track->channels > 0 ? json_integer(track->channels) : json_null(),
			 "language", words_new(track->language), "title", words_new(track->title),
			 "default", track->is_default, "taken", track->taken);
}

json_t *
warnings_json_new(const struct warnings *warnings)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < warnings->count; i++)
		if (json_array_append_new(list, warning_new(&warnings->list[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

void
warnings_json_read(const json_t *list, struct warnings *ret)
{
	*ret = (struct warnings){ 0 };
	for (size_t i = 0; i < json_array_size(list) && ret->count < WARNINGS_MAX; i++) {
		const json_t *entry = json_array_get(list, i);
		const char *code = json_string_value(json_object_get(entry, "code"));
		struct warning *warning = &ret->list[ret->count];

		if (!code || warning_code_parse(code, &warning->code) < 0)
			continue;
		warning->at_ms = seconds_read(json_object_get(entry, "at_s"), -1);
		warning->ms = seconds_read(json_object_get(entry, "seconds"), 0);
		warning->events = 1;
		ret->count++;
	}
}

json_t *
tracks_json_new(const struct tracks *tracks)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < tracks->count; i++)
		if (json_array_append_new(list, track_new(&tracks->list[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

json_t *
track_taken_json_new(const struct tracks *tracks)
{
	for (size_t i = 0; i < tracks->count; i++)
		if (tracks->list[i].taken)
			return json_integer((json_int_t)i + 1);
	return json_null();
}
