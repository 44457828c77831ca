#include "flow/relay.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/wait.h"

#define INTERVAL_MS 1000

struct relay {
	struct relay_config config; /* set once */
	pthread_t thread;
	atomic_bool stopping;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool poked;     /* under lock */
	int last_round; /* owned by the thread */
};

static int
relay_round_until(const struct relay_config *c, const atomic_bool *stopping, int *ret_sent,
		  struct err *e)
{
	struct err one = ERR_NONE;
	int64_t freed = 0;
	int first = job_free_expired(c->outbox->jobs, &freed, e);
	int r = outbox_send_due(c->outbox, c->publisher, stopping, ret_sent, &one);

	if (r < 0 && first == 0)
		first = err_set(e, r, "%s", one.text);
	return first;
}

int
relay_round(const struct relay_config *config, int *ret_sent, struct err *e)
{
	return relay_round_until(config, NULL, ret_sent, e);
}

void
relay_announce(const struct relay_announcer *a, const struct job *job, enum job_publication due)
{
	if (outbox_send(a->outbox, a->publisher, job, due, a->patience_ms, NULL) < 0 && a->relay)
		relay_poke(a->relay);
}

static void
relay_wait_for_poke(struct relay *r)
{
	int64_t until = now_monotonic_ms() + r->config.interval_ms;

	pthread_mutex_lock(&r->lock);
	while (!r->poked && !atomic_load(&r->stopping))
		if (!cond_wait_until(&r->wake, &r->lock, until))
			break;
	r->poked = false;
	pthread_mutex_unlock(&r->lock);
}

static void *
relay_main(void *arg)
{
	struct relay *r = arg;

	while (!atomic_load(&r->stopping)) {
		struct err e = ERR_NONE;
		int sent = 0;
		int result = relay_round_until(&r->config, &r->stopping, &sent, &e);

		if (result != r->last_round && r->config.on_change)
			r->config.on_change(r->config.on_change_arg, &e);
		r->last_round = result;
		/* A full batch: there is more. */
		if (result < 0 || sent < OUTBOX_BATCH)
			relay_wait_for_poke(r);
	}
	return NULL;
}

static void
relay_free(struct relay *r)
{
	pthread_cond_destroy(&r->wake);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

int
relay_start(const struct relay_config *config, struct relay **ret, struct err *e)
{
	struct relay *r = calloc(1, sizeof *r);
	int failure;

	if (!r)
		return err_set(e, ERR_NO_MEMORY, "relay");
	r->config = *config;
	if (r->config.interval_ms <= 0)
		r->config.interval_ms = INTERVAL_MS;
	pthread_mutex_init(&r->lock, NULL);
	cond_init(&r->wake);
	if ((failure = pthread_create(&r->thread, NULL, relay_main, r)) != 0) {
		relay_free(r);
		return err_errno(e, ERR_UNAVAILABLE, failure, "relay thread");
	}
	*ret = r;
	return 0;
}

void
relay_poke(struct relay *r)
{
	pthread_mutex_lock(&r->lock);
	r->poked = true;
	pthread_cond_signal(&r->wake);
	pthread_mutex_unlock(&r->lock);
}

void
relay_stop(struct relay *r)
{
	if (!r)
		return;
	atomic_store(&r->stopping, true);
	relay_poke(r);
	pthread_join(r->thread, NULL);
	relay_free(r);
}
