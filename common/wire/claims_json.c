#include "wire/claims_json.h"

#include <jansson.h>

#include "base/scope.h"
#include "wire/base64.h"
#include "wire/json_text.h"

#define CLAIMS_MAX 16384

int
claims_write(const struct claims *claims, struct str *ret, struct err *e)
{
	return json_append(json_pack("{s:b, s:I, s:I, s:o}", "admin", claims->admin, "exp",
				     (json_int_t)claims->exp, "iat", (json_int_t)claims->iat,
				     "username", json_text_new(claims->username)),
			   JSON_COMPACT | JSON_SORT_KEYS, ret, e);
}

static int
read_seconds(const json_t *root, const char *key, int64_t *ret, struct err *e)
{
	const json_t *value = json_object_get(root, key);

	if (!json_is_integer(value))
		return err_set(e, ERR_INVALID, "%s is %s", key, value ? "no integer" : "missing");
	*ret = json_integer_value(value);
	return 0;
}

int
claims_read(const char *bytes, size_t len, struct claims *ret, struct err *e)
{
	SCOPED(json_decref_p) json_t *root = NULL;
	struct claims claims = { 0 };
	int r;

	if ((r = json_object_read(bytes, len, CLAIMS_MAX, &root, e)) < 0 ||
	    (r = read_seconds(root, "exp", &claims.exp, e)) < 0 ||
	    (r = read_seconds(root, "iat", &claims.iat, e)) < 0 ||
	    (r = json_text_read(root, "username", claims.username, sizeof claims.username, e)) < 0)
		return r;
	claims.admin = json_is_true(json_object_get(root, "admin"));
	*ret = claims;
	return 0;
}

int
token_check_depth(const char *token, struct err *e)
{
	SCOPED_FREE char *json = malloc(strlen(token) + 1);
	const char *part = token;

	if (json == NULL)
		return err_set(e, ERR_NO_MEMORY, "token");
	for (int i = 0; i < 2; i++) {
		size_t len = strcspn(part, ".");
		long got = base64_decode(part, len, json);

		if (got < 0 || !json_is_shallow(json, (size_t)got))
			return err_set(e, ERR_DENIED, "token: nested too deeply");
		part += len + (part[len] != '\0');
	}
	return 0;
}

int
token_claims_read(const char *token, struct claims *ret, struct err *e)
{
	const char *payload = strchr(token, '.');
	size_t len = payload ? strcspn(++payload, ".") : 0;
	SCOPED_FREE char *json = malloc(len + 1);
	long got;

	if (json == NULL)
		return err_set(e, ERR_NO_MEMORY, "token");
	got = base64_decode(payload ? payload : "", len, json);
	if (got < 0)
		return err_set(e, ERR_INVALID, "no base64");
	return claims_read(json, (size_t)got, ret, e);
}
