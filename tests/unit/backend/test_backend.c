/* Which URLs of BLOBS, LEDGER and QUEUE are taken, and what is said of the others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <unistd.h>

#include "backend/backend.h"

#define ALL (BACKEND_BLOBS | BACKEND_LEDGER | BACKEND_QUEUE)

struct keys {
	struct backend_config backend;
};

static const struct config_key keys[] = {
	BACKEND_BLOB_KEYS(struct keys, backend),
	BACKEND_LEDGER_KEYS(struct keys, backend),
	BACKEND_QUEUE_KEYS(struct keys, backend),
	CONFIG_END,
};
static const struct config_key *const tables[] = { keys, NULL };

static const char *
from_pairs(const char *name, void *pairs)
{
	for (const char *const *at = pairs; *at; at += 2)
		if (strcmp(*at, name) == 0)
			return at[1];
	return NULL;
}

/* The configuration that an environment of one variable gives. */
static struct backend_config *
configured(const char *name, const char *value)
{
	static struct keys config;
	const char *pairs[] = { name, value, NULL };
	struct err e = ERR_NONE;

	if (config_load_from(tables, &config, from_pairs, pairs, NULL, &e) < 0)
		fail_msg("%s", e.text);
	return &config.backend;
}

static void
the_defaults_are_taken(void **state)
{
	(void)state;
	assert_int_equal(backend_check(configured("", ""), ALL, NULL), 0);
}

static void
good_urls_are_taken(void **state)
{
	static const char *const good[][2] = {
		{ "BLOBS", "gridfs:" },   { "BLOBS", "dir:/srv/blobs" }, { "BLOBS", "dir:/" },
		{ "LEDGER", "mongodb:" }, { "QUEUE", "amqp:" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_int_equal(backend_check(configured(good[i][0], good[i][1]), ALL, NULL), 0);
}

static void
others_are_refused_with_the_key_and_the_choices(void **state)
{
	static const char *const bad[][3] = {
		{ "BLOBS", "s4://bucket", "BLOBS: \"s4://bucket\" is not gridfs: or dir:/path" },
		{ "BLOBS", "gridfs", "BLOBS: \"gridfs\" is not gridfs: or dir:/path" },
		{ "BLOBS", "/srv/blobs", "BLOBS: \"/srv/blobs\" is not gridfs: or dir:/path" },
		{ "BLOBS", "DIR:/srv", "BLOBS: \"DIR:/srv\" is not gridfs: or dir:/path" },
		{ "BLOBS", "dir:", "BLOBS: \"\" is no absolute path" },
		{ "BLOBS", "dir:srv", "BLOBS: \"srv\" is no absolute path" },
		{ "BLOBS", "gridfs:/srv", "BLOBS: nothing may stand behind the colon: \"/srv\"" },
		{ "LEDGER", "dir:/srv", "LEDGER: \"dir:/srv\" is not mongodb:" },
		{ "LEDGER", "mongodb://host",
		  "LEDGER: nothing may stand behind the colon: \"//host\"" },
		{ "QUEUE", "gridfs:", "QUEUE: \"gridfs:\" is not amqp:" },
		{ "QUEUE", "amqp://host", "QUEUE: nothing may stand behind the colon: \"//host\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err e = ERR_NONE;

		assert_int_equal(backend_check(configured(bad[i][0], bad[i][1]), ALL, &e),
				 ERR_INVALID);
		assert_string_equal(e.text, bad[i][2]);
	}
}

static void
a_role_that_a_daemon_has_not_is_not_looked_at(void **state)
{
	struct err e = ERR_NONE;

	(void)state;
	assert_int_equal(backend_check(configured("BLOBS", "nonsense"), BACKEND_LEDGER, &e), 0);
	assert_int_equal(backend_check(configured("BLOBS", "nonsense"), BACKEND_BLOBS, &e),
			 ERR_INVALID);
}

/* A secret may stand in it: it is never said. */
static void
a_server_that_cannot_be_read_is_refused_without_its_words(void **state)
{
	struct err e = ERR_NONE;

	(void)state;
	assert_int_equal(
		backend_check(configured("MONGODB_URI", "mongo://user:hush@host"), ALL, &e),
		ERR_INVALID);
	assert_null(strstr(e.text, "hush"));
	/* blobs in a folder and no ledger: nobody asks for it */
	assert_int_equal(backend_check(configured("MONGODB_URI", "mongo://user:hush@host"),
				       BACKEND_QUEUE, &e),
			 0);
}

/* What --help says of the choices is what is taken. */
static void
help_names_the_choices(void **state)
{
	char text[4096] = "";
	FILE *to = tmpfile();

	(void)state;
	assert_non_null(to);
	config_help(tables, CONFIG_HELP_TEXT, to);
	rewind(to);
	assert_true(fread(text, 1, sizeof text - 1, to) > 0);
	assert_non_null(strstr(text, "gridfs: (by MONGODB_URI) or dir:/path"));
	assert_non_null(strstr(text, "mongodb: (by MONGODB_URI)"));
	assert_non_null(strstr(text, "amqp: (by AMQP_URL)"));
	fclose(to);
}

static void
stores_of_one_backend_are_of_the_url_that_was_chosen(void **state)
{
	char path[] = "/tmp/tonearm-test-backend-XXXXXX", url[64], made[64];
	const struct backend_limits limits = { 2, 1000 };
	SCOPED(backend_close_p) struct backend *b = NULL;
	struct blob_store *videos = NULL, *mp3s = NULL;
	struct err e = ERR_NONE;

	(void)state;
	assert_non_null(mkdtemp(path));
	(void)snprintf(url, sizeof url, "dir:%s", path);
	assert_int_equal(backend_new(configured("BLOBS", url), &limits, &b, &e), 0);
	assert_int_equal(backend_blobs(b, "videos", &videos, &e), 0);
	assert_int_equal(backend_blobs(b, "mp3s", &mp3s, &e), 0);
	assert_int_equal(blob_store_ping(videos, &e), 0);
	assert_int_equal(blob_store_ping(mp3s, &e), 0);
	(void)snprintf(made, sizeof made, "%s/videos", path);
	assert_int_equal(rmdir(made), 0);
	(void)snprintf(made, sizeof made, "%s/mp3s", path);
	assert_int_equal(rmdir(made), 0);
	assert_int_equal(rmdir(path), 0);
}

static void
more_stores_than_there_is_room_for_are_refused(void **state)
{
	const struct backend_limits limits = { 2, 1000 };
	SCOPED(backend_close_p) struct backend *b = NULL;
	struct blob_store *store;

	(void)state;
	assert_int_equal(backend_new(configured("BLOBS", "dir:/nonexistent"), &limits, &b, NULL),
			 0);
	for (int i = 0; i < BACKEND_STORES; i++)
		assert_int_equal(backend_blobs(b, "videos", &store, NULL), 0);
	assert_int_equal(backend_blobs(b, "videos", &store, NULL), ERR_INTERNAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_defaults_are_taken),
		cmocka_unit_test(good_urls_are_taken),
		cmocka_unit_test(others_are_refused_with_the_key_and_the_choices),
		cmocka_unit_test(a_role_that_a_daemon_has_not_is_not_looked_at),
		cmocka_unit_test(a_server_that_cannot_be_read_is_refused_without_its_words),
		cmocka_unit_test(help_names_the_choices),
		cmocka_unit_test(stores_of_one_backend_are_of_the_url_that_was_chosen),
		cmocka_unit_test(more_stores_than_there_is_room_for_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
