/* The typed table of keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config/config.h"
#include "base/scope.h"

struct sample {
	char text[8];
	int64_t integer, bytes, duration;
	bool flag;
	int choice;
	struct secret secret;
	char needed[32];
	char even[16], left[16], right[16];
	int64_t one_port, other_port;
};

static int
has_even_length(const char *text, struct err *e)
{
	return strlen(text) % 2 == 0 ? 0 : err_set(e, ERR_INVALID, "is odd");
}

static const struct config_key keys[] = {
	CONFIG_KEY_TEXT(struct sample, text, "TEXT", "seven", "a text"),
	CONFIG_KEY_NUMBER(CONFIG_INTEGER, struct sample, integer, "INTEGER", "5", 1, 10,
			  "an integer"),
	CONFIG_KEY_NUMBER(CONFIG_BYTES, struct sample, bytes, "BYTES", "2KiB", 0, INT64_MAX,
			  "bytes"),
	CONFIG_KEY_NUMBER(CONFIG_DURATION, struct sample, duration, "DURATION", "30", 100, 3600000,
			  "a duration"),
	CONFIG_KEY_FLAG(struct sample, flag, "FLAG", "yes", "a flag"),
	CONFIG_KEY_CHOICE(struct sample, choice, "CHOICE", "json", "text|json", "a choice"),
	CONFIG_KEY_SECRET(struct sample, secret, "SECRET", "", "a secret"),
	CONFIG_END,
};
static const struct config_key more_keys[] = {
	CONFIG_KEY_TEXT(struct sample, needed, "NEEDED", NULL, "must be given"),
	CONFIG_KEY_TEXT_CHECKED(struct sample, even, "EVEN", "", has_even_length, "a checked text"),
	CONFIG_KEY_PORT(struct sample, one_port, "ONE_PORT", "80", 0, "a port"),
	CONFIG_KEY_PORT(struct sample, other_port, "OTHER_PORT", "81", 0, "another"),
	{ .name = "LEFT",
	  .help = "a side",
	  .type = CONFIG_TEXT,
	  .offset = offsetof(struct sample, left),
	  .size = sizeof(((struct sample *)0)->left),
	  .fallback = "a",
	  .apart = "side" },
	{ .name = "RIGHT",
	  .help = "another",
	  .type = CONFIG_TEXT,
	  .offset = offsetof(struct sample, right),
	  .size = sizeof(((struct sample *)0)->right),
	  .fallback = "b",
	  .apart = "side" },
	CONFIG_END,
};
static const struct config_key *const tables[] = { keys, more_keys, NULL };

/* The environment of a test: name, value, name, value, NULL. */
static const char *
lookup(const char *name, void *arg)
{
	const char *const *pair;

	for (pair = arg; *pair; pair += 2)
		if (strcmp(pair[0], name) == 0)
			return pair[1];
	return NULL;
}

#define LOAD(to, e, ...)                                                                           \
	config_load_from(tables, to, lookup, (const char *[]){ __VA_ARGS__, NULL }, NULL, e)

static void
defaults_fill_what_is_unset_or_empty(void **state)
{
	struct sample c = { 0 };

	(void)state;
	assert_int_equal(LOAD(&c, NULL, "NEEDED", "x", "TEXT", "", "TEXT_FILE", ""), 0);
	assert_string_equal(c.text, "seven");
	assert_int_equal(c.integer, 5);
	assert_int_equal(c.bytes, 2048);
	assert_int_equal(c.duration, 30000);
	assert_true(c.flag);
	assert_int_equal(c.choice, 1);
	assert_int_equal(c.secret.len, 0);
	assert_string_equal(c.needed, "x");
}

static void
units_scale_numbers(void **state)
{
	static const struct {
		const char *bytes, *duration;
		int64_t want_bytes, want_ms;
	} rows[] = {
		{ "0", "100ms", 0, 100 },          { "3K", "1s", 3072, 1000 },
		{ "1MiB", "2m", 1048576, 120000 }, { "2G", "1h", INT64_C(2147483648), 3600000 },
		{ "7M", "1", 7340032, 1000 },      { "1GiB", "60", 1073741824, 60000 },
		{ "5Gi", "1", 5368709120, 1000 },  { "5GB", "1", 5368709120, 1000 },
		{ "5gb", "1", 5368709120, 1000 },  { "64k", "1", 65536, 1000 },
		{ "12B", "1", 12, 1000 },          { "2TiB", "1", INT64_C(2199023255552), 1000 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct sample c = { 0 };

		assert_int_equal(LOAD(&c, NULL, "NEEDED", "x", "BYTES", rows[i].bytes, "DURATION",
				      rows[i].duration),
				 0);
		assert_true(c.bytes == rows[i].want_bytes);
		assert_true(c.duration == rows[i].want_ms);
	}
}

static void
bad_values_are_refused_and_change_nothing(void **state)
{
	static const char *const rows[][2] = {
		{ "TEXT", "eight888" },
		{ "TEXT", "a\nb" },
		{ "TEXT", "\xff" },
		{ "INTEGER", "0" },
		{ "INTEGER", "11" },
		{ "INTEGER", "5x" },
		{ "INTEGER", " 5" },
		{ "INTEGER", "1K" },
		{ "BYTES", "-1" },
		{ "BYTES", "1.5K" },
		{ "BYTES", "1PiB" },
		{ "BYTES", "9223372036854775807K" },
		{ "BYTES", "1iB" },
		{ "DURATION", "1M" },
		{ "EVEN", "odd" },
		{ "OTHER_PORT", "80" },
		{ "LEFT", "b" },
		{ "DURATION", "99ms" },
		{ "DURATION", "2h" },
		{ "DURATION", "1 s" },
		{ "DURATION", "d" },
		{ "FLAG", "maybe" },
		{ "FLAG", "TRUEE" },
		{ "CHOICE", "text|json" },
		{ "CHOICE", "tex" },
		{ "NEEDED", "" },
		{ "SECRET_FILE", "/nonexistent/file" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct sample c = { .integer = 77 };
		struct err e = ERR_NONE;

		assert_int_equal(LOAD(&c, &e, rows[i][0], rows[i][1], "NEEDED", "x"), ERR_INVALID);
		assert_int_equal(c.integer, 77);
		assert_int_equal(c.bytes, 0);
		assert_non_null(
			strstr(e.text, strcmp(rows[i][0], "SECRET_FILE") ? rows[i][0] : "SECRET"));
	}
}

static void
letters_of_words_may_be_large_or_small(void **state)
{
	struct sample c = { 0 };

	(void)state;
	assert_int_equal(LOAD(&c, NULL, "NEEDED", "x", "FLAG", "FALSE", "CHOICE", "JSON"), 0);
	assert_false(c.flag);
	assert_int_equal(c.choice, 1);
	assert_int_equal(LOAD(&c, NULL, "NEEDED", "x", "FLAG", "Yes", "CHOICE", "Text"), 0);
	assert_true(c.flag);
	assert_int_equal(c.choice, 0);
}

static void
keys_that_stand_apart_must_differ_unless_they_are_nothing(void **state)
{
	struct sample c = { 0 };

	(void)state;
	assert_int_equal(LOAD(&c, NULL, "NEEDED", "x", "ONE_PORT", "0", "OTHER_PORT", "0"), 0);
	assert_int_equal(LOAD(&c, NULL, "NEEDED", "x", "ONE_PORT", "81", "OTHER_PORT", "80"), 0);
	assert_int_equal(LOAD(&c, NULL, "NEEDED", "x", "LEFT", "80", "RIGHT", "81"), 0);
}

static void
one_error_lists_every_bad_key_without_secrets(void **state)
{
	const char *env[] = {
		"INTEGER",     "99",        "FLAG",       "perhaps", "SECRET",   "hunter2-hunter2",
		"SECRET_FILE", "/dev/null", "CHOICE",     "xml",     "DURATION", "2h",
		"BYTES",       "-3",        "OTHER_PORT", "80",      "EVEN",     "odd",
		"RIGHT_FILE",  "/no/file",  NULL
	};
	char *text = NULL;
	size_t len = 0;
	FILE *report = open_memstream(&text, &len);
	struct sample c = { 0 };
	struct err e = ERR_NONE;

	(void)state;
	assert_non_null(report);
	assert_int_equal(config_load_from(tables, &c, lookup, env, report, &e), ERR_INVALID);
	assert_int_equal(fclose(report), 0);
	assert_string_equal(text, "INTEGER: \"99\" is not in 1 to 10\n"
				  "BYTES: \"-3\" is below 0\n"
				  "DURATION: \"2h\" is not in 100ms to 1h\n"
				  "FLAG: \"perhaps\" is neither true nor false\n"
				  "CHOICE: \"xml\" is none of text, json\n"
				  "SECRET: is set together with SECRET_FILE\n"
				  "NEEDED: is required\n"
				  "EVEN: is odd\n"
				  "RIGHT: RIGHT_FILE: /no/file: No such file or directory\n"
				  "OTHER_PORT: has the value of ONE_PORT too\n");
	assert_non_null(strstr(e.text, "INTEGER"));
	assert_null(strstr(e.text, "hunter2"));
	free(text);
}

static void
write_file(char *path, const char *data, size_t len)
{
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), (ssize_t)len);
	assert_int_equal(close(fd), 0);
}

static int
load_secret_file(const char *data, size_t len, struct sample *c, struct err *e)
{
	char path[] = "/tmp/test_config_XXXXXX";
	int r;

	write_file(path, data, len);
	r = LOAD(c, e, "NEEDED", "x", "SECRET_FILE", path);
	assert_int_equal(unlink(path), 0);
	return r;
}

static void
a_file_gives_the_value_without_one_newline(void **state)
{
	struct sample c = { 0 };

	(void)state;
	assert_int_equal(load_secret_file("two words\n\n", 11, &c, NULL), 0);
	assert_string_equal(c.secret.bytes, "two words\n");
	assert_int_equal(c.secret.len, 10);
	assert_int_equal(load_secret_file("dos\r\n", 5, &c, NULL), 0);
	assert_string_equal(c.secret.bytes, "dos");
	assert_int_equal(load_secret_file("bare", 4, &c, NULL), 0);
	assert_string_equal(c.secret.bytes, "bare");
}

static void
bad_files_are_refused_without_showing_them(void **state)
{
	static char huge[9000];
	struct sample c = { 0 };
	struct err e = ERR_NONE;

	(void)state;
	memset(huge, 'h', sizeof huge);
	assert_int_equal(load_secret_file("a\0b", 3, &c, &e), ERR_INVALID);
	assert_int_equal(load_secret_file("", 0, &c, &e), ERR_INVALID);
	assert_int_equal(load_secret_file("\n", 1, &c, &e), ERR_INVALID);
	assert_int_equal(load_secret_file(huge, 5000, &c, &e), ERR_INVALID);
	assert_null(strstr(e.text, "hhh"));
	assert_int_equal(load_secret_file(huge, sizeof huge, &c, &e), ERR_INVALID);
	assert_null(strstr(e.text, "hhh"));
	assert_int_equal(load_secret_file(huge, 4095, &c, &e), 0);
	assert_int_equal(c.secret.len, 4095);
}

static void
note_stray(void *arg, const char *name, const char *meant)
{
	char *to = arg;
	size_t used = strlen(to);

	(void)snprintf(to + used, 400 - used, "%s=%s ", name, meant);
}

static void
what_is_nearly_a_key_is_told_and_what_is_not_is_not(void **state)
{
	static const char *const environment[] = {
		"INTEGERS=1",  "INTEGRE=1",       "INTGR=1",
		"integer=1",   "DURATON_FILE=x",  "SECRET=good",
		"SECRETT=bad", "TEXT=x",          "NEEDED_FILE=x",
		"ONE_PROT=1",  "HOME=/root",      "LANG=C",
		"INTEGERSX=1", "DURATION_FIEL=x", "FLAGS=",
		"RIHGT=x",     "nonsense",        "=x",
		NULL,
	};
	char told[400] = "";

	(void)state;
	config_each_stray(tables, environment, note_stray, told);
	assert_string_equal(told, "INTEGERS=INTEGER INTEGRE=INTEGER integer=INTEGER "
				  "DURATON_FILE=DURATION_FILE SECRETT=SECRET ONE_PROT=ONE_PORT "
				  "DURATION_FIEL=DURATION_FILE RIHGT=RIGHT ");
}

static char *
help(enum config_help_format format)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	assert_non_null(to);
	config_help(tables, format, to);
	assert_int_equal(fclose(to), 0);
	return text;
}

static void
help_names_type_default_and_meaning(void **state)
{
	SCOPED_FREE char *text = help(CONFIG_HELP_TEXT);
	SCOPED_FREE char *markdown = help(CONFIG_HELP_MARKDOWN);

	(void)state;
	assert_non_null(strstr(text, "  INTEGER  number 1 to 10, else 5\n      an integer\n"));
	assert_non_null(strstr(text, "  DURATION  duration 100ms to 1h, else 30\n"));
	assert_non_null(strstr(text, "  NEEDED  text, required\n      must be given\n"));
	assert_non_null(strstr(text, "  SECRET  secret\n"));
	assert_non_null(strstr(text, "NAME_FILE"));
	assert_non_null(strstr(markdown, "| `INTEGER` | number 1 to 10 | `5` | an integer |\n"));
	assert_non_null(strstr(markdown, "| `CHOICE` | text\\|json | `json` | a choice |\n"));
	assert_non_null(strstr(markdown, "`NAME_FILE`"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_fill_what_is_unset_or_empty),
		cmocka_unit_test(units_scale_numbers),
		cmocka_unit_test(bad_values_are_refused_and_change_nothing),
		cmocka_unit_test(letters_of_words_may_be_large_or_small),
		cmocka_unit_test(keys_that_stand_apart_must_differ_unless_they_are_nothing),
		cmocka_unit_test(what_is_nearly_a_key_is_told_and_what_is_not_is_not),
		cmocka_unit_test(one_error_lists_every_bad_key_without_secrets),
		cmocka_unit_test(a_file_gives_the_value_without_one_newline),
		cmocka_unit_test(bad_files_are_refused_without_showing_them),
		cmocka_unit_test(help_names_type_default_and_meaning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
