#include "converter/command/findings.h"

#include <string.h>

#include "base/text/legible.h"

void
findings_print_warning(FILE *to, const struct warning *warning)
{
	char text[WARNING_TEXT_MAX + 1];

	warning_text(warning, text);
	if (warning->at_ms >= 0)
		(void)fprintf(to, "at %.3f s: ", (double)warning->at_ms / 1000);
	(void)fprintf(to, "%s", text);
	if (warning->ms > 0)
		(void)fprintf(to, " (%.3f s)", (double)warning->ms / 1000);
}

static void
findings_print_word(FILE *to, const char *name, const char *text)
{
	if (text[0] == '\0')
		return;
	(void)fprintf(to, ", %s", name);
	(void)legible_print(to, text, strlen(text), 0);
}

void
findings_print_track(FILE *to, const struct track *track)
{
	(void)legible_print(to, track->codec, strlen(track->codec), 0);
	if (track->channels > 0)
		(void)fprintf(to, ", %d channel%s", track->channels,
			      track->channels == 1 ? "" : "s");
	findings_print_word(to, "language ", track->language);
	findings_print_word(to, "title ", track->title);
	(void)fprintf(to, "%s%s", track->is_default ? ", default" : "",
		      track->taken ? ", taken" : "");
}
