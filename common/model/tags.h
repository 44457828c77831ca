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
	TAG_ALBUM_ARTIST,
	TAG_COMPOSER,
	TAG_DISC,
	TAG_COMPILATION,
	TAG_LANGUAGE, /* of the sound */
	TAG_LYRICS,
	/* parts of others */
	TAG_TRACK_TOTAL,
	TAG_DISC_TOTAL,
	TAG_LYRICS_LANGUAGE,
};
#define TAG_FIELDS (TAG_LYRICS_LANGUAGE + 1)

/* Bytes; what is longer is cut between two characters. */
#define TAG_TEXT_MAX 1024
#define TAG_COMMENT_MAX 8192
#define TAG_LYRICS_MAX (32 * 1024)
/* With what stands around it in ID3, a size below 128: read as seven bits a byte, as ID3v2.4 has it,
 * or as eight, as ffmpeg does inside a chapter, it is the same. */
#define TAG_CHAPTER_TITLE_MAX 125
/* What ID3's table of contents can count; further chapters are left out. */
#define TAG_CHAPTERS_MAX 255
/* A larger picture is left out. */
#define TAG_PICTURE_MAX (4 << 20)

#define TAG_CHAPTER_OPEN UINT32_MAX /* ends with the sound, or where that is not known yet */

struct tag_chapter {
	uint32_t start_ms, end_ms; /* on the sound's own time; the end is not before the start */
	const char *title;         /* NULL = none */
};
/* All borrowed, and all of it as hostile as its file: words pass tags_words or tags_clean. */
struct tags {
	const char *text[TAG_FIELDS]; /* NULL = none */
	const uint8_t *picture;       /* a front cover that tags_picture_type knows */
	size_t picture_len;           /* 0 = none */
	uint32_t pictures_left_out;   /* where none could be taken: how many there were */
	size_t chapter_count;
	struct tag_chapter chapters[TAG_CHAPTERS_MAX]; /* by their starts */
	uint32_t chapters_left_out;
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

#define TAG_LANGUAGE_LEN 3

/* The code that text is (ISO 639-2) or begins with, in small letters; returns its length, 0 when it
 * is none, or says that there is none ("und", "XXX"). */
size_t tags_language(const char *text, char to[TAG_LANGUAGE_LEN]);

/* A field as it is written, at most tags_words_max(field) bytes, and returns how many: clean, a
 * track or disc with its total ("1/2"), "1" for a compilation. 0 = there is nothing to write. */
size_t tags_words(const struct tags *tags, enum tag_field field, char *to);
size_t tags_words_max(enum tag_field field);

#endif
