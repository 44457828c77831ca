/* Files where the encoder wants blobs: for `converter convert`. A path "-" is standard input, or
 * standard output. Threads: one. */
#ifndef TONEARM_CONVERTER_FILE_BLOB_H
#define TONEARM_CONVERTER_FILE_BLOB_H

#include "port/blob_store.h"

bool file_is_standard(const char *path);
/* INVALID when path is no regular file, NOT_FOUND, DENIED. Standard input may be a pipe: all of it
 * is read first, into a spool. */
int file_blob_open(const char *path, struct blob_reader **ret, struct err *e);
/* Whether a result may become path; nothing is touched. CONFLICT: it is the file that in reads, by
 * whatever name or link, or no regular file, or it exists and replace is false. INVALID: standard
 * output is a terminal. in NULL = not open yet. */
int file_blob_check(const char *path, struct blob_reader *in, bool replace, struct err *e);
/* Writes beside path, which appears when the writer commits; CONFLICT of that when replace is false
 * and somebody else has made path meanwhile. What goes to standard output is kept in a spool until
 * then, since its front is written last. */
int file_blob_create(const char *path, bool replace, struct blob_writer **ret, struct err *e);

#endif
