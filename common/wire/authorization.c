#include "wire/authorization.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/scope.h"
#include "base/secret.h"
#include "base/text/str.h"
#include "wire/base64.h"

#define BLANKS " \t"

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static int
username_normalise(const char *text, size_t len, char ret[USERNAME_MAX + 1], struct err *e)
{
	size_t i;

	for (; len > 0 && is_blank(*text); text++)
		len--;
	while (len > 0 && is_blank(text[len - 1]))
		len--;
	if (len > USERNAME_MAX)
		return err_set(e, ERR_TOO_LARGE, "an address has at most %d bytes", USERNAME_MAX);
	for (i = 0; i < len; i++)
		ret[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] - 'A' + 'a' : text[i]);
	ret[len] = '\0';
	return 0;
}

int
address_normalise(const char *text, char ret[USERNAME_MAX + 1], struct err *e)
{
	return username_normalise(text, strlen(text), ret, e);
}

/* The scheme's length when header is `scheme` and something behind blanks, which *ret_rest then is.
 */
static bool
has_scheme(const char *header, const char *scheme, const char **ret_rest)
{
	size_t len = strlen(scheme);

	if (strncasecmp(header, scheme, len) != 0 || !strchr(BLANKS, header[len]) || !header[len])
		return false;
	*ret_rest = header + len + strspn(header + len, BLANKS);
	return **ret_rest != '\0';
}

static void
wipe_bytes(struct credentials *c)
{
	if (c->password)
		memory_wipe(c->password, c->password_len);
	free(c->password);
	c->password = NULL;
	c->password_len = 0;
}

void
credentials_clear(struct credentials *c)
{
	wipe_bytes(c);
	c->user[0] = '\0';
}

/* bytes becomes c's password in place: the user's name in front of it is moved away. */
static bool
credentials_split(struct credentials *c)
{
	char *colon = memchr(c->password, ':', c->password_len);
	size_t user_len, rest;

	if (colon == NULL || !utf8_valid(c->password, c->password_len))
		return false;
	user_len = (size_t)(colon - c->password);
	rest = c->password_len - user_len - 1;
	if (memchr(c->password, '\0', user_len) ||
	    username_normalise(c->password, user_len, c->user, NULL) < 0)
		c->user[0] = '\0';
	memmove(c->password, colon + 1, rest);
	memory_wipe(c->password + rest, user_len + 1);
	c->password_len = rest;
	return true;
}

enum credentials_kind
credentials_read(const char *header, struct credentials *ret)
{
	SCOPED(credentials_clear) struct credentials c = { { 0 }, NULL, 0 };
	const char *text;
	size_t len;
	long got;

	if (header && has_scheme(header, "digest", &text))
		return CREDENTIALS_REFUSED;
	if (header == NULL || !has_scheme(header, "basic", &text))
		return CREDENTIALS_MISSING;
	len = strlen(text);
	while (len > 0 && strchr(BLANKS, text[len - 1]))
		len--;
	if (len > CREDENTIALS_PASSWORD_MAX)
		return CREDENTIALS_MISSING;
	if ((c.password = calloc(1, len + 1)) == NULL)
		return CREDENTIALS_NO_MEMORY;
	got = base64_decode(text, len, c.password);
	if (got < 0)
		return CREDENTIALS_MISSING;
	c.password_len = (size_t)got;
	if (!credentials_split(&c))
		return CREDENTIALS_MISSING;
	*ret = c;
	c.password = NULL;
	return CREDENTIALS_GIVEN;
}

enum bearer_kind
bearer_read(const char *header, const char **ret_token)
{
	static const char scheme[] = "bearer ";
	const char *token;

	if (header == NULL || strncasecmp(header, scheme, sizeof scheme - 1) != 0)
		return BEARER_MISSING;
	token = header + sizeof scheme - 1;
	if (*token == ' ')
		return BEARER_EMPTY;
	if (*token == '\0' || strpbrk(token, BLANKS) != NULL)
		return BEARER_MISSING;
	*ret_token = token;
	return BEARER_GIVEN;
}
