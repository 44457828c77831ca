/* Text in lines of a width that every terminal has. Bytes count as columns. Threads: any. */
#ifndef TONEARM_BASE_TEXT_WRAP_H
#define TONEARM_BASE_TEXT_WRAP_H

#include <stddef.h>
#include <stdio.h>

#define WRAP_COLUMNS 100

/* Writes text and a newline. The first line goes on where used columns stand already, each other
 * one begins with indent blanks. A line ends between words, or behind a comma of a word that is
 * longer than a line; a newline in text ends it too. */
void wrap_text(FILE *to, size_t used, size_t indent, const char *text);
/* One word of ours, blanks in it and all: on a line of its own where it does not fit behind used
 * columns. Returns the columns used then. */
size_t wrap_word(FILE *to, size_t used, size_t indent, const char *word);

#endif
