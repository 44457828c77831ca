#include "adapter/mongo/private.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/gate.h"

#define CONNECT_TIMEOUT_MS 1500
#define HEARTBEAT_MS 2000 /* how soon a server that came back is noticed */

struct mongo_pool {
	mongoc_client_pool_t *clients;
	int max;
	int64_t deadline_ms;
	struct gate places;
};

/* When this thread's present call got its client: a client is held by one thread, one at a time. */
static _Thread_local int64_t popped_at_ms;

static pthread_once_t pool_driver_once = PTHREAD_ONCE_INIT;

/* The driver's own log goes nowhere: errors come back as values, and its lines could hold anything.
 */
static void
pool_drop_line(mongoc_log_level_t level, const char *domain, const char *line, void *arg)
{
	(void)level;
	(void)domain;
	(void)line;
	(void)arg;
}

static void
pool_start_driver(void)
{
	mongoc_init();
	mongoc_log_set_handler(pool_drop_line, NULL);
}

static void
pool_default_option(mongoc_uri_t *uri, const char *name, int64_t value)
{
	if (!mongoc_uri_has_option(uri, name))
		(void)mongoc_uri_set_option_as_int32(uri, name, (int32_t)value);
}

/* What the operator's URI says stands. Retries are ours: the driver's own would double a call's
 * time. */
static void
pool_set_defaults(mongoc_uri_t *uri, const struct mongo_pool_config *config)
{
	pool_default_option(uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, config->deadline_ms);
	pool_default_option(uri, MONGOC_URI_SOCKETTIMEOUTMS, config->deadline_ms);
	pool_default_option(uri, MONGOC_URI_CONNECTTIMEOUTMS, CONNECT_TIMEOUT_MS);
	pool_default_option(uri, MONGOC_URI_HEARTBEATFREQUENCYMS, HEARTBEAT_MS);
	(void)mongoc_uri_set_option_as_int32(uri, MONGOC_URI_MAXPOOLSIZE, config->max_clients);
	if (!mongoc_uri_has_option(uri, MONGOC_URI_RETRYWRITES))
		(void)mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYWRITES, false);
	if (!mongoc_uri_has_option(uri, MONGOC_URI_RETRYREADS))
		(void)mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYREADS, false);
	if (!mongoc_uri_has_option(uri, MONGOC_URI_APPNAME))
		(void)mongoc_uri_set_appname(uri, "tonearm");
}

static void
pool_uri_free_p(mongoc_uri_t **uri)
{
	mongoc_uri_destroy(*uri);
}

int
mongo_pool_new(const struct mongo_pool_config *config, struct mongo_pool **ret, struct err *e)
{
	SCOPED(mongo_pool_free_p) struct mongo_pool *p = NULL;
	SCOPED(pool_uri_free_p) mongoc_uri_t *uri = NULL;
	bson_error_t error;

	(void)pthread_once(&pool_driver_once, pool_start_driver);
	/* the driver's words may quote the URI, which may hold a password */
	if (!(uri = mongoc_uri_new_with_error(config->uri, &error)))
		return err_set(e, ERR_INVALID, "is not a MongoDB connection string");
	pool_set_defaults(uri, config);
	if (!(p = calloc(1, sizeof *p)))
		return err_set(e, ERR_NO_MEMORY, "mongo pool");
	p->max = config->max_clients;
	p->deadline_ms = config->deadline_ms;
	gate_init(&p->places, p->max, GATE_LINE_OF_THREADS);
	if (!(p->clients = mongoc_client_pool_new(uri)))
		return err_set(e, ERR_INTERNAL, "mongo pool");
	(void)mongoc_client_pool_set_error_api(p->clients, MONGOC_ERROR_API_VERSION_2);
	*ret = TAKE(p);
	return 0;
}

int
mongo_pool_check(const char *uri, struct err *e)
{
	SCOPED(mongo_pool_free_p) struct mongo_pool *pool = NULL;
	const struct mongo_pool_config config = { uri, 1, 1000 };

	return mongo_pool_new(&config, &pool, e);
}

void
mongo_pool_free(struct mongo_pool *p)
{
	if (!p)
		return;
	if (p->clients)
		mongoc_client_pool_destroy(p->clients);
	gate_fini(&p->places);
	free(p);
}

int
mongo_pool_pop(struct mongo_pool *p, mongoc_client_t **ret, struct err *e)
{
	mongoc_client_t *client;

	switch (gate_enter(&p->places, now_monotonic_ms() + p->deadline_ms)) {
	case GATE_IN:
		break;
	case GATE_TURNED_AWAY:
		return err_set(e, ERR_UNAVAILABLE, "MongoDB answers nobody in time");
	case GATE_FULL:
	case GATE_LATE:
		return err_set(e, ERR_UNAVAILABLE, "all %d MongoDB clients are in use", p->max);
	}
	if (!(client = mongoc_client_pool_try_pop(p->clients))) {
		gate_leave(&p->places);
		return err_set(e, ERR_UNAVAILABLE, "no MongoDB client");
	}
	popped_at_ms = now_monotonic_ms();
	*ret = client;
	return 0;
}

void
mongo_pool_release(struct mongo_pool *p, mongoc_client_t *client)
{
	int64_t held_ms = now_monotonic_ms() - popped_at_ms;

	mongoc_client_pool_push(p->clients, client);
	/* a server that let us down would take the whole deadline of those who wait once more */
	if (held_ms >= p->deadline_ms * 9 / 10)
		gate_turn_away(&p->places);
	gate_leave(&p->places);
}

int64_t
mongo_pool_deadline_ms(const struct mongo_pool *p)
{
	return p->deadline_ms;
}

void
mongo_pool_usage(struct mongo_pool *p, int *ret_used, int *ret_max)
{
	int64_t used;

	gate_usage(&p->places, &used, NULL);
	*ret_used = (int)used;
	*ret_max = p->max;
}

/* Codes of the server's error_codes.yml: shutdowns, elections, lost hosts, a full disk. */
static bool
mongo_is_lost_server(uint32_t code)
{
	static const uint32_t lost[] = { 6,     7,     13,    18,    89,    91,    134,
					 189,   262,   9001,  10107, 11600, 11602, 13388,
					 13435, 13436, 14031, 50915, 402 };

	for (size_t i = 0; i < ARRAY_LEN(lost); i++)
		if (code == lost[i])
			return true;
	return false;
}

/* What the storage engine cannot write has no code of its own, but UnknownError and errno's words.
 */
static bool
mongo_is_full_disk(const bson_error_t *error)
{
	return error->code == 8 && strstr(error->message, "No space left on device");
}

static int
mongo_server_code(const bson_error_t *error)
{
	switch (error->code) {
	case 11000: /* duplicate key */
	case 11001:
		return ERR_CONFLICT;
	case 50: /* max time expired */
	case 64: /* write concern not met in time */
	case 50000:
		return ERR_TIMEOUT;
	default:
		return mongo_is_lost_server(error->code) || mongo_is_full_disk(error)
			       ? ERR_UNAVAILABLE
			       : ERR_INTERNAL;
	}
}

int
mongo_err(struct err *e, const bson_error_t *error, const char *what)
{
	int code;

	switch (error->domain) {
	case MONGOC_ERROR_SERVER_SELECTION:
	case MONGOC_ERROR_CLIENT:
		code = ERR_UNAVAILABLE;
		break;
	case MONGOC_ERROR_STREAM:
		code = strstr(error->message, "time") ? ERR_TIMEOUT : ERR_UNAVAILABLE;
		break;
	case MONGOC_ERROR_WRITE_CONCERN:
		code = ERR_TIMEOUT;
		break;
	default:
		code = mongo_server_code(error);
	}
	return err_set(e, code, "mongodb: %s: %.160s", what, error->message);
}

bool
mongo_is_transient(const bson_error_t *error)
{
	return err_is_transient(mongo_err(NULL, error, ""));
}
