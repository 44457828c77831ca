/* The publisher: callers leave their message in a list and wait; one thread owns the connection,
 * sends what is new, and matches the broker's confirms. A caller's entry lives on its stack: it is
 * in the list only while it waits. */
#include "adapter/queue_amqp_private.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"

/* Messages and bytes without a confirm: they fit the socket's buffer, so that a send does not wait
 * for a frozen broker. */
#define IN_FLIGHT_MAX 64
#define IN_FLIGHT_BYTES ((size_t)128 * 1024)
#define TICK_MS 1000

static const char blocked_words[] = "rabbitmq: the broker takes no messages now (resource alarm)";

enum entry_state { ENTRY_NEW, ENTRY_SENT, ENTRY_ENDED };

struct entry {
	struct entry *next;
	const char *queue, *body;
	size_t len;
	enum entry_state state;
	uint64_t tag;
	bool returned;
	int result;
	struct err why;
};

struct publisher_amqp {
	struct publisher port;
	/* set once */
	size_t max_waiting;
	int64_t deadline_ms;
	int wake;
	pthread_t thread;
	pthread_cond_t ended;
	/* owned by the thread */
	struct link link;
	struct content content;
	uint64_t last_tag;
	size_t in_flight, in_flight_bytes;
	/* under lock */
	pthread_mutex_t lock;
	struct entry *list, **tail;
	size_t waiting;
	bool connected, tried, blocked, suspect, stopping;
	struct err last_error;
};

static struct publisher_amqp *
publisher_of(struct publisher *p)
{
	return CONTAINER_OF(p, struct publisher_amqp, port);
}

static void
wake(struct publisher_amqp *p)
{
	uint64_t one = 1;

	(void)!write(p->wake, &one, sizeof one);
}

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
static void
end_entry(struct publisher_amqp *p, struct entry *entry, int result, const struct err *why)
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

static void
fail_all(struct publisher_amqp *p, const struct err *why)
{
	(void)pthread_mutex_lock(&p->lock);
	while (p->list)
		end_entry(p, p->list, ERR_UNAVAILABLE, why);
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
			end_entry(p, at, 0, NULL);
			continue;
		}
		(void)err_set(&why, ERR_UNAVAILABLE, "rabbitmq: %s: %s", at->queue,
			      at->returned ? "no such queue, the message came back"
					   : "the broker refused the message");
		end_entry(p, at, ERR_UNAVAILABLE, &why);
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
			end_entry(p, entry, ERR_NO_MEMORY, NULL);
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
			end_entry(p, at, ERR_UNAVAILABLE, why);
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
		    (r = link_publish(&p->link, CHANNEL_WORK, tag, queue, NULL, str_text(&body),
				      body.len, e)) < 0)
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

	(void)err_set(&alarm, ERR_UNAVAILABLE, "%s", blocked_words);
	(void)pthread_mutex_lock(&p->lock);
	p->blocked = p->link.blocked;
	for (struct entry *at = p->list; at && p->blocked; at = next) {
		next = at->next;
		if (at->state == ENTRY_NEW)
			end_entry(p, at, ERR_UNAVAILABLE, &alarm);
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

static void *
work(void *arg)
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
			fail_all(p, &e);
		}
	}
	return NULL;
}

/* Under lock: what a caller is told at once. */
static int
refuse_now(struct publisher_amqp *p, struct err *e)
{
	if (p->tried && !p->connected)
		return err_set(e, ERR_UNAVAILABLE, "%s", p->last_error.text);
	if (p->blocked)
		return err_set(e, ERR_UNAVAILABLE, "%s", blocked_words);
	if (p->waiting >= p->max_waiting)
		return err_set(e, ERR_UNAVAILABLE, "rabbitmq: %zu publishes are waiting",
			       p->waiting);
	return 0;
}

static void
wait_ended(struct publisher_amqp *p, struct entry *entry)
{
	int64_t until = now_monotonic_ms() + p->deadline_ms;
	struct timespec t = { .tv_sec = (time_t)(until / 1000),
			      .tv_nsec = (long)(until % 1000) * 1000000L };
	struct err late = ERR_NONE;

	while (entry->state != ENTRY_ENDED)
		if (pthread_cond_timedwait(&p->ended, &p->lock, &t) == ETIMEDOUT)
			break;
	if (entry->state == ENTRY_ENDED)
		return;
	p->suspect = p->connected; /* a broker that confirms nothing for so long is frozen */
	wake(p);
	(void)err_set(&late, ERR_TIMEOUT, "rabbitmq: %s: no confirm in time", entry->queue);
	end_entry(p, entry, ERR_TIMEOUT, &late);
}

static int
publisher_publish(struct publisher *port, const char *queue, const char *body, size_t len,
		  struct err *e)
{
	struct publisher_amqp *p = publisher_of(port);
	struct entry entry = { .queue = queue, .body = body, .len = len };
	int r;

	if (strlen(queue) > QUEUE_NAME_MAX || len > CONTENT_MAX)
		return err_set(e, ERR_TOO_LARGE, "queue name or message too long");
	(void)pthread_mutex_lock(&p->lock);
	if ((r = refuse_now(p, e)) == 0) {
		*p->tail = &entry;
		p->tail = &entry.next;
		p->waiting++;
		wake(p);
		wait_ended(p, &entry);
		r = entry.result;
		if (r < 0 && e)
			*e = entry.why, e->code = r;
	}
	(void)pthread_mutex_unlock(&p->lock);
	return r;
}

static int
publisher_amqp_ping(struct publisher *port, struct err *e)
{
	struct publisher_amqp *p = publisher_of(port);
	int r = 0;

	(void)pthread_mutex_lock(&p->lock);
	if (!p->connected)
		r = err_set(e, ERR_UNAVAILABLE, "%s",
			    p->tried ? p->last_error.text : "rabbitmq: connecting");
	(void)pthread_mutex_unlock(&p->lock);
	return r;
}

static void
publisher_amqp_close(struct publisher *port)
{
	struct publisher_amqp *p = publisher_of(port);
	struct err closing = ERR_NONE;

	(void)pthread_mutex_lock(&p->lock);
	p->stopping = true;
	(void)pthread_mutex_unlock(&p->lock);
	wake(p);
	(void)pthread_join(p->thread, NULL);
	link_close(&p->link);
	(void)err_set(&closing, ERR_UNAVAILABLE, "rabbitmq: closing");
	fail_all(p, &closing);
	content_reset(&p->content);
	link_fini(&p->link);
	(void)close(p->wake);
	(void)pthread_cond_destroy(&p->ended);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
}

static const struct publisher_ops publisher_amqp_ops = {
	.publish = publisher_publish,
	.ping = publisher_amqp_ping,
	.close = publisher_amqp_close,
};

static void
init_sync(struct publisher_amqp *p)
{
	pthread_condattr_t monotonic;

	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&p->ended, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
}

int
publisher_amqp_new(const struct queue_amqp_config *config, struct publisher **ret, struct err *e)
{
	struct publisher_amqp *p = calloc(1, sizeof *p);
	int r;

	if (p == NULL)
		return err_set(e, ERR_NO_MEMORY, "publisher");
	p->port.ops = &publisher_amqp_ops;
	p->tail = &p->list;
	p->max_waiting = config->max_waiting;
	p->deadline_ms = config->deadline_ms;
	init_sync(p);
	if ((r = link_init(&p->link, config, e)) < 0) {
		link_fini(&p->link);
		free(p);
		return r;
	}
	p->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->wake < 0 || pthread_create(&p->thread, NULL, work, p) != 0) {
		if (p->wake >= 0)
			(void)close(p->wake);
		link_fini(&p->link);
		free(p);
		return err_set(e, ERR_NO_MEMORY, "thread of the publisher");
	}
	*ret = &p->port;
	return 0;
}
