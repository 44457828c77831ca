#include "base/text/wrap.h"

#include <string.h>

/* How many bytes of text go into a line with room columns left; 0: none of its words does. */
static size_t
wrap_fit(const char *text, size_t room)
{
	size_t len = strcspn(text, "\n"), end;

	if (len <= room)
		return len;
	for (end = room; end > 0 && text[end] != ' '; end--)
		;
	return end;
}

/* The same of a word that is longer than a whole line. */
static size_t
wrap_break(const char *text, size_t room)
{
	size_t len = strcspn(text, " \n"), end;

	if (len <= room)
		return len;
	for (end = room; end > 0 && text[end - 1] != ','; end--)
		;
	return end > 0 ? end : len;
}

void
wrap_text(FILE *to, size_t used, size_t indent, const char *text)
{
	while (*text) {
		size_t room = used < WRAP_COLUMNS ? WRAP_COLUMNS - used : 0;
		size_t n = wrap_fit(text, room);

		if (n == 0 && (used <= indent || strcspn(text, " \n") > WRAP_COLUMNS - indent))
			n = wrap_break(text, room);
		(void)fprintf(to, "%.*s", (int)n, text);
		text += n;
		text += *text == ' ' || *text == '\n';
		used = indent;
		if (*text)
			(void)fprintf(to, "\n%*s", (int)indent, "");
	}
	(void)fputc('\n', to);
}

size_t
wrap_word(FILE *to, size_t used, size_t indent, const char *word)
{
	size_t len = strlen(word);

	if (used + 1 + len > WRAP_COLUMNS && used > indent) {
		(void)fprintf(to, "\n%*s%s", (int)indent, "", word);
		return indent + len;
	}
	(void)fprintf(to, " %s", word);
	return used + 1 + len;
}
