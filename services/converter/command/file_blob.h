/* Files where the encoder wants blobs: for `converter convert`. Threads: one. */
#ifndef TONEARM_CONVERTER_FILE_BLOB_H
#define TONEARM_CONVERTER_FILE_BLOB_H

#include "port/blob_store.h"

/* INVALID when path is no regular file, NOT_FOUND, DENIED. */
int file_blob_open(const char *path, struct blob_reader **ret, struct err *e);
/* Writes beside path; path appears, or is replaced, when the writer commits. */
int file_blob_create(const char *path, struct blob_writer **ret, struct err *e);

#endif
