#include "daemon/health.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log/log.h"
#include "base/scope.h"
#include "base/stop.h"

#define PING_INTERVAL_MS 2000
#define FIRST_INTERVAL_MS 200 /* while a server was never reached */
#define FROZEN_MS 5000
/* lines about a server that was never reached: a new reason (a wrong password, after "connecting")
 * is what an operator waits for, but words that change for ever must not fill the log */
#define REASONS_MAX 8

enum state { UNKNOWN, UP, DOWN };

struct dependency {
	/* set once */
	struct health *health;
	const char *name;
	int (*ping)(void *arg, struct err *e);
	void *arg;
	pthread_t thread;
	/* under the health's lock */
	enum state state;
	bool reached;
	int reasons;
	int64_t since_ms;      /* of the state */
	int64_t ping_began_ms; /* 0 = none is under way */
	struct err why;
};

struct health {
	struct dependency dependencies[DEPENDENCIES_MAX];
	size_t count, started;
	struct stop stop;    /* ends the threads */
	struct stop reached; /* set once every dependency was reached */
	struct metric *up;
	pthread_mutex_t lock;
};

int
health_new(struct metrics *m, struct health **ret, struct err *e)
{
	SCOPED_FREE struct health *h = calloc(1, sizeof *h);
	int r;

	if (!h)
		return err_set(e, ERR_NO_MEMORY, "health");
	if ((r = stop_init(&h->stop, e)) < 0)
		return r;
	if ((r = stop_init(&h->reached, e)) < 0) {
		stop_fini(&h->stop);
		return r;
	}
	(void)pthread_mutex_init(&h->lock, NULL);
	h->up = metrics_gauge(m, "tonearm_dependency_up",
			      "Whether a server answers (1) or not (0).",
			      (const char *const[]){ "name", NULL });
	*ret = TAKE(h);
	return 0;
}

int
health_add(struct health *h, const char *name, int (*ping)(void *arg, struct err *e), void *arg,
	   struct err *e)
{
	if (h->count == DEPENDENCIES_MAX)
		return err_set(e, ERR_INVALID, "more than %d dependencies", DEPENDENCIES_MAX);
	/* The admin port may already be describing. */
	(void)pthread_mutex_lock(&h->lock);
	h->dependencies[h->count++] = (struct dependency){
		.health = h, .name = name, .ping = ping, .arg = arg, .since_ms = now_monotonic_ms()
	};
	(void)pthread_mutex_unlock(&h->lock);
	return 0;
}

/* Under the lock, so that lines stand in the order of what happened. */
static void
health_log_change(const struct dependency *d, int64_t now)
{
	int64_t seconds = (now - d->since_ms) / 1000;

	if (d->state == UP)
		log_info(LOG_EVENT("dependency_back"), LOG_STR("name", d->name),
			 LOG_INT("down_s", seconds));
	else
		log_warn(LOG_EVENT(d->reached ? "dependency_lost" : "dependency_missing"),
			 LOG_STR("name", d->name), LOG_ERR(&d->why));
}

static bool
health_all_reached(const struct health *h)
{
	size_t i;

	for (i = 0; i < h->count; i++)
		if (!h->dependencies[i].reached)
			return false;
	return true;
}

/* Under the lock. why NULL = it answered. */
static bool
health_worth_a_line(struct dependency *d, const struct err *why)
{
	if (!why)
		return d->state == DOWN;
	if (d->state != DOWN)
		return true;
	return !d->reached && strcmp(d->why.text, why->text) != 0 && ++d->reasons < REASONS_MAX;
}

/* Under the lock. why NULL = it answered. */
static void
health_change_state(struct dependency *d, const struct err *why)
{
	enum state was = d->state, is = why ? DOWN : UP;
	struct health *h = d->health;
	int64_t now = now_monotonic_ms();
	bool says = health_worth_a_line(d, why);

	d->state = is;
	d->why = why ? *why : ERR_NONE;
	metric_set(h->up, is == UP, &d->name);
	if (says)
		health_log_change(d, now);
	if (is != was)
		d->since_ms = now;
	d->reached = d->reached || is == UP;
	if (health_all_reached(h) && !stop_requested(&h->reached)) {
		log_info(LOG_EVENT("ready"));
		stop_request(&h->reached);
	}
}

static void
health_ping_once(struct dependency *d)
{
	struct health *h = d->health;
	struct err why = ERR_NONE;
	int r;

	(void)pthread_mutex_lock(&h->lock);
	d->ping_began_ms = now_monotonic_ms();
	(void)pthread_mutex_unlock(&h->lock);
	r = d->ping(d->arg, &why);
	if (r < 0 && why.code == 0)
		(void)err_set(&why, r, "no reason given");
	(void)pthread_mutex_lock(&h->lock);
	d->ping_began_ms = 0;
	health_change_state(d, r < 0 ? &why : NULL);
	(void)pthread_mutex_unlock(&h->lock);
}

static void *
health_watch_one(void *arg)
{
	struct dependency *d = arg;
	bool reached;

	do {
		health_ping_once(d);
		(void)pthread_mutex_lock(&d->health->lock);
		reached = d->reached;
		(void)pthread_mutex_unlock(&d->health->lock);
	} while (!stop_wait(&d->health->stop, reached ? PING_INTERVAL_MS : FIRST_INTERVAL_MS));
	return NULL;
}

int
health_start(struct health *h, struct err *e)
{
	if (h->count == 0) {
		log_info(LOG_EVENT("ready"));
		stop_request(&h->reached);
	}
	while (h->started < h->count) {
		struct dependency *d = &h->dependencies[h->started];
		int r = pthread_create(&d->thread, NULL, health_watch_one, d);

		if (r != 0) {
			health_stop(h);
			return err_errno(e, ERR_NO_MEMORY, r, "thread");
		}
		h->started++;
	}
	return 0;
}

void
health_stop(struct health *h)
{
	stop_request(&h->stop);
	while (h->started > 0)
		(void)pthread_join(h->dependencies[--h->started].thread, NULL);
}

void
health_free(struct health *h)
{
	if (!h)
		return;
	health_stop(h);
	stop_fini(&h->stop);
	stop_fini(&h->reached);
	(void)pthread_mutex_destroy(&h->lock);
	free(h);
}

void
health_check_frozen(struct health *h)
{
	int64_t now = now_monotonic_ms();
	struct err why = ERR_NONE;
	size_t i;

	(void)err_set(&why, ERR_TIMEOUT, "no answer");
	(void)pthread_mutex_lock(&h->lock);
	for (i = 0; i < h->count; i++) {
		struct dependency *d = &h->dependencies[i];

		if (d->ping_began_ms != 0 && now - d->ping_began_ms >= FROZEN_MS &&
		    d->state != DOWN)
			health_change_state(d, &why);
	}
	(void)pthread_mutex_unlock(&h->lock);
}

bool
health_reached(const struct health *h)
{
	return stop_requested(&h->reached);
}

int
health_fd(const struct health *h)
{
	return h->reached.fd;
}

/* Words from a server may hold line breaks; a line of ours may not. */
static void
health_flatten(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = ' ';
}

void
health_describe(struct health *h, struct str *ret)
{
	int64_t now = now_monotonic_ms();
	size_t i;

	(void)pthread_mutex_lock(&h->lock);
	for (i = 0; i < h->count; i++) {
		const struct dependency *d = &h->dependencies[i];
		struct err why = d->why;

		health_flatten(why.text);
		if (d->state == UP)
			str_printf(ret, "%s ok\n", d->name);
		else
			str_printf(ret, "%s down %lld s: %s\n", d->name,
				   (long long)(now - d->since_ms) / 1000,
				   d->state == UNKNOWN ? "not reached yet" : why.text);
	}
	(void)pthread_mutex_unlock(&h->lock);
}

void
health_name_missing(struct health *h, struct str *ret)
{
	(void)pthread_mutex_lock(&h->lock);
	for (size_t i = 0; i < h->count; i++)
		if (!h->dependencies[i].reached)
			str_printf(ret, "%s%s", ret->len > 0 ? ", " : "", h->dependencies[i].name);
	(void)pthread_mutex_unlock(&h->lock);
}
