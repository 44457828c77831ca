/* A row of the user table. Its password_hash never leaves auth and is never logged. */
#ifndef TONEARM_MODEL_USER_H
#define TONEARM_MODEL_USER_H

#include <stdint.h>
#include <stdbool.h>

#include "model/job.h"

#define PASSWORD_MAX 255 /* bytes stored; the column's length */

enum password_scheme { PASSWORD_PLAIN, PASSWORD_ARGON2ID };

struct user {
	int64_t id;
	char email[USERNAME_MAX + 1];
	char password[PASSWORD_MAX + 1]; /* plain text or an encoded hash, by scheme */
	enum password_scheme scheme;
	bool admin;
	bool disabled;
	int64_t tokens_valid_after_s; /* seconds since 1970; tokens issued before are refused */
};

#endif
