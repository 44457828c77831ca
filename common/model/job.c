#include "model/job.h"

#include <stddef.h>
#include <string.h>

static const char *const state_names[JOB_STATES] = {
	[JOB_UPLOADING] = "uploading", [JOB_QUEUED] = "queued", [JOB_LEASED] = "leased",
	[JOB_DONE] = "done",           [JOB_FAILED] = "failed", [JOB_CANCELED] = "canceled",
	[JOB_EXPIRED] = "expired",
};

const char *
job_state_name(enum job_state state)
{
	return (size_t)state < JOB_STATES ? state_names[state] : "unknown";
}

int
job_state_parse(const char *name, enum job_state *ret)
{
	int i;

	for (i = 0; i < JOB_STATES; i++)
		if (strcmp(name, state_names[i]) == 0) {
			*ret = (enum job_state)i;
			return 0;
		}
	return -1;
}

static const char *const end_names[JOB_ENDS] = {
	[JOB_END_DONE] = "done",       [JOB_END_FAILED] = "failed",
	[JOB_END_RETRIED] = "retried", [JOB_END_HANDED_BACK] = "handed_back",
	[JOB_END_LOST] = "lost",
};

const char *
job_end_name(enum job_end end)
{
	return (size_t)end < JOB_ENDS ? end_names[end] : "unknown";
}

int
job_end_parse(const char *name, enum job_end *ret)
{
	for (int i = 0; i < JOB_ENDS; i++)
		if (strcmp(name, end_names[i]) == 0) {
			*ret = (enum job_end)i;
			return 0;
		}
	return -1;
}

bool
job_state_is_final(enum job_state state)
{
	switch (state) {
	case JOB_UPLOADING:
	case JOB_QUEUED:
	case JOB_LEASED:
		return false;
	case JOB_DONE:
	case JOB_FAILED:
	case JOB_CANCELED:
	case JOB_EXPIRED:
		return true;
	}
	return false;
}

bool
job_state_is_over(enum job_state state)
{
	return job_state_is_final(state) && state != JOB_FAILED;
}

struct job_message
job_message_of(const struct job *job)
{
	struct job_message m = { .video_fid = job->video_fid };

	memcpy(m.username, job->username, sizeof m.username);
	if (job->state == JOB_DONE) {
		m.mp3_fid = job->mp3_fid;
		m.warnings = job->warnings;
	}
	if (job->state == JOB_FAILED)
		m.error = job->error;
	return m;
}
