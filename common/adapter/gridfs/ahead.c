#include "adapter/gridfs/ahead.h"

#include <pthread.h>
#include <stdlib.h>

#define STACK_BYTES ((size_t)256 * 1024)

struct ahead {
	pthread_cond_t changed; /* set once */
	pthread_mutex_t lock;
	/* under lock */
	struct ahead_task *task; /* that waits or runs */
	pthread_t thread;
	bool started, stopping;
};

static void *
work(void *arg)
{
	struct ahead *a = arg;

	(void)pthread_mutex_lock(&a->lock);
	while (!a->stopping) {
		struct ahead_task *t = a->task;

		if (t == NULL) {
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
start_thread(struct ahead *a)
{
	pthread_attr_t attr;

	if (pthread_attr_init(&attr) != 0)
		return;
	(void)pthread_attr_setstacksize(&attr, STACK_BYTES);
	a->started = pthread_create(&a->thread, &attr, work, a) == 0;
	(void)pthread_attr_destroy(&attr);
}

bool
ahead_put(struct ahead *a, struct ahead_task *t)
{
	bool taken;

	(void)pthread_mutex_lock(&a->lock);
	if (!a->started)
		start_thread(a);
	taken = a->started && a->task == NULL;
	if (taken) {
		t->state = AHEAD_WAITING;
		a->task = t;
		(void)pthread_cond_broadcast(&a->changed);
	}
	(void)pthread_mutex_unlock(&a->lock);
	return taken;
}

bool
ahead_claim(struct ahead *a, struct ahead_task *t)
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
ahead_new(struct ahead **ret, struct err *e)
{
	struct ahead *a = calloc(1, sizeof *a);

	if (a == NULL)
		return err_set(e, ERR_NO_MEMORY, "read-ahead");
	(void)pthread_mutex_init(&a->lock, NULL);
	(void)pthread_cond_init(&a->changed, NULL);
	*ret = a;
	return 0;
}

void
ahead_free(struct ahead *a)
{
	if (a == NULL)
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
