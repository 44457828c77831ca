#include "auth/hash_gate.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/wait.h"

struct hash_gate {
	/* set once */
	int64_t max_running, max_waiting, wait_ms;
	/* under lock */
	pthread_mutex_t lock;
	pthread_cond_t freed;
	int64_t running, waiting;
};

static int
wait_for_turn(struct hash_gate *g, struct err *e)
{
	int64_t deadline = now_monotonic_ms() + g->wait_ms;
	bool in_time = true;

	if (g->waiting >= g->max_waiting)
		return err_set(e, ERR_UNAVAILABLE, "too many logins are waiting");
	g->waiting++;
	while (in_time && g->running >= g->max_running)
		in_time = cond_wait_until(&g->freed, &g->lock, deadline);
	g->waiting--;
	if (g->running >= g->max_running)
		return err_set(e, ERR_TIMEOUT, "no turn for a password hash in time");
	return 0;
}

int
hash_gate_enter(struct hash_gate *g, struct err *e)
{
	int r = 0;

	pthread_mutex_lock(&g->lock);
	if (g->running >= g->max_running)
		r = wait_for_turn(g, e);
	if (r == 0)
		g->running++;
	pthread_mutex_unlock(&g->lock);
	return r;
}

bool
hash_gate_has_room(struct hash_gate *g)
{
	bool room;

	pthread_mutex_lock(&g->lock);
	room = g->running < g->max_running || g->waiting < g->max_waiting;
	pthread_mutex_unlock(&g->lock);
	return room;
}

void
hash_gate_leave(struct hash_gate *g)
{
	pthread_mutex_lock(&g->lock);
	g->running--;
	pthread_cond_signal(&g->freed);
	pthread_mutex_unlock(&g->lock);
}

void
hash_gate_usage(struct hash_gate *g, int64_t *ret_running, int64_t *ret_waiting)
{
	pthread_mutex_lock(&g->lock);
	*ret_running = g->running;
	*ret_waiting = g->waiting;
	pthread_mutex_unlock(&g->lock);
}

int
hash_gate_new(int64_t running, int64_t waiting, int64_t wait_ms, struct hash_gate **ret,
	      struct err *e)
{
	struct hash_gate *g = calloc(1, sizeof *g);

	if (g == NULL)
		return err_set(e, ERR_NO_MEMORY, "hash gate");
	g->max_running = running;
	g->max_waiting = waiting;
	g->wait_ms = wait_ms;
	pthread_mutex_init(&g->lock, NULL);
	cond_init(&g->freed);
	*ret = g;
	return 0;
}

void
hash_gate_free(struct hash_gate *g)
{
	if (g == NULL)
		return;
	pthread_cond_destroy(&g->freed);
	pthread_mutex_destroy(&g->lock);
	free(g);
}
