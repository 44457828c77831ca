/* The id of a stored blob: a MongoDB ObjectId as 24 lower-case hex digits. A value: copy freely. */
#ifndef TONEARM_MODEL_BLOB_ID_H
#define TONEARM_MODEL_BLOB_ID_H

#include <stdbool.h>

#define BLOB_ID_DIGITS 24

struct blob_id {
	char hex[BLOB_ID_DIGITS + 1]; /* "" = none */
};

/* Reads 24 hex digits of either case and lower-cases them; -1 when text is anything else. */
int blob_id_parse(const char *text, struct blob_id *ret);
/* A fresh id, as an ObjectId is made: 4 bytes of time, 5 random per process, 3 counting. */
struct blob_id blob_id_new(void);
bool blob_id_is_none(const struct blob_id *id);
bool blob_id_equal(const struct blob_id *a, const struct blob_id *b);

#endif
