#include "flow/outbox.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/scope.h"

#define OUTBOX_MESSAGE_MAX 65536

static const struct outbox_route *
outbox_route_of(const struct outbox *o, const struct job *job, enum job_publication due)
{
	for (size_t i = 0; i < o->route_count; i++)
		if (o->routes[i].due == due && (!o->routes[i].takes || o->routes[i].takes(job)))
			return &o->routes[i];
	return NULL;
}

static int
outbox_publish(const struct outbox_route *route, struct publisher *p, const struct job *job,
	       struct err *e)
{
	SCOPED(str_free) struct str body = STR_MAX(OUTBOX_MESSAGE_MAX);
	int r = route->write(job, &body, e);

	if (r == 0)
		r = queue_publish(p,
				  &(struct message){ .destination = route->destination,
						     .key = job->video_fid.hex,
						     .body = str_text(&body),
						     .len = body.len },
				  e);
	return r < 0 ? err_prefix(e, r, "publish job %s to %s", job->video_fid.hex,
				  route->destination)
		     : 0;
}

int
outbox_send(const struct outbox *o, struct publisher *p, const struct job *job,
	    enum job_publication due, int64_t patience_ms, struct err *e)
{
	const struct outbox_route *route = outbox_route_of(o, job, due);
	int64_t began_ms = now_monotonic_ms();
	struct err moved = ERR_NONE;
	int r;

	if (!route)
		return err_set(e, ERR_INTERNAL, "no route for job %s", job->video_fid.hex);
	if ((r = outbox_publish(route, p, job, e)) < 0)
		return r;
	if (patience_ms > 0 && now_monotonic_ms() - began_ms > patience_ms)
		return err_set(e, ERR_TIMEOUT, "publish job %s: late, not marked",
			       job->video_fid.hex);
	r = job_mark_published(o->jobs, job, due, &moved);
	/* The message was faster than its mark, and someone has taken the job on: all is well. */
	if (r == 0 || r == ERR_CONFLICT)
		return 0;
	return err_set(e, r, "mark job %s published: %s", job->video_fid.hex, moved.text);
}

static bool
outbox_is_stopping(const atomic_bool *stopping)
{
	return stopping && atomic_load(stopping);
}

/* A server that is away ends the batch, because every further publish would wait for it again. */
static int
outbox_send_batch(const struct outbox *o, struct publisher *p, enum job_publication due,
		  const atomic_bool *stopping, int *sent, struct err *e)
{
	SCOPED_FREE struct job *jobs = calloc(OUTBOX_BATCH, sizeof *jobs);
	size_t count = 0;
	int first = 0, r;

	if (!jobs)
		return err_set(e, ERR_NO_MEMORY, "outbox");
	if ((r = job_list_unpublished(o->jobs, due, jobs, OUTBOX_BATCH, &count, e)) < 0)
		return err_prefix(e, r, "list unpublished jobs");
	for (size_t i = 0; i < count && !outbox_is_stopping(stopping); i++) {
		struct err one = ERR_NONE;

		r = outbox_send(o, p, &jobs[i], due, 0, &one);
		if (r == 0)
			(*sent)++;
		if (r < 0 && first == 0)
			first = err_set(e, r, "%s", one.text);
		if (r < 0 && err_is_transient(r))
			break;
	}
	return first;
}

/* Several routes share the records of one kind: these are read once. */
static bool
outbox_is_first_of_kind(const struct outbox *o, size_t route)
{
	for (size_t i = 0; i < route; i++)
		if (o->routes[i].due == o->routes[route].due)
			return false;
	return true;
}

int
outbox_send_due(const struct outbox *o, struct publisher *p, const atomic_bool *stopping,
		int *ret_sent, struct err *e)
{
	int sent = 0, first = 0;

	for (size_t i = 0; i < o->route_count && !outbox_is_stopping(stopping); i++) {
		struct err one = ERR_NONE;
		int r;

		if (!outbox_is_first_of_kind(o, i))
			continue;
		r = outbox_send_batch(o, p, o->routes[i].due, stopping, &sent, &one);
		if (r < 0 && first == 0)
			first = err_set(e, r, "%s", one.text);
	}
	*ret_sent = sent;
	return first;
}

int
outbox_queue_missing(void *arg, const char *queue, struct err *e)
{
	const struct outbox *o = arg;
	int64_t forgotten;

	for (size_t i = 0; i < o->route_count; i++)
		if (strcmp(queue, o->routes[i].destination) == 0)
			return job_forget_published(o->jobs, o->routes[i].due, &forgotten, e);
	return 0;
}
