/* Fuzz target: tokens. First byte even: the rest is the token. Odd: the rest is header and payload,
 * parted by a newline, which are signed with the right secret, so that what stands behind the
 * signature is reached. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "adapter/token_jwt.h"

#define NOW 1800000000
#define SECRET "0123456789abcdef0123456789abcdef"
#define TOKEN_SIZE 16384
#define VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int64_t
fixed_now(const struct clock *c)
{
	(void)c;
	return INT64_C(1000) * NOW;
}

static const struct clock fixed_clock = { fixed_now, fixed_now };

static size_t
encode(char *to, const uint8_t *bytes, size_t len)
{
	sodium_bin2base64(to, sodium_base64_encoded_len(len, VARIANT), bytes, len, VARIANT);
	return strlen(to);
}

static void
sign(char token[TOKEN_SIZE], const uint8_t *data, size_t size)
{
	const uint8_t *newline = size ? memchr(data, '\n', size) : NULL;
	size_t head = newline ? (size_t)(newline - data) : size, n;
	crypto_auth_hmacsha256_state state;
	uint8_t code[crypto_auth_hmacsha256_BYTES];

	n = encode(token, data, head);
	token[n++] = '.';
	n += encode(token + n, newline ? newline + 1 : data, newline ? size - head - 1 : 0);
	crypto_auth_hmacsha256_init(&state, (const uint8_t *)SECRET, sizeof SECRET - 1);
	crypto_auth_hmacsha256_update(&state, (const uint8_t *)token, n);
	crypto_auth_hmacsha256_final(&state, code);
	token[n++] = '.';
	(void)encode(token + n, code, sizeof code);
}

static struct token_service *
service(void)
{
	static struct token_service *tokens;
	struct secret secret = { .len = sizeof SECRET - 1, .bytes = SECRET }, none = { .len = 0 };

	if (tokens == NULL &&
	    (sodium_init() < 0 || token_jwt_new(&secret, &none, &fixed_clock, &tokens, NULL) < 0))
		abort();
	return tokens;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char token[TOKEN_SIZE];
	struct token_service *tokens = service();
	struct claims claims;
	int r;

	if (size < 1 || size > TOKEN_SIZE / 2)
		return 0;
	if (data[0] % 2 == 1) {
		sign(token, data + 1, size - 1);
	} else {
		memcpy(token, data + 1, size - 1);
		token[size - 1] = '\0';
	}
	r = token_verify(tokens, token, &claims, NULL);
	if (r == 0 && (data[0] % 2 == 0 || claims.exp <= NOW || claims.iat > NOW + 60 ||
		       claims.username[0] == '\0'))
		abort();
	return 0;
}
