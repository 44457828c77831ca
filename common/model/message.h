/* A message, as any broker carries it: where it goes, what it belongs to, and its bytes.
 *
 * destination  AMQP: the queue, by the default exchange; Kafka: the topic; SQS: the queue.
 * key          what must stay together and in order, where the broker can do that (Kafka's key, SQS's
 *              group); it travels with the message everywhere.
 * headers      text beside the body. Names that begin with "x-" are the broker's own and ours for
 *              the dead queue.
 *
 * Ownership    a struct message borrows everything; message_copy makes one that owns a block.
 * Errors       TOO_LARGE over a bound; INVALID without a destination or with a name that is not
 *              free; NO_MEMORY. */
#ifndef TONEARM_MODEL_MESSAGE_H
#define TONEARM_MODEL_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Bytes, without the NUL. */
#define MESSAGE_DESTINATION_MAX 255
#define MESSAGE_KEY_MAX 255
#define MESSAGE_HEADERS_MAX 8
#define MESSAGE_HEADER_NAME_MAX 63
#define MESSAGE_HEADER_VALUE_MAX 511
#define MESSAGE_BODY_MAX (1024 * 1024)

struct message_header {
	const char *name, *value; /* text, never NULL */
};

struct message {
	const char *destination;
	const char *key; /* NULL = none */
	const struct message_header *headers;
	size_t header_count;
	const char *body; /* any bytes, JSON in every message of today */
	size_t len;       /* of the body */
};

/* 0 when it may be published. */
int message_check(const struct message *m, struct err *e);
/* Whether a header's name is the publisher's to choose. */
bool message_name_is_free(const char *name);
/* The value of the header of this name; NULL when there is none. */
const char *message_header(const struct message *m, const char *name);
/* Bytes of everything in it, as message_copy lays it out. */
size_t message_size(const struct message *m);
/* Copies everything into one block, which begins with the body and a NUL behind it: free(*ret_block)
 * frees all of *ret. m->body NULL: room for len bytes is made, for the caller to write. */
int message_copy(const struct message *m, struct message *ret, char **ret_block, struct err *e);

#endif
