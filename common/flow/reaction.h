/* The whole retry policy: what an attempt's result means. One testable function. */
#ifndef TONEARM_FLOW_REACTION_H
#define TONEARM_FLOW_REACTION_H

#include <stdint.h>

enum reaction {
	REACTION_DONE,      /* record the output */
	REACTION_RETRY,     /* queue it again after reaction_delay_ms */
	REACTION_FAIL,      /* failed for good; the user is told why */
	REACTION_HAND_BACK, /* not the job's fault: hand it back, the attempt does not count */
};

/* result of the attempt (0 or an err code); attempt counts from 1; server_lost: a server of ours
 * was away. */
enum reaction reaction_to(int result, int attempt, int server_lost);
/* 5 s, 30 s, 2 min, 10 min after the 1st .. 4th failed attempt. */
int64_t reaction_delay_ms(int attempt);
#define REACTION_ATTEMPTS_MAX 5

#endif
