/* auth as the gateway sees it, in memory: knows one user, believes tokens it was told of. */
#ifndef TONEARM_FAKE_IDENTITY_FAKE_H
#define TONEARM_FAKE_IDENTITY_FAKE_H

#include "port/identity.h"

/* authorization: the header that logs in ("Basic ..."); token: what it gets. Both copied. */
int identity_fake_new(const char *authorization, const char *token, struct identity **ret,
		      struct err *e);
/* `Bearer <token>` is from now on answered with these claims. At most 16 tokens. */
void identity_fake_believe(struct identity *i, const char *token, const struct claims *claims);
/* Every call from now on answers this code; 0 ends it. */
void identity_fake_fail(struct identity *i, int code);
/* Every login and validate from now on gets this verdict and these words; IDENTITY_GRANTED ends
 * it. */
void identity_fake_refuse(struct identity *i, enum identity_verdict verdict, const char *words,
			  int retry_after_s);
/* The client's address of the last login, "" = none. */
void identity_fake_last_client(struct identity *i, char ret[64]);
int identity_fake_validations(struct identity *i);

#endif
