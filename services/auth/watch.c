#include "auth/watch.h"

#include <pthread.h>

#include "base/log/log.h"

struct watch {
	/* set once */
	struct watch_config config;
	struct stop stop;
	pthread_t thread;
	/* under lock */
	pthread_mutex_t lock;
	bool migrated;
	bool failing;
};

static int
watch_migrate(struct watch *w, struct err *e)
{
	int applied = 0, r;

	if (w->migrated || !w->config.migrate)
		return 0;
	if ((r = w->config.migrate(w->config.users, &applied, e)) < 0)
		return r;
	w->migrated = true;
	if (applied > 0)
		log_info(LOG_EVENT("schema_migrated"), LOG_INT("applied", applied));
	return 0;
}

/* Failures before the first success are the dependency's to report: what is lost here is
 * freshness. */
static int
watch_round(struct watch *w, struct err *e)
{
	bool loaded = restrictions_loaded(w->config.restrictions);
	int r;

	if ((r = watch_migrate(w, e)) == 0)
		r = restrictions_refresh(w->config.restrictions, w->config.users, e);
	if (r < 0 && loaded && !w->failing)
		log_warn(LOG_EVENT("restrictions_not_refreshed"), LOG_ERR(e));
	w->failing = r < 0;
	return r;
}

static void *
watch_thread(void *arg)
{
	struct watch *w = arg;
	struct err e = ERR_NONE;
	int r;

	do {
		(void)pthread_mutex_lock(&w->lock);
		r = watch_round(w, &e);
		(void)pthread_mutex_unlock(&w->lock);
	} while (!stop_wait(&w->stop, r == 0 ? w->config.interval_ms : w->config.retry_ms));
	return NULL;
}

int
watch_ping(void *watch, struct err *e)
{
	struct watch *w = watch;
	int r = 0;

	(void)pthread_mutex_lock(&w->lock);
	if (!restrictions_loaded(w->config.restrictions))
		r = watch_round(w, e);
	(void)pthread_mutex_unlock(&w->lock);
	return r < 0 ? r : user_store_ping(w->config.users, e);
}

int
watch_start(const struct watch_config *config, struct watch **ret, struct err *e)
{
	SCOPED_FREE struct watch *w = calloc(1, sizeof *w);
	int r;

	if (!w)
		return err_set(e, ERR_NO_MEMORY, "watch");
	w->config = *config;
	if ((r = stop_init(&w->stop, e)) < 0)
		return r;
	(void)pthread_mutex_init(&w->lock, NULL);
	if ((r = pthread_create(&w->thread, NULL, watch_thread, w)) != 0) {
		(void)pthread_mutex_destroy(&w->lock);
		stop_fini(&w->stop);
		return err_errno(e, ERR_NO_MEMORY, r, "thread");
	}
	*ret = TAKE(w);
	return 0;
}

void
watch_stop(struct watch *w)
{
	if (!w)
		return;
	stop_request(&w->stop);
	(void)pthread_join(w->thread, NULL);
	(void)pthread_mutex_destroy(&w->lock);
	stop_fini(&w->stop);
	free(w);
}
