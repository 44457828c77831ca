/* argon2id by libsodium, with small parameters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "adapter/password_sodium.h"

static struct password_hasher *
hasher(int64_t memory, int64_t iterations)
{
	struct password_hasher *p = NULL;

	assert_int_equal(password_sodium_new(&(struct password_sodium_config){ memory, iterations },
					     &p, NULL),
			 0);
	return p;
}

static void
a_hash_verifies_its_password_and_no_other(void **state)
{
	SCOPED(password_hasher_close_p) struct password_hasher *p = hasher(65536, 1);
	struct password_encoded hash, again;

	(void)state;
	assert_int_equal(password_hash(p, "Admin123", 8, &hash, NULL), 0);
	assert_memory_equal(hash.text, "$argon2id$v=19$m=64,t=1,p=1$", 28);
	assert_int_equal(password_verify(p, hash.text, "Admin123", 8, NULL), 0);
	assert_int_equal(password_verify(p, hash.text, "admin123", 8, NULL), ERR_DENIED);
	assert_int_equal(password_verify(p, hash.text, "Admin123", 9, NULL), ERR_DENIED);
	assert_int_equal(password_verify(p, hash.text, "", 0, NULL), ERR_DENIED);
	assert_int_equal(password_hash(p, "Admin123", 8, &again, NULL), 0);
	assert_string_not_equal(hash.text, again.text);
}

static void
a_nul_is_a_byte_like_any_other(void **state)
{
	SCOPED(password_hasher_close_p) struct password_hasher *p = hasher(65536, 1);
	struct password_encoded hash;

	(void)state;
	assert_int_equal(password_hash(p, "a\0b", 3, &hash, NULL), 0);
	assert_int_equal(password_verify(p, hash.text, "a\0b", 3, NULL), 0);
	assert_int_equal(password_verify(p, hash.text, "a\0c", 3, NULL), ERR_DENIED);
	assert_int_equal(password_verify(p, hash.text, "a", 1, NULL), ERR_DENIED);
}

static void
a_text_that_is_no_hash_is_corrupt(void **state)
{
	SCOPED(password_hasher_close_p) struct password_hasher *p = hasher(65536, 1);
	static const char *const texts[] = { "", "Admin123", "$argon2id$", "$argon2id$v=19$m=x",
					     "$argon2i$v=19$m=64,t=3,p=1$c2FsdHNhbHQ$aGFzaA" };
	char big[256];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(texts); i++)
		assert_int_equal(password_verify(p, texts[i], "x", 1, NULL), ERR_CORRUPT);
	memset(big, 'a', sizeof big - 1);
	big[255] = '\0';
	memcpy(big, "$argon2id$", 10);
	assert_int_equal(password_verify(p, big, "x", 1, NULL), ERR_CORRUPT);
}

static void
only_todays_parameters_are_current(void **state)
{
	SCOPED(password_hasher_close_p) struct password_hasher *old = hasher(65536, 1);
	SCOPED(password_hasher_close_p) struct password_hasher *now = hasher(131072, 2);
	struct password_encoded hash;

	(void)state;
	assert_int_equal(password_hash(old, "x", 1, &hash, NULL), 0);
	assert_true(password_is_current(old, hash.text));
	assert_false(password_is_current(now, hash.text));
	assert_false(password_is_current(now, "Admin123"));
	assert_int_equal(password_verify(now, hash.text, "x", 1, NULL), 0);
}

static void
nobody_has_a_password(void **state)
{
	SCOPED(password_hasher_close_p) struct password_hasher *p = hasher(65536, 1);

	(void)state;
	assert_int_equal(password_burn(p, "", 0, NULL), 0);
	assert_int_equal(password_burn(p, "Admin123", 8, NULL), 0);
}

static void
parameters_out_of_range_are_invalid(void **state)
{
	struct password_hasher *untouched = NULL;

	(void)state;
	assert_int_equal(
		password_sodium_new(&(struct password_sodium_config){ 100, 1 }, &untouched, NULL),
		ERR_INVALID);
	assert_int_equal(
		password_sodium_new(&(struct password_sodium_config){ 65536, 0 }, &untouched, NULL),
		ERR_INVALID);
	assert_null(untouched);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hash_verifies_its_password_and_no_other),
		cmocka_unit_test(a_nul_is_a_byte_like_any_other),
		cmocka_unit_test(a_text_that_is_no_hash_is_corrupt),
		cmocka_unit_test(only_todays_parameters_are_current),
		cmocka_unit_test(nobody_has_a_password),
		cmocka_unit_test(parameters_out_of_range_are_invalid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
