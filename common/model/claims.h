/* What a token says of its bearer. A value. */
#ifndef TONEARM_MODEL_CLAIMS_H
#define TONEARM_MODEL_CLAIMS_H

#include <stdint.h>
#include <stdbool.h>

#include "model/job.h"

struct claims {
	char username[USERNAME_MAX + 1];
	int64_t exp, iat; /* seconds since 1970 */
	bool admin;       /* JSON true and nothing else */
};

#define CLAIMS_LIFETIME_S 86400

#endif
