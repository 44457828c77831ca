/* Hostile text made legible: what could move a cursor, split a line, hide or change the order of
 * what stands around it is shown as an escape instead. These are control characters (C0, DEL,
 * C1), bytes that are no UTF-8, line separators, marks of direction (bidi) and characters without
 * width. Threads: any. */
#ifndef TONEARM_BASE_TEXT_LEGIBLE_H
#define TONEARM_BASE_TEXT_LEGIBLE_H

#include <stddef.h>
#include <stdio.h>

#include "base/text/str.h"

enum legible_style {
	LEGIBLE_BYTES,  /* \x1b for each byte, a backslash doubled: the bytes can be told from it */
	LEGIBLE_QUOTED, /* \u001b \n \" \\ as in JSON; U+FFFD for what is no UTF-8 */
	LEGIBLE_WORDS,  /* the same, but quotes and backslashes stand as they are */
};

#define LEGIBLE_PIECE_MAX 16

/* One step: what is to be shown of the start of text (left >= 1 bytes) goes to ret, with a NUL;
 * returns the bytes of text that it stands for. *ret_len is its length in bytes; it equals text
 * where nothing was escaped. */
size_t legible_step(const char *text, size_t left, enum legible_style style,
		    char ret[LEGIBLE_PIECE_MAX], size_t *ret_len);
/* Appends all of text as LEGIBLE_BYTES. */
void str_legible(struct str *to, const char *text, size_t len);
/* Writes text as LEGIBLE_BYTES in at most width columns, ending in "..." where it is cut (0 = no
 * limit); returns the columns written. */
int legible_print(FILE *to, const char *text, size_t len, int width);

#endif
