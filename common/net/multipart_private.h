/* Between the parser of a multipart body and the parser of its header lines. */
#ifndef TONEARM_NET_MULTIPART_PRIVATE_H
#define TONEARM_NET_MULTIPART_PRIVATE_H

#include <stddef.h>

#include "net/multipart.h"

/* One "; name=value" of a header's value. Values longer than their array are cut, and cut says
 * so. */
struct multipart_param {
	char name[32];
	char value[MULTIPART_NAME_MAX + 1];
	bool cut;
};
enum multipart_param_result { MULTIPART_PARAM_END = 1 };

/* Reads the parameter at *at and moves *at behind it. 0, MULTIPART_PARAM_END, or INVALID. */
int multipart_param_next(const char **at, struct multipart_param *ret, struct err *e);
/* The word before the first ';' of a header's value, compared without case; *ret_rest is what
 * follows. */
bool multipart_value_is(const char *value, const char *word, const char **ret_rest);
/* Reads a whole head: lines that end in CRLF, an empty one last. Writes NULs into it. */
int multipart_head_read(char *head, size_t len, struct multipart_part *ret, struct err *e);

#endif
