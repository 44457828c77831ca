#include "flow/relay.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/text/str.h"
#include "base/wait.h"
#include "wire/job_json.h"

#define BATCH 64
#define INTERVAL_MS 1000
#define MESSAGE_MAX 65536

struct relay {
	struct relay_config config; /* set once */
	pthread_t thread;
	atomic_bool stopping;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool poked;     /* under lock */
	int last_round; /* owned by the thread */
};

static const char *
queue_of(const struct relay_config *c, const struct job *job, enum job_publication which)
{
	if (which == JOB_PUBLISH_VIDEO)
		return c->video_queue;
	return job->state == JOB_FAILED ? c->failed_queue : c->mp3_queue;
}

int
relay_publish(const struct relay_config *config, const struct job *job, enum job_publication which,
	      struct err *e)
{
	SCOPED(str_free) struct str body = STR_MAX(MESSAGE_MAX);
	struct job_message message = job_message_of(job);
	const char *queue = queue_of(config, job, which);
	struct message m = { .destination = queue, .key = job->video_fid.hex };
	int64_t began_ms = now_monotonic_ms();
	struct err moved = ERR_NONE;
	int r;

	r = job_message_write(&message, &body, e);
	m.body = str_text(&body);
	m.len = body.len;
	if (r < 0 || (r = queue_publish(config->publisher, &m, e)) < 0)
		return err_prefix(e, r, "publish job %s to %s", job->video_fid.hex, queue);
	if (config->patience_ms > 0 && now_monotonic_ms() - began_ms > config->patience_ms)
		return err_set(e, ERR_TIMEOUT, "publish job %s: late, not marked",
			       job->video_fid.hex);
	r = job_mark_published(config->jobs, job, which, &moved);
	/* The message was faster than its mark, and someone has taken the job on: all is well. */
	if (r == 0 || r == ERR_CONFLICT)
		return 0;
	return err_set(e, r, "mark job %s published: %s", job->video_fid.hex, moved.text);
}

int
relay_queue_missing(void *arg, const char *queue, struct err *e)
{
	const struct relay_config *c = arg;
	int64_t forgotten;

	if (strcmp(queue, c->video_queue) == 0)
		return job_forget_published(c->jobs, JOB_PUBLISH_VIDEO, &forgotten, e);
	if (strcmp(queue, c->mp3_queue) == 0 || strcmp(queue, c->failed_queue) == 0)
		return job_forget_published(c->jobs, JOB_PUBLISH_RESULT, &forgotten, e);
	return 0;
}

static bool
is_stopping(const atomic_bool *stopping)
{
	return stopping && atomic_load(stopping);
}

/* Publishes a batch of one kind. A fault of one job leaves the others their turn; a server that is
 * away ends the batch, because every further publish would wait for it again. */
static int
publish_batch(const struct relay_config *c, enum job_publication which, const atomic_bool *stopping,
	      int *published, struct err *e)
{
	SCOPED_FREE struct job *jobs = calloc(BATCH, sizeof *jobs);
	size_t count = 0;
	int first = 0, r;

	if (jobs == NULL)
		return err_set(e, ERR_NO_MEMORY, "relay");
	if ((r = job_list_unpublished(c->jobs, which, jobs, BATCH, &count, e)) < 0)
		return err_prefix(e, r, "list unpublished jobs");
	for (size_t i = 0; i < count && !is_stopping(stopping); i++) {
		struct err one = ERR_NONE;

		r = relay_publish(c, &jobs[i], which, &one);
		if (r == 0)
			(*published)++;
		if (r < 0 && first == 0)
			first = err_set(e, r, "%s", one.text);
		if (r < 0 && err_is_transient(r))
			break;
	}
	return first;
}

static int
round_until(const struct relay_config *c, const atomic_bool *stopping, int *ret_published,
	    struct err *e)
{
	static const enum job_publication kinds[] = { JOB_PUBLISH_RESULT, JOB_PUBLISH_VIDEO };
	int64_t freed = 0;
	int published = 0;
	int first = job_free_expired(c->jobs, &freed, e);

	for (size_t i = 0; i < ARRAY_LEN(kinds) && !is_stopping(stopping); i++) {
		struct err one = ERR_NONE;
		int r = publish_batch(c, kinds[i], stopping, &published, &one);

		if (r < 0 && first == 0)
			first = err_set(e, r, "%s", one.text);
	}
	*ret_published = published;
	return first;
}

int
relay_round(const struct relay_config *config, int *ret_published, struct err *e)
{
	return round_until(config, NULL, ret_published, e);
}

static void
wait_for_poke(struct relay *r)
{
	int64_t until = now_monotonic_ms() + r->config.interval_ms;

	pthread_mutex_lock(&r->lock);
	while (!r->poked && !atomic_load(&r->stopping))
		if (!cond_wait_until(&r->wake, &r->lock, until))
			break;
	r->poked = false;
	pthread_mutex_unlock(&r->lock);
}

static void *
relay_main(void *arg)
{
	struct relay *r = arg;

	while (!atomic_load(&r->stopping)) {
		struct err e = ERR_NONE;
		int published = 0;
		int result = round_until(&r->config, &r->stopping, &published, &e);

		if (result != r->last_round && r->config.on_change)
			r->config.on_change(r->config.on_change_arg, &e);
		r->last_round = result;
		/* A full batch: there is more. */
		if (result < 0 || published < BATCH)
			wait_for_poke(r);
	}
	return NULL;
}

static void
relay_free(struct relay *r)
{
	pthread_cond_destroy(&r->wake);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

int
relay_start(const struct relay_config *config, struct relay **ret, struct err *e)
{
	struct relay *r = calloc(1, sizeof *r);
	int failure;

	if (r == NULL)
		return err_set(e, ERR_NO_MEMORY, "relay");
	r->config = *config;
	if (r->config.interval_ms <= 0)
		r->config.interval_ms = INTERVAL_MS;
	pthread_mutex_init(&r->lock, NULL);
	cond_init(&r->wake);
	if ((failure = pthread_create(&r->thread, NULL, relay_main, r)) != 0) {
		relay_free(r);
		return err_errno(e, ERR_UNAVAILABLE, failure, "relay thread");
	}
	*ret = r;
	return 0;
}

void
relay_poke(struct relay *r)
{
	pthread_mutex_lock(&r->lock);
	r->poked = true;
	pthread_cond_signal(&r->wake);
	pthread_mutex_unlock(&r->lock);
}

void
relay_stop(struct relay *r)
{
	if (r == NULL)
		return;
	atomic_store(&r->stopping, true);
	relay_poke(r);
	pthread_join(r->thread, NULL);
	relay_free(r);
}
