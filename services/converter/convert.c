#include "converter/convert.h"

#include "base/clock.h"
#include "base/log/log.h"
#include "converter/attempt.h"
#include "converter/record.h"

static enum convert_end
convert_under_lease(const struct converter *c, const struct job *job, struct lease_keeper *keeper)
{
	struct attempt a = {
		.c = c, .job = job, .keeper = keeper, .pace.start_ms = now_monotonic_ms()
	};
	int64_t ms;
	struct err e = ERR_NONE;
	const char *result;
	int r = attempt_run(&a, &e);

	ms = now_monotonic_ms() - a.pace.start_ms;
	if (r < 0 && attempt_lost(&a)) {
		log_warn(LOG_EVENT("job_lost"), LOG_STR("video_fid", job->video_fid.hex),
			 LOG_INT("attempt", job->attempts), LOG_ERR(&e));
		result = "lost";
	} else {
		result = record_attempt(&a, r, ms, &e);
	}
	if (c->on_end)
		c->on_end(c->on_end_arg, result, ms);
	return a.server_lost && !a.handed_back ? CONVERT_SERVER_LOST : CONVERT_ENDED;
}

enum convert_end
convert_job(const struct converter *c, const struct job *job)
{
	SCOPED(lease_keeper_stop_p) struct lease_keeper *keeper = NULL;
	enum convert_end end = CONVERT_ENDED;
	struct err e = ERR_NONE;

	log_context("job_id", job->video_fid.hex);
	if (lease_keeper_start(c->jobs, &job->lease, c->lease_ms, &keeper, &e) < 0) {
		log_warn(LOG_EVENT("job_not_started"), LOG_ERR(&e));
		(void)job_hand_back(c->jobs, &job->lease, NULL, NULL);
	} else {
		end = convert_under_lease(c, job, keeper);
	}
	log_context("job_id", NULL);
	return end;
}
