/* The consumer's thread: it alone uses the connection. */
#include "adapter/amqp/consumer_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define TICK_MS 1000
#define BURY_WAIT_MS 20

static void
drop_list(struct consumer_amqp *c)
{
	while (c->count > 0) {
		queue_delivery_free(&c->list[c->first]);
		c->first = (c->first + 1) % c->room;
		c->count--;
	}
}

/* Under lock: what was said of deliveries of a lost connection means nothing any more. */
static void
drop_orders(struct consumer_amqp *c, const struct err *why)
{
	for (; c->order_count > 0; c->order_count--) {
		struct bury *b = c->orders[c->order_first].bury;

		c->order_first = (c->order_first + 1) % c->room;
		if (b == NULL)
			continue;
		b->ended = true;
		b->result = ERR_UNAVAILABLE;
		b->why = *why;
	}
	(void)pthread_cond_broadcast(&c->changed);
}

void
consumer_lost(struct consumer_amqp *c, const struct err *why)
{
	link_drop(&c->link);
	content_reset(&c->content);
	content_reset(&c->returned);
	c->subscribed = false;
	(void)pthread_mutex_lock(&c->lock);
	c->ready = false;
	c->generation++;
	drop_list(c);
	drop_orders(c, why);
	c->last_error = *why;
	(void)pthread_mutex_unlock(&c->lock);
}

/* The consumer tag is the queue's number. */
static amqp_bytes_t
tag_of(size_t i, char text[4])
{
	text[0] = 'q';
	text[1] = (char)('0' + i % 10);
	text[2] = '\0';
	return amqp_cstring_bytes(text);
}

static int
subscribe(struct consumer_amqp *c, struct err *e)
{
	char tag[4];
	int r;

	for (size_t i = 0; i < c->queue_count; i++) {
		if ((r = link_ensure_queue(&c->link, c->queues[i], e)) < 0)
			return r;
		(void)amqp_basic_qos(c->link.conn, CHANNEL_WORK, 0, (uint16_t)c->prefetch, 0);
		if ((r = link_check(amqp_get_rpc_reply(c->link.conn), "qos", e)) < 0)
			return r;
		(void)amqp_basic_consume(c->link.conn, CHANNEL_WORK,
					 amqp_cstring_bytes(c->queues[i]), tag_of(i, tag), 0, 0, 0,
					 amqp_empty_table);
		if ((r = link_check(amqp_get_rpc_reply(c->link.conn), "consume", e)) < 0)
			return r;
	}
	c->subscribed = true;
	return 0;
}

static int
reject(struct consumer_amqp *c, uint64_t tag, struct err *e)
{
	return link_status(amqp_basic_nack(c->link.conn, CHANNEL_WORK, tag, 0, 1), "requeue", e);
}

/* What is in the list but was given to nobody goes back to the broker. */
static int
return_list(struct consumer_amqp *c, struct err *e)
{
	struct queue_delivery d;
	int r = 0;

	for (;;) {
		(void)pthread_mutex_lock(&c->lock);
		if (c->count == 0) {
			(void)pthread_mutex_unlock(&c->lock);
			return r;
		}
		d = c->list[c->first];
		c->first = (c->first + 1) % c->room;
		c->count--;
		(void)pthread_mutex_unlock(&c->lock);
		if (r == 0)
			r = reject(c, d.tag, e);
		queue_delivery_free(&d);
	}
}

static int
unsubscribe(struct consumer_amqp *c, struct err *e)
{
	char tag[4];
	int r;

	for (size_t i = 0; i < c->queue_count; i++) {
		(void)amqp_basic_cancel(c->link.conn, CHANNEL_WORK, tag_of(i, tag));
		if ((r = link_check(amqp_get_rpc_reply(c->link.conn), "cancel", e)) < 0)
			return r;
	}
	c->subscribed = false;
	return return_list(c, e);
}

static void
note_delivery(struct consumer_amqp *c, const amqp_basic_deliver_t *m)
{
	size_t i = m->consumer_tag.len > 1
			   ? (size_t)(((const char *)m->consumer_tag.bytes)[1] - '0')
			   : 0;

	content_reset(&c->content);
	c->arriving = (struct queue_delivery){ .queue = c->queues[i < c->queue_count ? i : 0],
					       .tag = m->delivery_tag,
					       .redelivered = m->redelivered != 0 };
}

static int
delivery_whole(struct consumer_amqp *c, struct err *e)
{
	struct queue_delivery d = c->arriving;
	bool room;

	d.body = c->content.body;
	d.len = c->content.len;
	c->content.body = NULL;
	content_reset(&c->content);
	(void)pthread_mutex_lock(&c->lock);
	room = c->subscribed && c->count < c->room;
	if (room) {
		d.connection = c->generation;
		c->list[(c->first + c->count++) % c->room] = d;
		(void)pthread_cond_broadcast(&c->changed);
	}
	(void)pthread_mutex_unlock(&c->lock);
	if (room)
		return 0;
	queue_delivery_free(&d); /* it was under way when we unsubscribed */
	return reject(c, c->arriving.tag, e);
}

static int
handle_method(struct consumer_amqp *c, const amqp_frame_t *frame, struct err *e)
{
	const amqp_method_t *m = &frame->payload.method;

	switch (m->id) {
	case AMQP_BASIC_DELIVER_METHOD:
		note_delivery(c, m->decoded);
		return 0;
	case AMQP_BASIC_CANCEL_METHOD: /* a queue was deleted: begin again, on a fresh connection */
		return err_set(e, ERR_UNAVAILABLE, "rabbitmq: the broker ended the subscription");
	case AMQP_BASIC_ACK_METHOD:
		c->bury_done = ((const amqp_basic_ack_t *)m->decoded)->delivery_tag;
		return 0;
	case AMQP_BASIC_NACK_METHOD:
	case AMQP_BASIC_RETURN_METHOD:
		c->bury_refused = true;
		return 0;
	default:
		return 0;
	}
}

static int
handle_frame(struct consumer_amqp *c, const amqp_frame_t *frame, struct err *e)
{
	int r;

	if (frame->frame_type == AMQP_FRAME_METHOD)
		return handle_method(c, frame, e);
	if (frame->channel != CHANNEL_WORK) { /* a buried message that came back */
		r = content_take(&c->returned, frame, e);
		return r < 0 ? r : 0;
	}
	if ((r = content_take(&c->content, frame, e)) < 0)
		return r;
	return r == 1 ? delivery_whole(c, e) : 0;
}

static int
read_frames(struct consumer_amqp *c, struct err *e)
{
	amqp_frame_t frame;
	int r;

	while ((r = link_next_frame(&c->link, &frame, e)) > 0)
		if ((r = handle_frame(c, &frame, e)) < 0)
			return r;
	return r;
}

/* The dead queue must hold the message before the broker forgets it here. */
static int
carry_out_bury(struct consumer_amqp *c, const struct bury *b, struct err *e)
{
	int64_t until = now_monotonic_ms() + c->deadline_ms;
	char dead[QUEUE_NAME_MAX + 1];
	int r;

	if (strlen(b->delivery->queue) + sizeof ".dead" > sizeof dead)
		return err_set(e, ERR_TOO_LARGE, "queue name too long");
	memcpy(dead, b->delivery->queue, strlen(b->delivery->queue));
	memcpy(dead + strlen(b->delivery->queue), ".dead", sizeof ".dead");
	c->bury_refused = false;
	if ((r = link_ensure_queue(&c->link, dead, e)) < 0 ||
	    (r = link_publish(&c->link,
			      &(struct link_message){ CHANNEL_BURY, ++c->bury_tag, dead, b->reason,
						      b->delivery->body, b->delivery->len },
			      e)) < 0)
		return r;
	while (c->bury_done < c->bury_tag && !c->bury_refused) {
		if (now_monotonic_ms() >= until)
			return err_set(e, ERR_TIMEOUT, "rabbitmq: %s: no confirm in time", dead);
		link_poll(&c->link, -1, BURY_WAIT_MS); /* the wake is for serve_once */
		if ((r = read_frames(c, e)) < 0)
			return r;
	}
	if (c->bury_refused)
		return err_set(e, ERR_UNAVAILABLE, "rabbitmq: %s: the broker refused the message",
			       dead);
	return link_status(amqp_basic_ack(c->link.conn, CHANNEL_WORK, b->delivery->tag, 0), "ack",
			   e);
}

static int
carry_out(struct consumer_amqp *c, const struct order *o, struct err *e)
{
	int r;

	switch (o->verdict) {
	case VERDICT_ACK:
		return link_status(amqp_basic_ack(c->link.conn, CHANNEL_WORK, o->tag, 0), "ack", e);
	case VERDICT_REQUEUE:
		return reject(c, o->tag, e);
	case VERDICT_BURY:
		r = carry_out_bury(c, o->bury, e);
		(void)pthread_mutex_lock(&c->lock);
		o->bury->ended = true;
		o->bury->result = r;
		if (r < 0)
			o->bury->why = *e;
		(void)pthread_cond_broadcast(&c->changed);
		(void)pthread_mutex_unlock(&c->lock);
		return r;
	}
	return 0;
}

static int
carry_out_orders(struct consumer_amqp *c, struct err *e)
{
	struct order o;
	int r;

	for (;;) {
		(void)pthread_mutex_lock(&c->lock);
		if (c->order_count == 0) {
			(void)pthread_mutex_unlock(&c->lock);
			return 0;
		}
		o = c->orders[c->order_first];
		c->order_first = (c->order_first + 1) % c->room;
		c->order_count--;
		(void)pthread_mutex_unlock(&c->lock);
		if ((r = carry_out(c, &o, e)) < 0)
			return r;
	}
}

static int
connect_now(struct consumer_amqp *c, struct err *e)
{
	int r;

	if ((r = link_open(&c->link, e)) < 0 ||
	    (r = link_confirm_select(&c->link, CHANNEL_BURY, e)) < 0)
		return r;
	c->bury_tag = c->bury_done = 0;
	return 0;
}

/* Brings the subscription to what is asked for. */
static int
reconcile(struct consumer_amqp *c, struct err *e)
{
	bool wanted;
	int r = 0;

	(void)pthread_mutex_lock(&c->lock);
	wanted = !c->paused;
	(void)pthread_mutex_unlock(&c->lock);
	if (wanted && !c->subscribed)
		r = subscribe(c, e);
	else if (!wanted && c->subscribed)
		r = unsubscribe(c, e);
	if (r < 0)
		return r;
	(void)pthread_mutex_lock(&c->lock);
	c->ready = true;
	(void)pthread_mutex_unlock(&c->lock);
	return 0;
}

static bool
is_stopping(struct consumer_amqp *c)
{
	bool stopping;

	(void)pthread_mutex_lock(&c->lock);
	stopping = c->stopping;
	(void)pthread_mutex_unlock(&c->lock);
	return stopping;
}

static int
serve_once(struct consumer_amqp *c, struct err *e)
{
	int r;

	if (c->link.conn == NULL && (r = connect_now(c, e)) < 0)
		return r;
	if ((r = reconcile(c, e)) < 0 || (r = carry_out_orders(c, e)) < 0 ||
	    (r = read_frames(c, e)) < 0)
		return r;
	link_poll(&c->link, c->wake, TICK_MS);
	return 0;
}

void *
consumer_work(void *arg)
{
	struct consumer_amqp *c = arg;
	struct err e;

	while (!is_stopping(c)) {
		e = ERR_NONE;
		if (c->link.conn == NULL && link_wait_ms(&c->link) > 0)
			link_poll(&c->link, c->wake, link_wait_ms(&c->link));
		else if (serve_once(c, &e) < 0)
			consumer_lost(c, &e);
	}
	if (c->link.conn != NULL) /* what was said before the stop still goes out */
		(void)carry_out_orders(c, &e);
	return NULL;
}
