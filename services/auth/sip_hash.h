/* SipHash-2-4: a short keyed hash, so that nobody outside can choose where an entry of a table
 * falls. */
#ifndef TONEARM_AUTH_SIP_HASH_H
#define TONEARM_AUTH_SIP_HASH_H

#include <stddef.h>
#include <stdint.h>

struct sip_key {
	uint64_t k0, k1;
};
uint64_t sip_hash(const struct sip_key *key, const void *data, size_t len);

#endif
