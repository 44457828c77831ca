/* Bounds how many password hashes run at once (each takes a core and the hash's memory), with a
 * short and fair queue before it (base/gate). Threads: any. */
#ifndef TONEARM_AUTH_HASH_GATE_H
#define TONEARM_AUTH_HASH_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/scope.h"

struct hash_gate;
/* running, waiting: ceilings; wait_ms: the longest stay in the queue. */
int hash_gate_new(int64_t running, int64_t waiting, int64_t wait_ms, struct hash_gate **ret,
		  struct err *e);
/* False when hash_gate_enter would refuse now: asked before work that would be in vain. */
bool hash_gate_has_room(struct hash_gate *g);
/* UNAVAILABLE when the queue is full, TIMEOUT when the turn did not come. */
int hash_gate_enter(struct hash_gate *g, struct err *e);
void hash_gate_leave(struct hash_gate *g);
void hash_gate_usage(struct hash_gate *g, int64_t *ret_running, int64_t *ret_waiting);
void hash_gate_free(struct hash_gate *g);
SCOPE_DEFINE(struct hash_gate, hash_gate_free)

#endif
