#include "converter/permit.h"

#include "base/log/log.h"
#include "wire/job_json.h"

static enum permit
permit_bury(const struct converter *c, struct consumer *consumer, const struct queue_delivery *d,
	    const struct err *why)
{
	struct err e = ERR_NONE;

	log_warn(LOG_EVENT("message_unreadable"), LOG_STR("queue", d->message.destination),
		 LOG_INT("bytes", d->message.len), LOG_ERR(why));
	if (queue_bury(consumer, d, why->text, &e) == 0) {
		if (c->on_buried)
			c->on_buried(c->on_buried_arg);
		return PERMIT_NOTHING;
	}
	log_warn(LOG_EVENT("message_not_buried"), LOG_ERR(&e));
	(void)queue_requeue(consumer, d, NULL);
	return PERMIT_SERVER_LOST;
}

static enum permit
permit_requeue(struct consumer *consumer, const struct queue_delivery *d,
	       const struct job_message *m, const struct err *why)
{
	log_warn(LOG_EVENT("message_given_back"), LOG_STR("job_id", m->video_fid.hex),
		 LOG_ERR(why));
	(void)queue_requeue(consumer, d, NULL);
	return PERMIT_SERVER_LOST;
}

static enum permit
permit_lease(const struct converter *c, const struct blob_id *only, struct job *ret_job,
	     struct err *e)
{
	const struct job_lease_terms terms = { c->owner, c->lease_ms };
	int r = only ? job_lease_one(c->jobs, &terms, only, ret_job, e)
		     : fair_lease(c->fair, c->jobs, &terms, ret_job, e);

	if (r == 0)
		return PERMIT_JOB;
	return r == ERR_NOT_FOUND ? PERMIT_NOTHING : PERMIT_SERVER_LOST;
}

enum permit
permit_take(const struct converter *c, struct consumer *consumer, const struct queue_delivery *d,
	    struct job *ret_job)
{
	bool own_only = c->order == CONVERTER_ORDER_MESSAGE;
	struct job_message message = { 0 };
	enum permit permit;
	struct err e = ERR_NONE;
	int r;

	r = job_message_read(d->message.body, d->message.len, JOB_MESSAGE_VIDEO, &message, &e);
	if (r < 0 && !err_is_transient(r))
		return permit_bury(c, consumer, d, &e);
	if (r < 0 || job_adopt(c->jobs, &message, &e) < 0)
		return permit_requeue(consumer, d, &message, &e);
	permit = permit_lease(c, own_only ? &message.video_fid : NULL, ret_job, &e);
	if (permit == PERMIT_SERVER_LOST)
		return permit_requeue(consumer, d, &message, &e);
	/* A lost ack is harmless: the message comes again, and finds another job or none. */
	(void)queue_ack(consumer, d, NULL);
	if (permit == PERMIT_JOB && !blob_id_equal(&ret_job->video_fid, &message.video_fid))
		return PERMIT_OTHER_JOB;
	return permit;
}

enum permit
permit_take_unasked(const struct converter *c, struct job *ret_job)
{
	struct err e = ERR_NONE;
	enum permit permit = permit_lease(c, NULL, ret_job, &e);

	if (permit == PERMIT_SERVER_LOST)
		log_warn(LOG_EVENT("intake_failed"), LOG_ERR(&e));
	return permit;
}
