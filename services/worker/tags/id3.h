/* The ID3v2.4 tag in front of an mp3: what its source said of itself, and which software made it
 * (TSSE, as MsgQ's files say). Threads: any. */
#ifndef TONEARM_WORKER_TAGS_ID3_H
#define TONEARM_WORKER_TAGS_ID3_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum id3_field {
	ID3_TITLE,
	ID3_ARTIST,
	ID3_ALBUM,
	ID3_TRACK,
	ID3_DATE,
	ID3_GENRE,
	ID3_COMMENT,
};
#define ID3_FIELDS (ID3_COMMENT + 1)

/* Bytes; what is longer is cut between two characters. */
#define ID3_TEXT_MAX 1024
#define ID3_COMMENT_MAX 8192
/* A larger picture is left out. */
#define ID3_PICTURE_MAX (4 << 20)
/* All of a tag but its picture. */
#define ID3_HEAD_MAX (16 * 1024)

/* What goes into a tag; all borrowed, all of it as hostile as its file. */
struct id3_content {
	const char *text[ID3_FIELDS]; /* NULL = none */
	const uint8_t *picture;       /* one that id3_takes_picture */
	size_t picture_len;           /* 0 = none */
};

/* Whether these bytes start as a JPEG's or a PNG's do, and are not too many. */
bool id3_takes_picture(const uint8_t *picture, size_t len);
/* Writes the tag up to its picture's bytes, which are to follow and end it; returns the length. */
size_t id3_write(const struct id3_content *content, uint8_t to[ID3_HEAD_MAX]);

#endif
