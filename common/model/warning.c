#include "model/warning.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name, *one, *many; /* %u: how many */
} warning_words[WARNING_CODES] = {
	[WARNING_TRUNCATED] = { "truncated",
				"the file ends too early: bytes are missing at its end",
				"the file ends too early: bytes are missing at its end" },
	[WARNING_DAMAGED] = { "damaged", "a damaged piece of sound was replaced by silence",
			      "%u damaged pieces of sound were replaced by silence" },
	[WARNING_GAP_FILLED] = { "gap_filled", "the sound pauses: silence keeps its time",
				 "the sound pauses %u times: silence keeps its time" },
	[WARNING_OVERLAP_CUT] = { "overlap_cut",
				  "two pieces of sound overlap: the end of the first was kept",
				  "pieces of sound overlap %u times: the first one was kept" },
	[WARNING_LATE_START] = { "late_start",
				 "the sound begins later than the film: silence stands in front",
				 "the sound begins later than the film: silence stands in front" },
	[WARNING_CLOCK_RESTARTED] = { "clock_restarted",
				      "the file's clock jumps: the sound goes on without a pause",
				      "the file's clock jumps %u times: the sound goes on without "
				      "a pause" },
	[WARNING_LEVEL_LIMITED] = { "level_limited",
				    "louder than full scale: the peak was taken back",
				    "louder than full scale: %u peaks were taken back" },
	[WARNING_TRACK_CHANGED] = { "track_changed", "the sound goes on in another track",
				    "the sound goes on in another track %u times" },
	[WARNING_COVER_LEFT_OUT] = { "cover_left_out",
				     "the cover was left out: it is no JPEG or PNG of at most "
				     "4 MiB",
				     "the covers were left out: none of %u is a JPEG or PNG of at "
				     "most 4 MiB" },
	[WARNING_CHAPTERS_LEFT_OUT] = { "chapters_left_out",
					"the last chapter was left out: a tag has room for 255",
					"the last %u chapters were left out: a tag has room for "
					"255" },
};

static size_t
warnings_of(const struct warnings *w, enum warning_code code, size_t *ret_last)
{
	size_t found = 0;

	for (size_t i = 0; i < w->count; i++)
		if (w->list[i].code == code) {
			*ret_last = i;
			found++;
		}
	return found;
}

void
warnings_add(struct warnings *w, const struct warning *warning)
{
	size_t last = 0, found = warnings_of(w, warning->code, &last);

	if (found < WARNINGS_OF_A_CODE && w->count < WARNINGS_MAX) {
		w->list[w->count++] = *warning;
		return;
	}
	if (found == 0)
		return;
	w->list[last].ms += warning->ms;
	w->list[last].events += warning->events;
}

const struct warning *
warnings_find(const struct warnings *w, enum warning_code code)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->list[i].code == code)
			return &w->list[i];
	return NULL;
}

const char *
warning_code_name(enum warning_code code)
{
	return warning_words[code].name;
}

int
warning_code_parse(const char *name, enum warning_code *ret)
{
	for (enum warning_code code = WARNING_TRUNCATED; code < WARNING_CODES; code++)
		if (strcmp(warning_words[code].name, name) == 0) {
			*ret = code;
			return 0;
		}
	return -1;
}

void
warning_text(const struct warning *warning, char ret[WARNING_TEXT_MAX + 1])
{
	const char *words = warning->events > 1 ? warning_words[warning->code].many
						: warning_words[warning->code].one;
	const char *number = strstr(words, "%u");

	if (!number)
		(void)snprintf(ret, WARNING_TEXT_MAX + 1, "%s", words);
	else
		(void)snprintf(ret, WARNING_TEXT_MAX + 1, "%.*s%u%s", (int)(number - words), words,
			       warning->events, number + 2);
}
