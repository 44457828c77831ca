#include "adapter/password_sodium.h"

#include <errno.h>
#include <string.h>

#include <sodium.h>

#include "base/random.h"

#define ARGON2ID_PREFIX "$argon2id$"

_Static_assert(crypto_pwhash_STRBYTES <= PASSWORD_MAX + 1, "an encoded hash fits the column");

struct password_sodium {
	struct password_hasher port;
	unsigned long long iterations;
	size_t memory;
	struct password_encoded nobody; /* the hash of a random text: no password matches it */
};

static struct password_sodium *
sodium_of(struct password_hasher *p)
{
	return CONTAINER_OF(p, struct password_sodium, port);
}

static int
sodium_hash(struct password_hasher *p, const char *text, size_t len, struct password_encoded *ret,
	    struct err *e)
{
	struct password_sodium *self = sodium_of(p);
	struct password_encoded encoded = { { 0 } };

	if (crypto_pwhash_str_alg(encoded.text, text, len, self->iterations, self->memory,
				  crypto_pwhash_ALG_ARGON2ID13) != 0)
		return err_set(e, ERR_NO_MEMORY, "argon2id: no memory for a hash");
	*ret = encoded;
	return 0;
}

static int
sodium_verify(struct password_hasher *p, const char *encoded, const char *text, size_t len,
	      struct err *e)
{
	char whole[crypto_pwhash_STRBYTES] = { 0 };
	size_t encoded_len = strlen(encoded);

	(void)p;
	if (encoded_len >= sizeof whole ||
	    strncmp(encoded, ARGON2ID_PREFIX, sizeof ARGON2ID_PREFIX - 1) != 0 ||
	    crypto_pwhash_str_needs_rehash(encoded, 1, crypto_pwhash_MEMLIMIT_MIN) < 0)
		return err_set(e, ERR_CORRUPT, "the stored password is no argon2id hash");
	memcpy(whole, encoded, encoded_len);
	errno = 0;
	if (crypto_pwhash_str_verify(whole, text, len) == 0)
		return 0;
	/* A mismatch sets EINVAL; an allocation that failed is no verdict on the password. */
	if (errno != EINVAL)
		return err_set(e, ERR_NO_MEMORY, "argon2id: no memory for a hash");
	return err_set(e, ERR_DENIED, "wrong password");
}

static int
sodium_burn(struct password_hasher *p, const char *text, size_t len, struct err *e)
{
	int r = sodium_verify(p, sodium_of(p)->nobody.text, text, len, e);

	return r == ERR_DENIED ? 0 : r;
}

static bool
sodium_is_current(struct password_hasher *p, const char *encoded)
{
	struct password_sodium *self = sodium_of(p);

	return strncmp(encoded, ARGON2ID_PREFIX, sizeof ARGON2ID_PREFIX - 1) == 0 &&
	       crypto_pwhash_str_needs_rehash(encoded, self->iterations, self->memory) == 0;
}

static void
sodium_close(struct password_hasher *p)
{
	free(sodium_of(p));
}

static const struct password_hasher_ops sodium_ops = {
	.hash = sodium_hash,
	.verify = sodium_verify,
	.burn = sodium_burn,
	.is_current = sodium_is_current,
	.close = sodium_close,
};

/* libsodium draws its salts from where all our random numbers come from. */
static const char *
sodium_random_name(void)
{
	return "tonearm";
}

static uint32_t
sodium_random_number(void)
{
	uint32_t number;

	random_bytes(&number, sizeof number);
	return number;
}

static struct randombytes_implementation sodium_random = {
	.implementation_name = sodium_random_name,
	.random = sodium_random_number,
	.buf = random_bytes,
};

int
password_sodium_new(const struct password_sodium_config *config, struct password_hasher **ret,
		    struct err *e)
{
	SCOPED_FREE struct password_sodium *self = NULL;
	char random[32];
	int r;

	if (config->memory_bytes < PASSWORD_MEMORY_MIN ||
	    config->memory_bytes > PASSWORD_MEMORY_MAX || config->iterations < 1 ||
	    config->iterations > PASSWORD_ITERATIONS_MAX)
		return err_set(e, ERR_INVALID, "argon2id: memory or iterations out of range");
	if (randombytes_set_implementation(&sodium_random) != 0 || sodium_init() < 0)
		return err_set(e, ERR_INTERNAL, "libsodium did not start");
	self = calloc(1, sizeof *self);
	if (!self)
		return err_set(e, ERR_NO_MEMORY, "password hasher");
	self->port.ops = &sodium_ops;
	self->iterations = (unsigned long long)config->iterations;
	self->memory = (size_t)config->memory_bytes;
	random_bytes(random, sizeof random);
	if ((r = sodium_hash(&self->port, random, sizeof random, &self->nobody, e)) < 0)
		return r;
	*ret = &TAKE(self)->port;
	return 0;
}
