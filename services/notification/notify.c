#include "notification/notify.h"

#include <stdio.h>
#include <string.h>

#include "base/log/log.h"
#include "base/scope.h"
#include "base/text/str.h"
#include "wire/job_json.h"

/* The longest message fits, so that the FID behind it is never cut. */
#define LINE_MAX_BYTES (JOB_ERROR_MESSAGE_MAX + 128)
#define WARNINGS_JSON_MAX 8192 /* bytes */
#define EVENT_ID_MAX (BLOB_ID_DIGITS + sizeof ":" + BLOB_ID_DIGITS)

/* A line stays a line whatever a message holds. */
static void
notify_flatten(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = ' ';
}

/* The same for every line about the same result, whoever says it: made of what the result is. */
static void
notify_name_event(const struct job_message *m, char ret[EVENT_ID_MAX])
{
	(void)snprintf(ret, EVENT_ID_MAX, "%s:%s", m->video_fid.hex,
		       blob_id_is_none(&m->mp3_fid) ? "failed" : m->mp3_fid.hex);
}

/* The FID is the last word of either line: what the message says, it cannot stand there. */
static void
notify_say(const struct job_message *m)
{
	SCOPED(str_free) struct str warnings = STR_MAX(WARNINGS_JSON_MAX);
	char line[LINE_MAX_BYTES], event_id[EVENT_ID_MAX];
	bool told = job_warnings_write(&m->warnings, &warnings, NULL) == 0;

	if (!blob_id_is_none(&m->mp3_fid))
		(void)snprintf(line, sizeof line, "Your mp3 is ready for download- FID: %s",
			       m->mp3_fid.hex);
	else
		(void)snprintf(line, sizeof line, "Your mp3 could not be made (%s)- FID: %s",
			       m->error.message, m->video_fid.hex);
	notify_flatten(line);
	notify_name_event(m, event_id);
	log_bare(line, (const struct log_field[]){
			       LOG_EVENT("notification"), LOG_STR("video_fid", m->video_fid.hex),
			       LOG_STR("mp3_fid", m->mp3_fid.hex), LOG_STR("user", m->username),
			       LOG_STR("event_id", event_id),
			       LOG_JSON("warnings", told ? str_text(&warnings) : NULL), LOG_END });
}

/* 1 when this result was announced before. */
static int
notify_was_said(const struct notifier *n, const struct job_message *m, struct err *e)
{
	int r = job_was_notified(n->jobs, &m->video_fid, e);

	return r < 0 && !err_is_transient(r) ? 0 : r;
}

static bool
notify_is_unrecorded(const struct notifier *n, const struct blob_id *video)
{
	for (size_t i = 0; i < n->unrecorded_count; i++)
		if (blob_id_equal(&n->unrecorded[i].video_fid, video))
			return true;
	return false;
}

static void
notify_forget(struct notifier *n, const struct blob_id *video)
{
	for (size_t i = 0; i < n->unrecorded_count; i++)
		if (blob_id_equal(&n->unrecorded[i].video_fid, video))
			n->unrecorded[i] = n->unrecorded[--n->unrecorded_count];
}

static int
notify_record(struct notifier *n, const struct job_message *m, struct err *e)
{
	int r = job_mark_notified(n->jobs, m, e);

	if (err_is_transient(r))
		return r;
	notify_forget(n, &m->video_fid);
	return 0;
}

/* The claim comes first: the same result may be in the hands of another process at this moment. The
 * record comes after the line: dying between the two says it again rather than never. */
static int
notify_say_and_record(struct notifier *n, const struct job_message *m, struct err *e)
{
	int r;

	log_context("job_id", m->video_fid.hex);
	if (!notify_is_unrecorded(n, &m->video_fid)) {
		r = job_claim_notice(n->jobs, &m->video_fid, n->owner, NOTIFY_CLAIM_MS, e);
		if (r == ERR_CONFLICT)
			return (r = notify_was_said(n, m, e)) == 0 ? ERR_CONFLICT : r;
		if (err_is_transient(r))
			return r;
		if (n->unrecorded_count == NOTIFY_UNRECORDED_MAX)
			return err_set(e, ERR_UNAVAILABLE,
				       "too many notifications without a record");
		notify_say(m);
		n->unrecorded[n->unrecorded_count++] = *m;
	}
	return notify_record(n, m, e);
}

static enum notice
notify_bury(const struct notifier *n, const struct queue_delivery *d, struct err *e)
{
	struct err why = ERR_NONE;

	if (queue_bury(n->consumer, d, e->text, &why) == 0)
		return NOTICE_BURIED;
	*e = why; /* it comes again with the next connection */
	return NOTICE_LATER;
}

enum notice
notify(struct notifier *n, struct queue_delivery *d, struct err *e)
{
	bool failed = strcmp(d->message.destination, n->failed_queue) == 0;
	enum notice notice;
	struct job_message m;
	int r;

	r = job_message_read(d->message.body, d->message.len,
			     failed ? JOB_MESSAGE_FAILED : JOB_MESSAGE_MP3, &m, e);
	if (r < 0 && !err_is_transient(r)) {
		notice = notify_bury(n, d, e);
	} else if (r < 0 || (r = notify_say_and_record(n, &m, e)) < 0) {
		(void)queue_requeue(n->consumer, d, NULL);
		notice = r == ERR_CONFLICT ? NOTICE_OTHERS : NOTICE_LATER;
	} else {
		(void)queue_ack(n->consumer, d,
				NULL); /* a lost ack: it comes again, and is known then */
		notice = r == 1 ? NOTICE_KNOWN : NOTICE_SAID;
	}
	queue_delivery_free(d);
	return notice;
}

int
notify_settle(struct notifier *n, struct err *e)
{
	int r = 0;

	while (n->unrecorded_count > 0 && r == 0) {
		const struct job_message *last = &n->unrecorded[n->unrecorded_count - 1];

		log_context("job_id", last->video_fid.hex);
		r = notify_record(n, last, e);
	}
	return r;
}
