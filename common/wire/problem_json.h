/* application/problem+json (RFC 9457): the error body of endpoints that MsgQ does not have. */
#ifndef TONEARM_WIRE_PROBLEM_JSON_H
#define TONEARM_WIRE_PROBLEM_JSON_H

#include "base/err.h"
#include "base/text/str.h"

int problem_write(int status, const char *code, const char *title, const char *detail,
		  struct str *ret, struct err *e);

#endif
