/* Passwords as argon2id by libsodium. See port/password.h for the contract. */
#ifndef TONEARM_ADAPTER_PASSWORD_SODIUM_H
#define TONEARM_ADAPTER_PASSWORD_SODIUM_H

#include <stdint.h>

#include "port/password.h"

struct password_sodium_config {
	int64_t memory_bytes; /* OWASP: 19 MiB */
	int64_t iterations;   /* OWASP: 2 */
};
/* Runs one hash, for password_burn to compare with. INVALID when a parameter is out of range. */
int password_sodium_new(const struct password_sodium_config *config, struct password_hasher **ret,
			struct err *e);

#endif
