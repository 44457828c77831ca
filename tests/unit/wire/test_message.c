#include "model/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/scope.h"

#define DESTINATION "video"

static const struct message_header headers[] = { { "kind", "song" }, { "empty", "" } };
static const struct message whole = { DESTINATION, "65f0", headers, 2, "a\0b", 3 };

static void
a_copy_owns_everything_in_one_block(void **state)
{
	SCOPED_FREE char *block = NULL;
	struct message copy;

	(void)state;
	assert_int_equal(message_copy(&whole, &copy, &block, NULL), 0);
	assert_ptr_equal(copy.body, block);
	assert_int_equal(copy.len, 3);
	assert_memory_equal(copy.body, "a\0b", 4);
	assert_string_equal(copy.destination, DESTINATION);
	assert_ptr_not_equal(copy.destination, whole.destination);
	assert_string_equal(copy.key, "65f0");
	assert_int_equal(copy.header_count, 2);
	assert_string_equal(message_header(&copy, "kind"), "song");
	assert_string_equal(message_header(&copy, "empty"), "");
	assert_null(message_header(&copy, "other"));
}

static void
a_copy_without_a_body_has_room_for_it(void **state)
{
	SCOPED_FREE char *block = NULL;
	struct message copy;

	(void)state;
	assert_int_equal(
		message_copy(&(struct message){ .destination = "", .len = 5 }, &copy, &block, NULL),
		0);
	memcpy(block, "hello", 5);
	assert_string_equal(copy.body, "hello");
	assert_null(copy.key);
	assert_int_equal(copy.header_count, 0);
}

/* Text of len bytes. */
static const char *
text_of(size_t len)
{
	static char text[2048];

	assert_true(len < sizeof text);
	memset(text, 't', len);
	text[len] = '\0';
	return text;
}

static int
check_header(const char *name, const char *value)
{
	const struct message_header h = { name, value };

	return message_check(&(struct message){ DESTINATION, NULL, &h, 1, "", 0 }, NULL);
}

static void
bounds_hold_to_the_byte(void **state)
{
	struct message_header nine[MESSAGE_HEADERS_MAX + 1];
	struct message m = whole;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(nine); i++)
		nine[i] = headers[0];
	assert_int_equal(message_check(&m, NULL), 0);
	m.headers = nine;
	m.header_count = MESSAGE_HEADERS_MAX;
	assert_int_equal(message_check(&m, NULL), 0);
	m.header_count++;
	assert_int_equal(message_check(&m, NULL), ERR_TOO_LARGE);
	m = whole;
	m.len = MESSAGE_BODY_MAX;
	assert_int_equal(message_check(&m, NULL), 0);
	m.len++;
	assert_int_equal(message_check(&m, NULL), ERR_TOO_LARGE);
	m = whole;
	m.key = text_of(MESSAGE_KEY_MAX);
	assert_int_equal(message_check(&m, NULL), 0);
	m.key = text_of(MESSAGE_KEY_MAX + 1);
	assert_int_equal(message_check(&m, NULL), ERR_TOO_LARGE);
	m = whole;
	m.destination = text_of(MESSAGE_DESTINATION_MAX);
	assert_int_equal(message_check(&m, NULL), 0);
	m.destination = text_of(MESSAGE_DESTINATION_MAX + 1);
	assert_int_equal(message_check(&m, NULL), ERR_TOO_LARGE);
	assert_int_equal(check_header(text_of(MESSAGE_HEADER_NAME_MAX), ""), 0);
	assert_int_equal(check_header(text_of(MESSAGE_HEADER_NAME_MAX + 1), ""), ERR_TOO_LARGE);
	assert_int_equal(check_header("a", text_of(MESSAGE_HEADER_VALUE_MAX)), 0);
	assert_int_equal(check_header("a", text_of(MESSAGE_HEADER_VALUE_MAX + 1)), ERR_TOO_LARGE);
}

static void
a_destination_is_needed_and_some_names_are_not_free(void **state)
{
	(void)state;
	assert_int_equal(message_check(&(struct message){ .body = "" }, NULL), ERR_INVALID);
	assert_int_equal(message_check(&(struct message){ .destination = "" }, NULL), ERR_INVALID);
	assert_int_equal(check_header("", "v"), ERR_INVALID);
	assert_int_equal(check_header("x-reason", "v"), ERR_INVALID);
	assert_int_equal(check_header("x", "v"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_owns_everything_in_one_block),
		cmocka_unit_test(a_copy_without_a_body_has_room_for_it),
		cmocka_unit_test(bounds_hold_to_the_byte),
		cmocka_unit_test(a_destination_is_needed_and_some_names_are_not_free),
	};

	return cmocka_run_group_tests_name("messages", tests, NULL, NULL);
}
