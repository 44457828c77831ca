#include "base/gate.h"

#include "base/wait.h"

enum gate_answer { GATE_WAITS, GATE_HAS_PLACE, GATE_GO_AWAY };

struct gate_waiter {
	struct gate_waiter *next;
	pthread_cond_t wake;
	enum gate_answer answer;
};

void
gate_init(struct gate *g, int64_t max_holders, int64_t max_waiters)
{
	*g = (struct gate){ .max_holders = max_holders, .max_waiters = max_waiters };
	g->last = &g->first;
	(void)pthread_mutex_init(&g->lock, NULL);
}

void
gate_fini(struct gate *g)
{
	(void)pthread_mutex_destroy(&g->lock);
}

/* With the lock held, as are all below but the exported ones. */
static void
gate_join_line(struct gate *g, struct gate_waiter *w)
{
	*g->last = w;
	g->last = &w->next;
	g->waiters++;
}

static void
gate_leave_line(struct gate *g, struct gate_waiter *w)
{
	struct gate_waiter **at = &g->first;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	if (!*at)
		g->last = at;
	g->waiters--;
}

static void
gate_answer_first(struct gate *g, enum gate_answer answer)
{
	struct gate_waiter *w = g->first;

	gate_leave_line(g, w);
	w->answer = answer;
	(void)pthread_cond_signal(&w->wake);
}

static enum gate_pass
gate_wait_in_line(struct gate *g, int64_t deadline_ms)
{
	struct gate_waiter w = { .answer = GATE_WAITS };
	bool in_time = true;

	cond_init(&w.wake);
	gate_join_line(g, &w);
	while (w.answer == GATE_WAITS && in_time)
		in_time = cond_wait_until(&w.wake, &g->lock, deadline_ms);
	if (w.answer == GATE_WAITS)
		gate_leave_line(g, &w);
	(void)pthread_cond_destroy(&w.wake);
	switch (w.answer) {
	case GATE_HAS_PLACE:
		return GATE_IN;
	case GATE_GO_AWAY:
		return GATE_TURNED_AWAY;
	case GATE_WAITS:
		break;
	}
	return GATE_LATE;
}

enum gate_pass
gate_enter(struct gate *g, int64_t deadline_ms)
{
	enum gate_pass pass = GATE_FULL;

	(void)pthread_mutex_lock(&g->lock);
	/* a place that is free is nobody's: there is no line then */
	if (g->holders < g->max_holders) {
		g->holders++;
		pass = GATE_IN;
	} else if (g->waiters < g->max_waiters) {
		pass = gate_wait_in_line(g, deadline_ms);
	}
	(void)pthread_mutex_unlock(&g->lock);
	return pass;
}

void
gate_leave(struct gate *g)
{
	(void)pthread_mutex_lock(&g->lock);
	if (g->first)
		gate_answer_first(g, GATE_HAS_PLACE);
	else
		g->holders--;
	(void)pthread_mutex_unlock(&g->lock);
}

void
gate_turn_away(struct gate *g)
{
	(void)pthread_mutex_lock(&g->lock);
	while (g->first)
		gate_answer_first(g, GATE_GO_AWAY);
	(void)pthread_mutex_unlock(&g->lock);
}

bool
gate_has_room(struct gate *g)
{
	bool room;

	(void)pthread_mutex_lock(&g->lock);
	room = g->holders < g->max_holders || g->waiters < g->max_waiters;
	(void)pthread_mutex_unlock(&g->lock);
	return room;
}

void
gate_usage(struct gate *g, int64_t *ret_holders, int64_t *ret_waiters)
{
	(void)pthread_mutex_lock(&g->lock);
	if (ret_holders)
		*ret_holders = g->holders;
	if (ret_waiters)
		*ret_waiters = g->waiters;
	(void)pthread_mutex_unlock(&g->lock);
}
