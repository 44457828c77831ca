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
unlink_entry(struct publisher_amqp *p, const struct entry *entry)
{
	for (struct entry **at = &p->list; *at; at = &(*at)->next) {
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
publisher_end(struct publisher_amqp *p, struct entry *entry, int result, const struct err *why)
{
	if (entry->state == ENTRY_SENT) {
		p->in_flight--;
		p->in_flight_bytes -= entry->len;
	}
	unlink_entry(p, entry);
	entry->state = ENTRY_ENDED;
	entry->result = result;
	if (why)
		entry->why = *why;
	(void)pthread_cond_broadcast(&p->ended);
}

void
publisher_lost(struct publisher_amqp *p, const struct err *why)
{
	(void)pthread_mutex_lock(&p->lock);
	while (p->list)
		publisher_end(p, p->list, ERR_UNAVAILABLE, why);
	p->in_flight = p->in_flight_bytes = 0;
	p->connected = false;
	p->tried = true;
	p->suspect = false;
	p->last_error = *why;
	p->last_error.code = ERR_UNAVAILABLE;
	(void)pthread_mutex_unlock(&p->lock);
}

static void
end_confirmed(struct publisher_amqp *p, uint64_t tag, bool multiple, bool positive)
{
	struct err why = ERR_NONE;
	struct entry *next;

	(void)pthread_mutex_lock(&p->lock);
	for (struct entry *at = p->list; at; at = next) {
		next = at->next;
		if (at->state != ENTRY_SENT || (multiple ? at->tag > tag : at->tag != tag))
			continue;
		if (positive && !at->returned) {
			publisher_end(p, at, 0, NULL);
			continue;
		}
		(void)err_set(&why, ERR_UNAVAILABLE, "rabbitmq: %s: %s", at->queue,
			      at->returned ? "no such queue, the message came back"
					   : "the broker refused the message");
		publisher_end(p, at, ERR_UNAVAILABLE, &why);
	}
	(void)pthread_mutex_unlock(&p->lock);
}

static void
note_return(struct publisher_amqp *p, uint64_t tag)
{
	(void)pthread_mutex_lock(&p->lock);
	for (struct entry *at = p->list; at; at = at->next) {
		if (at->state != ENTRY_SENT || at->tag != tag)
			continue;
		at->returned = true;
		link_forget_queue(&p->link, at->queue);
	}
	(void)pthread_mutex_unlock(&p->lock);
}

static int
handle_frame(struct publisher_amqp *p, const amqp_frame_t *frame, struct err *e)
{
	int r;

	if (frame->frame_type != AMQP_FRAME_METHOD) {
		if ((r = content_take(&p->content, frame, e)) < 0)
			return r;
		if (r == 1) { /* only returns have content here */
			note_return(p, p->content.message_id);
			content_reset(&p->content);
		}
		return 0;
	}
	if (frame->payload.method.id == AMQP_BASIC_ACK_METHOD) {
		const amqp_basic_ack_t *m = frame->payload.method.decoded;

		end_confirmed(p, m->delivery_tag, m->multiple, true);
	} else if (frame->payload.method.id == AMQP_BASIC_NACK_METHOD) {
		const amqp_basic_nack_t *m = frame->payload.method.decoded;

		end_confirmed(p, m->delivery_tag, m->multiple, false);
	}
	return 0;
}

/* Under lock: the first entry that may go out now. */
static struct entry *
first_new(struct publisher_amqp *p)
{
	if (p->blocked || p->in_flight >= IN_FLIGHT_MAX)
		return NULL;
	for (struct entry *at = p->list; at; at = at->next)
		if (at->state == ENTRY_NEW)
			return p->in_flight > 0 && p->in_flight_bytes + at->len > IN_FLIGHT_BYTES
				       ? NULL
				       : at;
	return NULL;
}

static bool
peek_new(struct publisher_amqp *p, char queue[QUEUE_NAME_MAX + 1])
{
	struct entry *entry;

	(void)pthread_mutex_lock(&p->lock);
	if ((entry = first_new(p)) != NULL)
		(void)str_copy(queue, QUEUE_NAME_MAX + 1, entry->queue, NULL);
	(void)pthread_mutex_unlock(&p->lock);
	return entry != NULL;
}

/* Marks the first entry as sent and copies its body: its caller may give up meanwhile. Tags count
 * what is published, so that one is given only here. False when the entry is gone, or is for
 * another queue. */
static bool
take_new(struct publisher_amqp *p, const char *queue, struct str *body, uint64_t *ret_tag)
{
	struct entry *entry;
	bool taken = false;

	(void)pthread_mutex_lock(&p->lock);
	entry = first_new(p);
	if (entry && strcmp(entry->queue, queue) == 0) {
		str_clear(body);
		str_append(body, entry->body, entry->len);
		if (str_error(body, NULL) == 0) {
			entry->state = ENTRY_SENT;
			entry->tag = *ret_tag = ++p->last_tag;
			p->in_flight++;
			p->in_flight_bytes += entry->len;
			taken = true;
		} else {
			publisher_end(p, entry, ERR_NO_MEMORY, NULL);
		}
	}
	(void)pthread_mutex_unlock(&p->lock);
	return taken;
}

/* The broker refuses this queue (its rights, its arguments): nobody else's message suffers. */
static void
fail_queue(struct publisher_amqp *p, const char *queue, const struct err *why)
{
	struct entry *next;

	(void)pthread_mutex_lock(&p->lock);
	for (struct entry *at = p->list; at; at = next) {
		next = at->next;
		if (at->state == ENTRY_NEW && strcmp(at->queue, queue) == 0)
			publisher_end(p, at, ERR_UNAVAILABLE, why);
	}
	(void)pthread_mutex_unlock(&p->lock);
}

static int
send_new(struct publisher_amqp *p, struct err *e)
{
	SCOPED(str_free) struct str body = STR_MAX(CONTENT_MAX);
	char queue[QUEUE_NAME_MAX + 1];
	uint64_t tag;
	int r;

	while (peek_new(p, queue)) {
		if ((r = link_ensure_queue(&p->link, queue, e)) == ERR_DENIED) {
			fail_queue(p, queue, e);
			continue;
		}
		if (r < 0)
			return r;
		if (take_new(p, queue, &body, &tag) &&
		    (r = link_publish(&p->link,
				      &(struct link_message){ CHANNEL_WORK, tag, queue, NULL,
							      str_text(&body), body.len },
				      e)) < 0)
			return r;
	}
	return 0;
}

static int
read_frames(struct publisher_amqp *p, struct err *e)
{
	amqp_frame_t frame;
	int r;

	while ((r = link_next_frame(&p->link, &frame, e)) > 0)
		if ((r = handle_frame(p, &frame, e)) < 0)
			return r;
	return r;
}

/* What callers see of the connection. A broker that is blocked takes nothing, so nothing waits for
 * it. */
static int
share_state(struct publisher_amqp *p, struct err *e)
{
	struct err alarm = ERR_NONE;
	struct entry *next;
	int r = 0;

	(void)err_set(&alarm, ERR_UNAVAILABLE, "%s", PUBLISHER_BLOCKED);
	(void)pthread_mutex_lock(&p->lock);
	p->blocked = p->link.blocked;
	for (struct entry *at = p->list; at && p->blocked; at = next) {
		next = at->next;
		if (at->state == ENTRY_NEW)
			publisher_end(p, at, ERR_UNAVAILABLE, &alarm);
	}
	if (p->suspect && !p->blocked)
		r = err_set(e, ERR_UNAVAILABLE, "rabbitmq: a confirm did not come in time");
	p->suspect = false;
	(void)pthread_mutex_unlock(&p->lock);
	return r;
}

static int
connect_now(struct publisher_amqp *p, struct err *e)
{
	int r;

	if ((r = link_open(&p->link, e)) < 0 ||
	    (r = link_confirm_select(&p->link, CHANNEL_WORK, e)) < 0)
		return r;
	(void)pthread_mutex_lock(&p->lock);
	p->last_tag = 0;
	p->in_flight = p->in_flight_bytes = 0;
	p->connected = p->tried = true;
	p->suspect = false;
	(void)pthread_mutex_unlock(&p->lock);
	return 0;
}

static bool
is_stopping(struct publisher_amqp *p)
{
	bool stopping;

	(void)pthread_mutex_lock(&p->lock);
	stopping = p->stopping;
	(void)pthread_mutex_unlock(&p->lock);
	return stopping;
}

void *
publisher_work(void *arg)
{
	struct publisher_amqp *p = arg;
	struct err e;
	int r;

	while (!is_stopping(p)) {
		e = ERR_NONE;
		if (p->link.conn == NULL && link_wait_ms(&p->link) > 0) {
			link_poll(&p->link, p->wake, link_wait_ms(&p->link));
			continue;
		}
		r = p->link.conn == NULL ? connect_now(p, &e) : 0;
		if (r == 0 && (r = read_frames(p, &e)) == 0 && (r = share_state(p, &e)) == 0 &&
		    (r = send_new(p, &e)) == 0)
			link_poll(&p->link, p->wake, TICK_MS);
		if (r < 0) {
			content_reset(&p->content);
			link_drop(&p->link);
			publisher_lost(p, &e);
		}
	}
	return NULL;
}
