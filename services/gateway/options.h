/* What an upload asks for beside its file: options of model/media_spec.h, in the query or as fields of
 * the form, before the file or behind it. The last word counts; other names mean nothing to us.
 * Bounded: a value of MEDIA_OPTION_VALUE_MAX bytes. Threads: one. */
#ifndef TONEARM_GATEWAY_OPTIONS_H
#define TONEARM_GATEWAY_OPTIONS_H

#include "model/media_spec.h"
#include "net/http_server.h"

struct upload_options {
	struct media_spec spec; /* what is asked for so far */
	bool in_field;          /* the present part of the form is an option */
	enum media_option option;
	char value[MEDIA_OPTION_VALUE_MAX + 2]; /* of the field, so far: one byte tells too long */
	size_t len;
};

/* Each INVALID with words for the client where a value is none of the option's. */
int upload_options_query(struct upload_options *o, const struct http_request *req, struct err *e);
/* A field of the form: begin with its name, its bytes in pieces of any size, and its end. */
void upload_options_begin(struct upload_options *o, const char *name);
void upload_options_data(struct upload_options *o, const char *data, size_t len);
int upload_options_end(struct upload_options *o, struct err *e);

#endif
