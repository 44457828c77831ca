#include "auth/watch.h"

#include <pthread.h>

#include "base/log.h"

struct watch {
	/* set once */
	struct watch_config config;
	struct stop stop;
	pthread_t thread;
	/* owned by the thread */
	bool migrated;
	bool failing;
};

static int
migrate_once(struct watch *w, struct err *e)
{
	int applied = 0, r;

	if (w->migrated || w->config.migrate == NULL)
		return 0;
	if ((r = w->config.migrate(w->config.users, &applied, e)) < 0)
		return r;
	w->migrated = true;
	if (applied > 0)
		log_info(LOG_EVENT("schema_migrated"), LOG_INT("applied", applied));
	return 0;
}

/* The first round's failures are the dependency's to report; here only a loss of what was there. */
static int
round_once(struct watch *w)
{
	struct err e = ERR_NONE;
	int r;

	if ((r = migrate_once(w, &e)) == 0)
		r = restrictions_refresh(w->config.restrictions, w->config.users, &e);
	if (r < 0 && !w->failing)
		log_warn(LOG_EVENT("restrictions_not_refreshed"), LOG_ERR(&e));
	w->failing = r < 0;
	return r;
}

static void *
watch_thread(void *arg)
{
	struct watch *w = arg;
	int64_t wait_ms;

	do {
		wait_ms = round_once(w) == 0 ? w->config.interval_ms : w->config.retry_ms;
	} while (!stop_wait(&w->stop, wait_ms));
	return NULL;
}

int
watch_ping(void *watch, struct err *e)
{
	struct watch *w = watch;
	int r = user_store_ping(w->config.users, e);

	if (r == 0 && !restrictions_loaded(w->config.restrictions))
		return err_set(e, ERR_UNAVAILABLE, "the users' restrictions are not loaded yet");
	return r;
}

int
watch_start(const struct watch_config *config, struct watch **ret, struct err *e)
{
	SCOPED_FREE struct watch *w = calloc(1, sizeof *w);
	int r;

	if (w == NULL)
		return err_set(e, ERR_NO_MEMORY, "watch");
	w->config = *config;
	if ((r = stop_init(&w->stop, e)) < 0)
		return r;
	if ((r = pthread_create(&w->thread, NULL, watch_thread, w)) != 0) {
		stop_fini(&w->stop);
		return err_errno(e, ERR_NO_MEMORY, r, "thread");
	}
	*ret = TAKE(w);
	return 0;
}

void
watch_stop(struct watch *w)
{
	if (w == NULL)
		return;
	stop_request(&w->stop);
	pthread_join(w->thread, NULL);
	stop_fini(&w->stop);
	free(w);
}
