/* Which URLs of BLOBS, LEDGER and QUEUE are taken, and what is said of the others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backend/backend.h"

struct keys {
	struct backend_config backend;
	char video_queue[256], mp3_queue[256];
};

static const struct config_key keys[] = {
	BACKEND_BLOB_KEYS(struct keys, backend),
	BACKEND_LEDGER_KEYS(struct keys, backend),
	BACKEND_QUEUE_KEYS(struct keys, backend),
	BACKEND_QUEUE_NAME_KEY(struct keys, video_queue, "VIDEO_QUEUE", "video", "a queue"),
	BACKEND_QUEUE_NAME_KEY(struct keys, mp3_queue, "MP3_QUEUE", "mp3", "another"),
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

/* What is said of an environment of one variable; "" = it is taken. */
static const char *
said_of(const char *name, const char *value)
{
	static struct keys config;
	static struct err e;
	const char *pairs[] = { name, value, NULL };
	int r;

	e = ERR_NONE;
	r = config_load_from(tables, &config, from_pairs, pairs, NULL, &e);
	assert_int_equal(r, e.code);
	return e.text;
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
good_urls_are_taken(void **state)
{
	static const char *const good[][2] = {
		{ "BLOBS", "gridfs:" },
		{ "BLOBS", "dir:/srv/blobs" },
		{ "BLOBS", "dir:/" },
		{ "LEDGER", "mongodb:" },
		{ "QUEUE", "amqp:" },
		{ "", "" },
		{ "AMQP_URL", "amqp://host" },
		{ "AMQP_URL", "amqp://a:b@host:5671/%2f" },
		{ "MONGODB_URI", "mongodb://a:b@one:1,two:2/?replicaSet=x" },
		{ "MP3_QUEUE", "video2" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_string_equal(said_of(good[i][0], good[i][1]), "");
}

static void
others_are_refused_with_the_key_and_the_choices(void **state)
{
	static const char amqp_form[] = "configuration: AMQP_URL: is not of the form "
					"amqp://user:password@host:port/vhost";
	static const char *const bad[][3] = {
		{ "BLOBS", "s4://bucket",
		  "configuration: BLOBS: \"s4://bucket\" is not gridfs: or dir:/path" },
		{ "BLOBS", "gridfs",
		  "configuration: BLOBS: \"gridfs\" is not gridfs: or dir:/path" },
		{ "BLOBS", "/srv/blobs",
		  "configuration: BLOBS: \"/srv/blobs\" is not gridfs: or dir:/path" },
		{ "BLOBS", "DIR:/srv",
		  "configuration: BLOBS: \"DIR:/srv\" is not gridfs: or dir:/path" },
		{ "BLOBS", "dir:", "configuration: BLOBS: \"\" is no absolute path" },
		{ "BLOBS", "dir:srv", "configuration: BLOBS: \"srv\" is no absolute path" },
		{ "BLOBS", "gridfs:/srv",
		  "configuration: BLOBS: nothing may stand behind the colon: \"/srv\"" },
		{ "LEDGER", "dir:/srv", "configuration: LEDGER: \"dir:/srv\" is not mongodb:" },
		{ "LEDGER", "mongodb://host",
		  "configuration: LEDGER: nothing may stand behind the colon: \"//host\"" },
		{ "QUEUE", "gridfs:", "configuration: QUEUE: \"gridfs:\" is not amqp:" },
		{ "QUEUE", "amqp://host",
		  "configuration: QUEUE: nothing may stand behind the colon: \"//host\"" },
		{ "AMQP_URL", "http://bar", amqp_form },
		{ "AMQP_URL", "foo", amqp_form },
		{ "AMQP_URL", "amqp://host:5672x/", amqp_form },
		{ "AMQP_URL", "amqps://host",
		  "configuration: AMQP_URL: amqps is not supported, use amqp" },
		{ "MONGODB_URI", "foo",
		  "configuration: MONGODB_URI: is not a MongoDB connection string" },
		{ "MP3_QUEUE", "video",
		  "configuration: MP3_QUEUE: has the value of VIDEO_QUEUE too" },
		{ "MP3_QUEUE", "amq.x",
		  "configuration: MP3_QUEUE: \"amq.x\": names with amq. are the broker's own" },
		{ "MP3_QUEUE", "video.dead",
		  "configuration: MP3_QUEUE: \"video.dead\": names that end with .dead are of dead "
		  "letters" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_string_equal(said_of(bad[i][0], bad[i][1]), bad[i][2]);
}

/* Room for ".dead" behind it. */
static void
a_queues_name_has_250_bytes_at_most(void **state)
{
	char name[252];

	(void)state;
	memset(name, 'q', sizeof name);
	name[250] = '\0';
	assert_string_equal(said_of("MP3_QUEUE", name), "");
	name[250] = 'q';
	name[251] = '\0';
	assert_string_equal(said_of("MP3_QUEUE", name),
			    "configuration: MP3_QUEUE: is longer than 250 bytes");
}

/* A secret may stand in it: it is never said. */
static void
a_server_that_cannot_be_read_is_refused_without_its_words(void **state)
{
	(void)state;
	assert_non_null(strstr(said_of("MONGODB_URI", "mongo://user:hush@host"), "MONGODB_URI"));
	assert_null(strstr(said_of("MONGODB_URI", "mongo://user:hush@host"), "hush"));
	assert_non_null(strstr(said_of("AMQP_URL", "amqp://user:hush@:x"), "AMQP_URL"));
	assert_null(strstr(said_of("AMQP_URL", "amqp://user:hush@:x"), "hush"));
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
		cmocka_unit_test(good_urls_are_taken),
		cmocka_unit_test(others_are_refused_with_the_key_and_the_choices),
		cmocka_unit_test(a_queues_name_has_250_bytes_at_most),
		cmocka_unit_test(a_server_that_cannot_be_read_is_refused_without_its_words),
		cmocka_unit_test(help_names_the_choices),
		cmocka_unit_test(stores_of_one_backend_are_of_the_url_that_was_chosen),
		cmocka_unit_test(more_stores_than_there_is_room_for_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
