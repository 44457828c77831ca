#include "adapter/gridfs/ahead.h"

#include <pthread.h>
#include <stdlib.h>

#define STACK_BYTES ((size_t)256 * 1024)

struct gridfs_ahead {
	pthread_cond_t changed; /* set once */
	pthread_mutex_t lock;
	/* under lock */
	struct gridfs_task *task; /* that waits or runs */
	pthread_t thread;
	bool started, stopping;
};

static void *
ahead_work(void *arg)
{
	struct gridfs_ahead *a = arg;

	(void)pthread_mutex_lock(&a->lock);
	while (!a->stopping) {
		struct gridfs_task *t = a->task;

		if (!t) {
			(void)pthread_cond_wait(&a->changed, &a->lock);
			continue;
		}
		t->state = AHEAD_RUNNING;
		(void)pthread_mutex_unlock(&a->lock);
		t->run(t);
		(void)pthread_mutex_lock(&a->lock);
		t->state = AHEAD_DONE;
		a->task = NULL;
		(void)pthread_cond_broadcast(&a->changed);
	}
	(void)pthread_mutex_unlock(&a->lock);
	return NULL;
}

/* With the lock held. */
static void
ahead_start_thread(struct gridfs_ahead *a)
{
	pthread_attr_t attr;

	if (pthread_attr_init(&attr) != 0)
		return;
	(void)pthread_attr_setstacksize(&attr, STACK_BYTES);
	a->started = pthread_create(&a->thread, &attr, ahead_work, a) == 0;
	(void)pthread_attr_destroy(&attr);
}

bool
gridfs_ahead_put(struct gridfs_ahead *a, struct gridfs_task *t)
{
	bool taken;

	(void)pthread_mutex_lock(&a->lock);
	if (!a->started)
		ahead_start_thread(a);
	taken = a->started && !a->task;
	if (taken) {
		t->state = AHEAD_WAITING;
		a->task = t;
		(void)pthread_cond_broadcast(&a->changed);
	}
	(void)pthread_mutex_unlock(&a->lock);
	return taken;
}

bool
gridfs_ahead_claim(struct gridfs_ahead *a, struct gridfs_task *t)
{
	bool done;

	(void)pthread_mutex_lock(&a->lock);
	if (t->state == AHEAD_WAITING)
		a->task = NULL;
	while (t->state == AHEAD_RUNNING)
		(void)pthread_cond_wait(&a->changed, &a->lock);
	done = t->state == AHEAD_DONE;
	t->state = AHEAD_IDLE;
	(void)pthread_mutex_unlock(&a->lock);
	return done;
}

int
gridfs_ahead_new(struct gridfs_ahead **ret, struct err *e)
{
	struct gridfs_ahead *a = calloc(1, sizeof *a);

	if (!a)
		return err_set(e, ERR_NO_MEMORY, "read-ahead");
	(void)pthread_mutex_init(&a->lock, NULL);
	(void)pthread_cond_init(&a->changed, NULL);
	*ret = a;
	return 0;
}

void
gridfs_ahead_free(struct gridfs_ahead *a)
{
	if (!a)
		return;
	(void)pthread_mutex_lock(&a->lock);
	a->stopping = true;
	(void)pthread_cond_broadcast(&a->changed);
	(void)pthread_mutex_unlock(&a->lock);
	if (a->started)
		(void)pthread_join(a->thread, NULL);
	(void)pthread_cond_destroy(&a->changed);
	(void)pthread_mutex_destroy(&a->lock);
	free(a);
}
