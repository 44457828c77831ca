#include "flow/job_routes.h"

#include "wire/job_json.h"

static bool
job_route_takes_failed(const struct job *job)
{
	return job->state == JOB_FAILED;
}

static bool
job_route_takes_done(const struct job *job)
{
	return job->state != JOB_FAILED;
}

static int
job_route_write(const struct job *job, struct str *body, struct err *e)
{
	struct job_message message = job_message_of(job);

	return job_message_write(&message, body, e);
}

struct outbox_route
job_route_video(const char *queue)
{
	return (struct outbox_route){ JOB_PUBLISH_VIDEO, NULL, queue, job_route_write };
}

struct outbox_route
job_route_mp3(const char *queue)
{
	return (struct outbox_route){ JOB_PUBLISH_RESULT, job_route_takes_done, queue,
				      job_route_write };
}

struct outbox_route
job_route_failed(const char *queue)
{
	return (struct outbox_route){ JOB_PUBLISH_RESULT, job_route_takes_failed, queue,
				      job_route_write };
}
