/* A hostile file's words, made fit for a tag. Threads: any. */
#ifndef TONEARM_WORKER_TAGS_ID3_TEXT_H
#define TONEARM_WORKER_TAGS_ID3_TEXT_H

#include <stddef.h>

enum id3_lines { ID3_ONE_LINE, ID3_MANY_LINES };

/* Writes text as UTF-8, at most max bytes, without NUL, and returns how many: control characters
 * are dropped, and blanks at both ends; in one line, line breaks are blanks. A byte that is no
 * UTF-8 is taken as Latin-1 where it stands alone (as old tags have it), else dropped. */
size_t id3_clean(const char *text, enum id3_lines lines, char *to, size_t max);

#define ID3_DATE_MAX 19 /* yyyy-MM-ddTHH:mm:ss */

/* As much of a date as is one (ISO 8601, as ID3v2.4 wants it; yyyyMMdd too), from its year on;
 * returns its length, 0 when it does not start with a year. */
size_t id3_date(const char *text, char to[ID3_DATE_MAX]);

#endif
