#include "auth/hash_gate.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/gate.h"

struct hash_gate {
	int64_t wait_ms;
	struct gate gate;
};

int
hash_gate_enter(struct hash_gate *g, struct err *e)
{
	switch (gate_enter(&g->gate, now_monotonic_ms() + g->wait_ms)) {
	case GATE_IN:
		return 0;
	case GATE_LATE:
		return err_set(e, ERR_TIMEOUT, "no turn for a password hash in time");
	case GATE_FULL:
	case GATE_TURNED_AWAY:
		break;
	}
	return err_set(e, ERR_UNAVAILABLE, "too many logins are waiting");
}

bool
hash_gate_has_room(struct hash_gate *g)
{
	return gate_has_room(&g->gate);
}

void
hash_gate_leave(struct hash_gate *g)
{
	gate_leave(&g->gate);
}

void
hash_gate_usage(struct hash_gate *g, int64_t *ret_running, int64_t *ret_waiting)
{
	gate_usage(&g->gate, ret_running, ret_waiting);
}

int
hash_gate_new(int64_t running, int64_t waiting, int64_t wait_ms, struct hash_gate **ret,
	      struct err *e)
{
	struct hash_gate *g = calloc(1, sizeof *g);

	if (!g)
		return err_set(e, ERR_NO_MEMORY, "hash gate");
	g->wait_ms = wait_ms;
	gate_init(&g->gate, running, waiting);
	*ret = g;
	return 0;
}

void
hash_gate_free(struct hash_gate *g)
{
	if (!g)
		return;
	gate_fini(&g->gate);
	free(g);
}
