#include "flow/lease.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/wait.h"

/* After a renewal that failed the next one comes sooner: a server may be away for a moment only. */
#define RENEWALS_PER_LEASE 3
#define RETRIES_PER_LEASE 12
#define PROGRESS_INTERVAL_MS 1000

struct lease_keeper {
	struct job_life *jobs; /* set once */
	struct job_lease lease;
	int64_t ms;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	/* under lock */
	bool stopping, lost;
	struct job_progress progress;
	bool told; /* progress that is not recorded yet */
	/* when the next renewal is due, without news of progress or with them */
	int64_t renew_ms, record_ms;
	int64_t safe_until_ms; /* by our clock: reckoned from before the renewal was sent */
};

static bool
keeper_is_lost(struct lease_keeper *k)
{
	if (now_monotonic_ms() >= k->safe_until_ms)
		k->lost = true;
	return k->lost;
}

/* Renews once, with the lock released meanwhile. */
static void
keeper_renew(struct lease_keeper *k)
{
	int64_t sent_ms = now_monotonic_ms();
	struct job_progress progress = k->progress;
	int r;

	k->told = false;
	(void)pthread_mutex_unlock(&k->lock);
	r = job_renew(k->jobs, &k->lease, k->ms, &progress, NULL);
	(void)pthread_mutex_lock(&k->lock);
	if (r == ERR_CONFLICT || r == ERR_NOT_FOUND)
		k->lost = true;
	/* An answer that comes after the end revives nothing: the caller may have seen it lost. */
	if (r == 0 && !keeper_is_lost(k))
		k->safe_until_ms = sent_ms + k->ms;
	k->renew_ms =
		now_monotonic_ms() + k->ms / (r == 0 ? RENEWALS_PER_LEASE : RETRIES_PER_LEASE) + 1;
	k->record_ms = r == 0 ? sent_ms + PROGRESS_INTERVAL_MS : k->renew_ms;
}

static void *
keeper_main(void *arg)
{
	struct lease_keeper *k = arg;
	(void)pthread_mutex_lock(&k->lock);
	while (!k->stopping && !keeper_is_lost(k)) {
		int64_t next_ms =
			k->told && k->record_ms < k->renew_ms ? k->record_ms : k->renew_ms;

		if (now_monotonic_ms() < next_ms)
			(void)cond_wait_until(&k->wake, &k->lock, next_ms);
		else
			keeper_renew(k);
	}
	(void)pthread_mutex_unlock(&k->lock);
	return NULL;
}

static void
keeper_free(struct lease_keeper *k)
{
	(void)pthread_cond_destroy(&k->wake);
	(void)pthread_mutex_destroy(&k->lock);
	free(k);
}

int
lease_keeper_start(struct job_life *jobs, const struct job_lease *lease, int64_t ms,
		   struct lease_keeper **ret, struct err *e)
{
	struct lease_keeper *k;
	int failure;

	if (ms <= 0)
		return err_set(e, ERR_INVALID, "a lease of no length");
	if (!(k = calloc(1, sizeof *k)))
		return err_set(e, ERR_NO_MEMORY, "lease");
	k->jobs = jobs;
	k->lease = *lease;
	k->ms = ms;
	k->safe_until_ms = now_monotonic_ms() + ms;
	k->renew_ms = now_monotonic_ms() + ms / RENEWALS_PER_LEASE;
	k->record_ms = now_monotonic_ms() + PROGRESS_INTERVAL_MS;
	(void)pthread_mutex_init(&k->lock, NULL);
	cond_init(&k->wake);
	if ((failure = pthread_create(&k->thread, NULL, keeper_main, k)) != 0) {
		keeper_free(k);
		return err_errno(e, ERR_UNAVAILABLE, failure, "lease thread");
	}
	*ret = k;
	return 0;
}

void
lease_keeper_progress(struct lease_keeper *k, const struct job_progress *progress)
{
	(void)pthread_mutex_lock(&k->lock);
	k->progress = *progress;
	if (!k->told)
		(void)pthread_cond_signal(&k->wake);
	k->told = true;
	(void)pthread_mutex_unlock(&k->lock);
}

bool
lease_keeper_lost(struct lease_keeper *k)
{
	bool lost;

	(void)pthread_mutex_lock(&k->lock);
	lost = keeper_is_lost(k);
	(void)pthread_mutex_unlock(&k->lock);
	return lost;
}

void
lease_keeper_stop(struct lease_keeper *k)
{
	if (!k)
		return;
	(void)pthread_mutex_lock(&k->lock);
	k->stopping = true;
	(void)pthread_cond_signal(&k->wake);
	(void)pthread_mutex_unlock(&k->lock);
	(void)pthread_join(k->thread, NULL);
	keeper_free(k);
}
