/* Fuzz target: the value of an Authorization header. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/authorization.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_credentials(const char *header)
{
	struct credentials c = { { 0 }, NULL, 0 };
	enum credentials_kind kind = credentials_read(header, &c);
	char again[USERNAME_MAX + 1];

	if (kind != CREDENTIALS_GIVEN && (c.password != NULL || c.password_len != 0))
		abort();
	/* The form in which addresses are compared is its own normal form. */
	if (kind == CREDENTIALS_GIVEN &&
	    (c.password == NULL || c.password_len > strlen(header) ||
	     address_normalise(c.user, again, NULL) < 0 || strcmp(c.user, again) != 0))
		abort();
	credentials_clear(&c);
}

static void
check_bearer(const char *header)
{
	const char *token = NULL;
	enum bearer_kind kind = bearer_read(header, &token);

	if ((kind == BEARER_GIVEN) != (token != NULL))
		abort();
	if (token && (token <= header || *token == '\0' || strpbrk(token, " \t") != NULL ||
		      token + strlen(token) != header + strlen(header)))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char address[USERNAME_MAX + 1], *header = malloc(size + 1);

	if (header == NULL)
		return 0;
	memcpy(header, data, size);
	header[size] = '\0';
	check_credentials(header);
	check_bearer(header);
	(void)address_normalise(header, address, NULL);
	free(header);
	return 0;
}
