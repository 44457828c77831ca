/* Threads that encode blocks, in the order they come. Threads: put and wait are for one thread. */
#ifndef TONEARM_WORKER_MP3_TEAM_H
#define TONEARM_WORKER_MP3_TEAM_H

#include <stdbool.h>

#include "base/scope.h"
#include "worker/mp3/lame.h"

#define MP3_THREADS_MAX 64

/* One block; its maker's, but for the time from put to wait. */
struct mp3_task {
	struct pcm pcm;
	enum lame_end end;
	struct mp3_frames frames; /* when it is done */
	int result;               /* of mp3_lame_encode, with its words */
	struct err why;
	/* the team's */
	bool done;
	struct mp3_task *next;
};

struct mp3_team;

/* threads is cut to what makes sense; fewer may start, one at least. */
int mp3_team_new(const struct mp3_format *format, int threads, struct mp3_team **ret,
		 struct err *e);
int mp3_team_size(const struct mp3_team *team);
void mp3_team_put(struct mp3_team *team, struct mp3_task *task);
/* Until task is done. */
void mp3_team_wait(struct mp3_team *team, struct mp3_task *task);
/* Ends the threads after the blocks they are at; tasks not begun are dropped, not freed. */
void mp3_team_free(struct mp3_team *team);
SCOPE_DEFINE(struct mp3_team, mp3_team_free)

#endif
