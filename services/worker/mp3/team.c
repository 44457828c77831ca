#include "worker/mp3/team.h"

#include <pthread.h>
#include <stdlib.h>

/* LAME keeps some 100 KiB of work on its stack; the default of 8 MiB would count against the
 * address-space limit. */
#define STACK_BYTES ((size_t)1024 * 1024)

struct mp3_team {
	struct mp3_format format; /* set once */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* under lock */
	struct mp3_task *first, **last;
	bool stopping;
	/* the owner's */
	int count;
	pthread_t threads[];
};

static struct mp3_task *
team_take(struct mp3_team *team)
{
	struct mp3_task *task;

	while (!team->first && !team->stopping)
		(void)pthread_cond_wait(&team->changed, &team->lock);
	if (team->stopping)
		return NULL;
	task = team->first;
	team->first = task->next;
	if (!team->first)
		team->last = &team->first;
	return task;
}

static void *
team_work(void *arg)
{
	struct mp3_team *team = arg;
	struct mp3_task *task;

	(void)pthread_mutex_lock(&team->lock);
	while ((task = team_take(team))) {
		(void)pthread_mutex_unlock(&team->lock);
		task->result = mp3_lame_encode(&team->format, &task->pcm, task->end, &task->frames,
					       &task->why);
		(void)pthread_mutex_lock(&team->lock);
		task->done = true;
		(void)pthread_cond_broadcast(&team->changed);
	}
	(void)pthread_mutex_unlock(&team->lock);
	return NULL;
}

static int
team_start_threads(struct mp3_team *team, int threads, struct err *e)
{
	pthread_attr_t attributes;
	int r = pthread_attr_init(&attributes);

	if (r == 0) {
		(void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
		while (team->count < threads &&
		       (r = pthread_create(&team->threads[team->count], &attributes, team_work,
					   team)) == 0)
			team->count++;
		(void)pthread_attr_destroy(&attributes);
	}
	return team->count > 0 ? 0 : err_errno(e, ERR_NO_MEMORY, r, "encoder thread");
}

int
mp3_team_new(const struct mp3_format *format, int threads, struct mp3_team **ret, struct err *e)
{
	SCOPED(mp3_team_free_p) struct mp3_team *team = NULL;
	int r;

	threads = threads < 1 ? 1 : threads > MP3_THREADS_MAX ? MP3_THREADS_MAX : threads;
	if (!(team = calloc(1, sizeof *team + (size_t)threads * sizeof team->threads[0])))
		return err_set(e, ERR_NO_MEMORY, "encoder threads");
	team->format = *format;
	team->last = &team->first;
	(void)pthread_mutex_init(&team->lock, NULL);
	(void)pthread_cond_init(&team->changed, NULL);
	if ((r = team_start_threads(team, threads, e)) < 0)
		return r;
	*ret = TAKE(team);
	return 0;
}

int
mp3_team_size(const struct mp3_team *team)
{
	return team->count;
}

void
mp3_team_put(struct mp3_team *team, struct mp3_task *task)
{
	(void)pthread_mutex_lock(&team->lock);
	task->done = false;
	task->next = NULL;
	*team->last = task;
	team->last = &task->next;
	(void)pthread_cond_broadcast(&team->changed);
	(void)pthread_mutex_unlock(&team->lock);
}

void
mp3_team_wait(struct mp3_team *team, struct mp3_task *task)
{
	(void)pthread_mutex_lock(&team->lock);
	while (!task->done)
		(void)pthread_cond_wait(&team->changed, &team->lock);
	(void)pthread_mutex_unlock(&team->lock);
}

void
mp3_team_free(struct mp3_team *team)
{
	if (!team)
		return;
	(void)pthread_mutex_lock(&team->lock);
	team->stopping = true;
	(void)pthread_cond_broadcast(&team->changed);
	(void)pthread_mutex_unlock(&team->lock);
	for (int i = 0; i < team->count; i++)
		(void)pthread_join(team->threads[i], NULL);
	(void)pthread_cond_destroy(&team->changed);
	(void)pthread_mutex_destroy(&team->lock);
	free(team);
}
