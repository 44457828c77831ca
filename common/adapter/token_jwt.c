#include "adapter/token_jwt.h"

#include <limits.h>
#include <string.h>

#include <jwt.h>

#include "wire/claims_json.h"

#define TOKEN_MAX 8192
#define SECRETS_MAX 9
#define CLOCK_SKEW_S 60

struct token_jwt {
	struct token_service port;
	/* set once */
	const struct clock *clock;
	struct secret secrets[SECRETS_MAX]; /* the first one signs */
	size_t count;
};

SCOPE_DEFINE(jwt_t, jwt_free)

static struct token_jwt *
jwt_of(struct token_service *t)
{
	return CONTAINER_OF(t, struct token_jwt, port);
}

static int64_t
jwt_now_s(const struct token_jwt *self)
{
	return clock_unix_ms(self->clock) / 1000;
}

static const unsigned char *
jwt_key_of(const struct secret *s)
{
	return (const unsigned char *)s->bytes;
}

static int
jwt_sign(struct token_service *t, const struct claims *claims, struct str *ret, struct err *e)
{
	struct token_jwt *self = jwt_of(t);
	const struct secret *key = &self->secrets[0];
	SCOPED(jwt_free_p) jwt_t *jwt = NULL;
	SCOPED_FREE char *text = NULL;

	if (jwt_new(&jwt) != 0)
		return err_set(e, ERR_NO_MEMORY, "token");
	if (jwt_add_grant(jwt, "username", claims->username) != 0 ||
	    jwt_add_grant_int(jwt, "exp", claims->exp) != 0 ||
	    jwt_add_grant_int(jwt, "iat", claims->iat) != 0 ||
	    jwt_add_grant_bool(jwt, "admin", claims->admin) != 0)
		return err_set(e, ERR_INVALID, "token: a claim cannot be written");
	if (jwt_set_alg(jwt, JWT_ALG_HS256, jwt_key_of(key), (int)key->len) != 0 ||
	    !(text = jwt_encode_str(jwt)))
		return err_set(e, ERR_INTERNAL, "token: signing failed");
	str_puts(ret, text);
	return str_error(ret, e);
}

/* Three non-empty parts of base64url without padding, which is stricter than libjwt's decoder. */
static bool
jwt_is_compact(const char *token)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const char *at = token;
	int part;

	if (strnlen(token, TOKEN_MAX + 1) > TOKEN_MAX)
		return false;
	for (part = 0; part < 3; part++) {
		size_t n = strspn(at, alphabet);

		if (n == 0 || at[n] != (part < 2 ? '.' : '\0'))
			return false;
		at += n + 1;
	}
	return true;
}

/* The header is read without a key first, so that no other algorithm ever sees the secret. */
static int
jwt_check_header(const char *token, struct err *e)
{
	SCOPED(jwt_free_p) jwt_t *jwt = NULL;
	SCOPED_FREE char *crit = NULL;
	const char *alg;

	if (jwt_decode(&jwt, token, NULL, 0) != 0)
		return err_set(e, ERR_DENIED, "token: not a JWT");
	/* jwt_get_alg says NONE of a token read without a key. */
	alg = jwt_get_header(jwt, "alg");
	if (!alg || strcmp(alg, "HS256") != 0)
		return err_set(e, ERR_DENIED, "token: algorithm is not HS256");
	crit = jwt_get_headers_json(jwt, "crit");
	if (crit)
		return err_set(e, ERR_DENIED, "token: critical extensions");
	return 0;
}

static int
jwt_check_signature(const struct token_jwt *self, const char *token, jwt_t **ret, struct err *e)
{
	size_t i;

	for (i = 0; i < self->count; i++) {
		const struct secret *key = &self->secrets[i];
		jwt_t *jwt = NULL;

		if (jwt_decode(&jwt, token, jwt_key_of(key), (int)key->len) == 0) {
			*ret = jwt;
			return 0;
		}
	}
	return err_set(e, ERR_DENIED, "token: bad signature");
}

static int
jwt_check_times(const struct token_jwt *self, jwt_t *jwt, const struct claims *claims,
		struct err *e)
{
	SCOPED_FREE char *nbf = jwt_get_grants_json(jwt, "nbf");
	int64_t now = jwt_now_s(self);
	long long start = 0;

	if (claims->exp <= now)
		return err_set(e, ERR_DENIED, "token: expired");
	if (claims->iat > now + CLOCK_SKEW_S)
		return err_set(e, ERR_DENIED, "token: issued in the future");
	/* Read as text: libjwt gives 0 for what is no number. */
	if (nbf && (parse_int(nbf, LLONG_MIN, LLONG_MAX, &start, NULL) < 0 || start > now))
		return err_set(e, ERR_DENIED, "token: not valid yet");
	return 0;
}

/* From the token itself: what libjwt parsed may lack bytes that it had no memory for. */
static int
jwt_read_claims(jwt_t *jwt, const char *token, struct claims *ret, struct err *e)
{
	SCOPED_FREE char *audience = jwt_get_grants_json(jwt, "aud");
	int r;

	if (audience)
		return err_set(e, ERR_DENIED, "token: meant for another audience");
	if ((r = token_claims_read(token, ret, e)) < 0)
		return err_prefix(e, r == ERR_NO_MEMORY ? r : ERR_DENIED, "token");
	return 0;
}

static int
jwt_verify(struct token_service *t, const char *token, struct claims *ret, struct err *e)
{
	struct token_jwt *self = jwt_of(t);
	SCOPED(jwt_free_p) jwt_t *jwt = NULL;
	struct claims claims = { 0 };
	int r;

	if (!jwt_is_compact(token))
		return err_set(e, ERR_DENIED, "token: not three parts of base64url");
	if ((r = token_check_depth(token, e)) < 0)
		return r;
	if ((r = jwt_check_header(token, e)) < 0 ||
	    (r = jwt_check_signature(self, token, &jwt, e)) < 0 ||
	    (r = jwt_read_claims(jwt, token, &claims, e)) < 0 ||
	    (r = jwt_check_times(self, jwt, &claims, e)) < 0)
		return r;
	*ret = claims;
	return 0;
}

static void
jwt_close(struct token_service *t)
{
	struct token_jwt *self = jwt_of(t);

	memory_wipe(self->secrets, sizeof self->secrets);
	free(self);
}

static const struct token_service_ops jwt_ops = {
	.sign = jwt_sign,
	.verify = jwt_verify,
	.close = jwt_close,
};

static int
jwt_add_secret(struct token_jwt *self, const char *bytes, size_t len, struct err *e)
{
	struct secret *to = &self->secrets[self->count];

	if (self->count == SECRETS_MAX)
		return err_set(e, ERR_INVALID, "more than %d accepted secrets", SECRETS_MAX - 1);
	memcpy(to->bytes, bytes, len);
	to->bytes[len] = '\0';
	to->len = len;
	self->count++;
	return 0;
}

static int
jwt_add_accepted(struct token_jwt *self, const struct secret *accept, struct err *e)
{
	const char *at = accept->bytes;

	while (*at != '\0') {
		size_t len = strcspn(at, ",");
		int r = len == 0 ? 0 : jwt_add_secret(self, at, len, e);

		if (r < 0)
			return r;
		at += len;
		at += *at == ',';
	}
	return 0;
}

int
token_jwt_new(const struct secret *sign, const struct secret *accept, const struct clock *clock,
	      struct token_service **ret, struct err *e)
{
	SCOPED(token_service_close_p) struct token_service *made = NULL;
	struct token_jwt *self;
	int r;

	_Static_assert(SECRET_MAX < INT_MAX, "libjwt takes the key's length as an int");
	if (sign->len == 0)
		return err_set(e, ERR_INVALID, "the signing secret is empty");
	self = calloc(1, sizeof *self);
	if (!self)
		return err_set(e, ERR_NO_MEMORY, "token service");
	self->port.ops = &jwt_ops;
	self->clock = clock;
	made = &self->port;
	if ((r = jwt_add_secret(self, sign->bytes, sign->len, e)) < 0 ||
	    (r = jwt_add_accepted(self, accept, e)) < 0)
		return r;
	*ret = TAKE(made);
	return 0;
}
