/* The publisher's thread: it alone uses the connection. */
#include "adapter/amqp/publisher_private.h"

#include <string.h>

#include "base/clock.h"
#include "base/text/str.h"

/* Messages and bytes without a confirm: they fit the socket's buffer, so that a send does not wait
 * for a frozen broker. */
#define IN_FLIGHT_MAX 64
#define IN_FLIGHT_BYTES ((size_t)128 * 1024)
#define TICK_MS 1000

static void
publisher_unlink(struct publisher_amqp *p, const struct publisher_entry *entry)
{
	for (struct publisher_entry **at = &p->list; *at; at = &(*at)->next) {
		if (*at != entry)
			continue;
		*at = entry->next;
		if (p->tail == &entry->next)
			p->tail = at;
		p->waiting--;
		return;
	}
}

/* Under lock. */
void
publisher_amqp_end(struct publisher_amqp *p, struct publisher_entry *entry, int result,
		   const struct err *why)
{
	if (entry->state == ENTRY_SENT) {
		p->in_flight--;
		p->in_flight_bytes -= entry->size;
	}
	publisher_unlink(p, entry);
	entry->state = ENTRY_ENDED;
	entry->result = result;
	if (why)
		entry->why = *why;
	pthread_cond_broadcast(&p->ended);
}

void
publisher_amqp_lost(struct publisher_amqp *p, const struct err *why)
{
	pthread_mutex_lock(&p->lock);
	while (p->list)
		publisher_amqp_end(p, p->list, ERR_UNAVAILABLE, why);
	p->in_flight = p->in_flight_bytes = 0;
	p->connected = false;
	p->tried = true;
	p->suspect = false;
	p->last_error = *why;
	p->last_error.code = ERR_UNAVAILABLE;
	pthread_mutex_unlock(&p->lock);
}

static void
publisher_end_confirmed(struct publisher_amqp *p, uint64_t tag, bool multiple, bool positive)
{
	struct err why = ERR_NONE;
	struct publisher_entry *next;

	pthread_mutex_lock(&p->lock);
	for (struct publisher_entry *at = p->list; at; at = next) {
		next = at->next;
		if (at->state != ENTRY_SENT || (multiple ? at->tag > tag : at->tag != tag))
			continue;
		if (positive && !at->returned) {
			publisher_amqp_end(p, at, 0, NULL);
			continue;
		}
		(void)err_set(&why, ERR_UNAVAILABLE, "rabbitmq: %s: %s", at->message->destination,
			      at->returned ? "no such queue, the message came back"
					   : "the broker refused the message");
		publisher_amqp_end(p, at, ERR_UNAVAILABLE, &why);
	}
	pthread_mutex_unlock(&p->lock);
}

static void
publisher_mark_returned(struct publisher_amqp *p, uint64_t tag)
{
	pthread_mutex_lock(&p->lock);
	for (struct publisher_entry *at = p->list; at; at = at->next) {
		if (at->state != ENTRY_SENT || at->tag != tag)
			continue;
		at->returned = true;
		link_amqp_forget_queue(&p->link, at->message->destination);
	}
	pthread_mutex_unlock(&p->lock);
}

static int
publisher_handle_frame(struct publisher_amqp *p, const amqp_frame_t *frame, struct err *e)
{
	int r;

	if (frame->frame_type != AMQP_FRAME_METHOD) {
		if ((r = content_amqp_take(&p->content, frame, e)) < 0)
			return r;
		if (r == 1) { /* only returns have content here */
			publisher_mark_returned(p, p->content.message_id);
			content_amqp_reset(&p->content);
		}
		return 0;
	}
	if (frame->payload.method.id == AMQP_BASIC_ACK_METHOD) {
		const amqp_basic_ack_t *m = frame->payload.method.decoded;

		publisher_end_confirmed(p, m->delivery_tag, m->multiple, true);
	} else if (frame->payload.method.id == AMQP_BASIC_NACK_METHOD) {
		const amqp_basic_nack_t *m = frame->payload.method.decoded;

		publisher_end_confirmed(p, m->delivery_tag, m->multiple, false);
	}
	return 0;
}

/* Under lock: the first entry that may go out now. */
static struct publisher_entry *
publisher_first_new(struct publisher_amqp *p)
{
	if (p->blocked || p->in_flight >= IN_FLIGHT_MAX)
		return NULL;
	for (struct publisher_entry *at = p->list; at; at = at->next)
		if (at->state == ENTRY_NEW)
			return p->in_flight > 0 && p->in_flight_bytes + at->size > IN_FLIGHT_BYTES
				       ? NULL
				       : at;
	return NULL;
}

static bool
publisher_peek_new(struct publisher_amqp *p, char queue[QUEUE_NAME_MAX + 1])
{
	struct publisher_entry *entry;

	pthread_mutex_lock(&p->lock);
	if ((entry = publisher_first_new(p)))
		(void)str_copy(queue, QUEUE_NAME_MAX + 1, entry->message->destination, NULL);
	pthread_mutex_unlock(&p->lock);
	return entry;
}

/* Marks the first entry as sent and copies its message: its caller may give up meanwhile. Tags count
 * what is published, so that one is given only here. False when the entry is gone, or is for
 * another queue. */
static bool
publisher_take_new(struct publisher_amqp *p, const char *queue, struct message *ret,
		   char **ret_block, uint64_t *ret_tag)
{
	struct publisher_entry *entry;
	bool taken = false;

	pthread_mutex_lock(&p->lock);
	entry = publisher_first_new(p);
	if (entry && strcmp(entry->message->destination, queue) == 0) {
		if (message_copy(entry->message, ret, ret_block, NULL) == 0) {
			entry->state = ENTRY_SENT;
			entry->tag = *ret_tag = ++p->last_tag;
			p->in_flight++;
			p->in_flight_bytes += entry->size;
			taken = true;
		} else {
			publisher_amqp_end(p, entry, ERR_NO_MEMORY, NULL);
		}
	}
	pthread_mutex_unlock(&p->lock);
	return taken;
}

/* The broker refuses this queue (its rights, its arguments): nobody else's message suffers. */
static void
publisher_fail_queue(struct publisher_amqp *p, const char *queue, const struct err *why)
{
	struct publisher_entry *next;

	pthread_mutex_lock(&p->lock);
	for (struct publisher_entry *at = p->list; at; at = next) {
		next = at->next;
		if (at->state == ENTRY_NEW && strcmp(at->message->destination, queue) == 0)
			publisher_amqp_end(p, at, ERR_UNAVAILABLE, why);
	}
	pthread_mutex_unlock(&p->lock);
}

/* Sends the first entry, which is for queue. */
static int
publisher_send_one(struct publisher_amqp *p, const char *queue, struct err *e)
{
	SCOPED_FREE char *block = NULL;
	struct message message;
	uint64_t tag;

	if (!publisher_take_new(p, queue, &message, &block, &tag))
		return 0;
	return link_amqp_publish(
		&p->link, &(struct link_amqp_message){ CHANNEL_WORK, tag, NULL, &message }, e);
}

static int
publisher_send_new(struct publisher_amqp *p, struct err *e)
{
	char queue[QUEUE_NAME_MAX + 1];
	int r;

	while (publisher_peek_new(p, queue)) {
		if ((r = link_amqp_ensure_queue(&p->link, queue, e)) == ERR_DENIED) {
			publisher_fail_queue(p, queue, e);
			continue;
		}
		if (r < 0 || (r = publisher_send_one(p, queue, e)) < 0)
			return r;
	}
	return 0;
}

static int
publisher_read_frames(struct publisher_amqp *p, struct err *e)
{
	amqp_frame_t frame;
	int r;

	while ((r = link_amqp_next_frame(&p->link, &frame, e)) > 0)
		if ((r = publisher_handle_frame(p, &frame, e)) < 0)
			return r;
	return r;
}

/* What callers see of the connection. A broker that is blocked takes nothing, so nothing waits for
 * it. */
static int
publisher_share_state(struct publisher_amqp *p, struct err *e)
{
	struct err alarm = ERR_NONE;
	struct publisher_entry *next;
	int r = 0;

	(void)err_set(&alarm, ERR_UNAVAILABLE, "%s", PUBLISHER_BLOCKED);
	pthread_mutex_lock(&p->lock);
	p->blocked = p->link.blocked;
	for (struct publisher_entry *at = p->list; at && p->blocked; at = next) {
		next = at->next;
		if (at->state == ENTRY_NEW)
			publisher_amqp_end(p, at, ERR_UNAVAILABLE, &alarm);
	}
	if (p->suspect && !p->blocked)
		r = err_set(e, ERR_UNAVAILABLE, "rabbitmq: a confirm did not come in time");
	p->suspect = false;
	pthread_mutex_unlock(&p->lock);
	return r;
}

static int
publisher_connect(struct publisher_amqp *p, struct err *e)
{
	int r;

	if ((r = link_amqp_open(&p->link, e)) < 0 ||
	    (r = link_amqp_confirm_select(&p->link, CHANNEL_WORK, e)) < 0)
		return r;
	pthread_mutex_lock(&p->lock);
	p->last_tag = 0;
	p->in_flight = p->in_flight_bytes = 0;
	p->connected = p->tried = true;
	p->suspect = false;
	pthread_mutex_unlock(&p->lock);
	return 0;
}

static bool
publisher_is_stopping(struct publisher_amqp *p)
{
	bool stopping;

	pthread_mutex_lock(&p->lock);
	stopping = p->stopping;
	pthread_mutex_unlock(&p->lock);
	return stopping;
}

void *
publisher_amqp_work(void *arg)
{
	struct publisher_amqp *p = arg;
	struct err e;
	int r;

	while (!publisher_is_stopping(p)) {
		e = ERR_NONE;
		if (!p->link.conn && link_amqp_wait_ms(&p->link) > 0) {
			link_amqp_poll(&p->link, p->wake, link_amqp_wait_ms(&p->link));
			continue;
		}
		r = p->link.conn ? 0 : publisher_connect(p, &e);
		if (r == 0 && (r = publisher_read_frames(p, &e)) == 0 &&
		    (r = publisher_share_state(p, &e)) == 0 && (r = publisher_send_new(p, &e)) == 0)
			link_amqp_poll(&p->link, p->wake, TICK_MS);
		if (r < 0) {
			content_amqp_reset(&p->content);
			link_amqp_drop(&p->link);
			publisher_amqp_lost(p, &e);
		}
	}
	return NULL;
}
