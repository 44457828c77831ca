/* What a sound says of itself, whatever file it stands in: ID3, Vorbis comments and mp4's atoms are
 * written from it. And a hostile file's words, made fit for one of them. Threads: any. */
#ifndef TONEARM_MODEL_TAGS_H
#define TONEARM_MODEL_TAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tag_field {
	TAG_TITLE,
	TAG_ARTIST,
	TAG_ALBUM,
	TAG_TRACK,
	TAG_DATE,
	TAG_GENRE,
	TAG_COMMENT,
};
#define TAG_FIELDS (TAG_COMMENT + 1)

/* Bytes; what is longer is cut between two characters. */
#define TAG_TEXT_MAX 1024
#define TAG_COMMENT_MAX 8192
/* A larger picture is left out. */
#define TAG_PICTURE_MAX (4 << 20)

/* All borrowed, and all of it as hostile as its file: words pass tags_clean or tags_date. */
struct tags {
	const char *text[TAG_FIELDS]; /* NULL = none */
	const uint8_t *picture;       /* a front cover that tags_picture_type knows */
	size_t picture_len;           /* 0 = none */
};

/* "image/jpeg" or "image/png", by how these bytes start; NULL when they are neither, or more than
 * TAG_PICTURE_MAX. */
const char *tags_picture_type(const uint8_t *picture, size_t len);

enum tag_lines { TAG_ONE_LINE, TAG_MANY_LINES };

/* Writes text as UTF-8, at most max bytes, without NUL, and returns how many: control characters
 * are dropped, and blanks at both ends; in one line, line breaks are blanks. A byte that is no
 * UTF-8 is taken as Latin-1 where it stands alone (as old tags have it), else dropped. */
size_t tags_clean(const char *text, enum tag_lines lines, char *to, size_t max);

#define TAG_DATE_MAX 19 /* yyyy-MM-ddTHH:mm:ss */

/* As much of a date as is one (ISO 8601; yyyyMMdd too), from its year on; returns its length, 0
 * when it does not start with a year. */
size_t tags_date(const char *text, char to[TAG_DATE_MAX]);

#endif
