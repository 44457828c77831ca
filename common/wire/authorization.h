/* The value of an Authorization header, read strictly. Threads: any. */
#ifndef TONEARM_WIRE_AUTHORIZATION_H
#define TONEARM_WIRE_AUTHORIZATION_H

#include <stddef.h>

#include "base/err.h"
#include "model/job.h"

#define CREDENTIALS_PASSWORD_MAX 32768 /* longer than any head */

enum credentials_kind {
	CREDENTIALS_MISSING, /* none, another scheme, or not readable */
	CREDENTIALS_REFUSED, /* Digest: understood, never right */
	CREDENTIALS_GIVEN,
	CREDENTIALS_NO_MEMORY, /* nothing is known of them */
};
/* user is trimmed and (ASCII) lower-cased; "" when it is longer than any row's, or holds a NUL.
 * The password is as sent, and may hold NULs. Wipe it with credentials_clear. */
struct credentials {
	char user[USERNAME_MAX + 1];
	char *password; /* owned */
	size_t password_len;
};
/* header may be NULL. ret is set for CREDENTIALS_GIVEN only. */
enum credentials_kind credentials_read(const char *header, struct credentials *ret);
void credentials_clear(struct credentials *c);

enum bearer_kind {
	BEARER_MISSING, /* not `Bearer <one token>` */
	BEARER_EMPTY,   /* two spaces after the scheme: an empty token, which no one signed */
	BEARER_GIVEN,
};
/* *ret_token points into header. */
enum bearer_kind bearer_read(const char *header, const char **ret_token);
/* Trims blanks and lower-cases ASCII: the form in which addresses are compared. TOO_LARGE. */
int address_normalise(const char *text, char ret[USERNAME_MAX + 1], struct err *e);

#endif
