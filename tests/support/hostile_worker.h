/* The harm that support/hostile_worker.c can be told to try. */
#ifndef TONEARM_SUPPORT_HOSTILE_WORKER_H
#define TONEARM_SUPPORT_HOSTILE_WORKER_H

enum hostility {
	HOSTILE_NOTHING, /* works, if it finds itself with its socket and nothing else */
	HOSTILE_GARBAGE,
	HOSTILE_HUGE_LENGTH,
	HOSTILE_READ_BEHIND_END,
	HOSTILE_READ_TOO_MUCH,
	HOSTILE_PATCH_OUT_OF_REACH,
	HOSTILE_DONE_WITHOUT_OUTPUT,
	HOSTILE_DONE_THEN_CRASH,
	HOSTILE_ENDLESS_OUTPUT,
	HOSTILE_DEAF,   /* asks and never listens */
	HOSTILE_SILENT, /* hangs */
	HOSTILE_HANGS_UP,
	HOSTILE_LEAVES,
	HOSTILE_CRASH,
	HOSTILE_KILLED,
	HOSTILE_OUT_OF_CPU,
	HOSTILE_WORDS, /* fails with words that forge a log line */
};

#endif
