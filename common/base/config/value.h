/* Values of configuration keys: text -> member. Private to base/config. */
#ifndef TONEARM_BASE_CONFIG_VALUE_H
#define TONEARM_BASE_CONFIG_VALUE_H

#include "base/config/config.h"
#include "base/err.h"

/* Reads text as key's type and range; member NULL only checks, and asks the key's own check too.
 * INVALID with words that may quote the value, but never a secret's. */
int config_value_read(const struct config_key *key, const char *text, void *member, struct err *e);
/* A bound as an operator would write it: 3600000 ms is "1h". */
#define CONFIG_BOUND_MAX 32
void config_value_bound(enum config_type type, int64_t n, char to[CONFIG_BOUND_MAX]);

#endif
