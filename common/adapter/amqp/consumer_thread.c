/* The consumer's thread: it alone uses the connection. */
#include "adapter/amqp/consumer_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define TICK_MS 1000
#define BURY_WAIT_MS 20

static void
consumer_drop_list(struct consumer_amqp *c)
{
	while (c->count > 0) {
		queue_delivery_free(&c->list[c->first]);
		c->first = (c->first + 1) % c->room;
		c->count--;
	}
}

/* Under lock: what was said of deliveries of a lost connection means nothing any more. */
static void
consumer_drop_orders(struct consumer_amqp *c, const struct err *why)
{
	for (; c->order_count > 0; c->order_count--) {
		struct consumer_bury *b = c->orders[c->order_first].bury;

		c->order_first = (c->order_first + 1) % c->room;
		if (!b)
			continue;
		b->ended = true;
		b->result = ERR_UNAVAILABLE;
		b->why = *why;
	}
	pthread_cond_broadcast(&c->changed);
}

void
consumer_amqp_lost(struct consumer_amqp *c, const struct err *why)
{
	link_amqp_drop(&c->link);
	content_amqp_reset(&c->content);
	content_amqp_reset(&c->returned);
	c->subscribed = false;
	pthread_mutex_lock(&c->lock);
	c->ready = false;
	c->generation++;
	consumer_drop_list(c);
	consumer_drop_orders(c, why);
	c->last_error = *why;
	pthread_mutex_unlock(&c->lock);
}

/* The consumer tag is the queue's number. */
static amqp_bytes_t
consumer_tag_of(size_t i, char text[4])
{
	text[0] = 'q';
	text[1] = (char)('0' + i % 10);
	text[2] = '\0';
	return amqp_cstring_bytes(text);
}

static int
consumer_subscribe(struct consumer_amqp *c, struct err *e)
{
	char tag[4];
	int r;

	for (size_t i = 0; i < c->queue_count; i++) {
		if ((r = link_amqp_ensure_queue(&c->link, c->queues[i], e)) < 0)
			return r;
		(void)amqp_basic_qos(c->link.conn, CHANNEL_WORK, 0, (uint16_t)c->prefetch, 0);
		if ((r = link_amqp_check(amqp_get_rpc_reply(c->link.conn), "qos", e)) < 0)
			return r;
		(void)amqp_basic_consume(c->link.conn, CHANNEL_WORK,
					 amqp_cstring_bytes(c->queues[i]), consumer_tag_of(i, tag),
					 0, 0, 0, amqp_empty_table);
		if ((r = link_amqp_check(amqp_get_rpc_reply(c->link.conn), "consume", e)) < 0)
			return r;
	}
	c->subscribed = true;
	return 0;
}

static int
consumer_reject(struct consumer_amqp *c, uint64_t tag, struct err *e)
{
	return link_amqp_status(amqp_basic_nack(c->link.conn, CHANNEL_WORK, tag, 0, 1), "requeue",
				e);
}

/* What is in the list but was given to nobody goes back to the broker. */
static int
consumer_return_list(struct consumer_amqp *c, struct err *e)
{
	struct queue_delivery d;
	int r = 0;

	for (;;) {
		pthread_mutex_lock(&c->lock);
		if (c->count == 0) {
			pthread_mutex_unlock(&c->lock);
			return r;
		}
		d = c->list[c->first];
		c->first = (c->first + 1) % c->room;
		c->count--;
		pthread_mutex_unlock(&c->lock);
		if (r == 0)
			r = consumer_reject(c, d.tag, e);
		queue_delivery_free(&d);
	}
}

static int
consumer_unsubscribe(struct consumer_amqp *c, struct err *e)
{
	char tag[4];
	int r;

	for (size_t i = 0; i < c->queue_count; i++) {
		(void)amqp_basic_cancel(c->link.conn, CHANNEL_WORK, consumer_tag_of(i, tag));
		if ((r = link_amqp_check(amqp_get_rpc_reply(c->link.conn), "cancel", e)) < 0)
			return r;
	}
	c->subscribed = false;
	return consumer_return_list(c, e);
}

static void
consumer_begin_delivery(struct consumer_amqp *c, const amqp_basic_deliver_t *m)
{
	size_t i = m->consumer_tag.len > 1
			   ? (size_t)(((const char *)m->consumer_tag.bytes)[1] - '0')
			   : 0;

	content_amqp_reset(&c->content);
	c->arriving = (struct queue_delivery){ .tag = m->delivery_tag,
					       .redelivered = m->redelivered != 0 };
	c->arriving.message.destination = c->queues[i < c->queue_count ? i : 0];
}

static int
consumer_end_delivery(struct consumer_amqp *c, struct err *e)
{
	struct queue_delivery d = c->arriving;
	bool room;

	d.message = c->content.message;
	d.message.destination = c->arriving.message.destination;
	d.block = TAKE(c->content.block);
	content_amqp_reset(&c->content);
	pthread_mutex_lock(&c->lock);
	room = c->subscribed && c->count < c->room;
	if (room) {
		d.connection = c->generation;
		c->list[(c->first + c->count++) % c->room] = d;
		pthread_cond_broadcast(&c->changed);
	}
	pthread_mutex_unlock(&c->lock);
	if (room)
		return 0;
	queue_delivery_free(&d); /* it was under way when we unsubscribed */
	return consumer_reject(c, c->arriving.tag, e);
}

static int
consumer_handle_method(struct consumer_amqp *c, const amqp_frame_t *frame, struct err *e)
{
	const amqp_method_t *m = &frame->payload.method;

	switch (m->id) {
	case AMQP_BASIC_DELIVER_METHOD:
		consumer_begin_delivery(c, m->decoded);
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
consumer_handle_frame(struct consumer_amqp *c, const amqp_frame_t *frame, struct err *e)
{
	int r;

	if (frame->frame_type == AMQP_FRAME_METHOD)
		return consumer_handle_method(c, frame, e);
	if (frame->channel != CHANNEL_WORK) { /* a buried message that came back */
		r = content_amqp_take(&c->returned, frame, e);
		return r < 0 ? r : 0;
	}
	if ((r = content_amqp_take(&c->content, frame, e)) < 0)
		return r;
	return r == 1 ? consumer_end_delivery(c, e) : 0;
}

static int
consumer_read_frames(struct consumer_amqp *c, struct err *e)
{
	amqp_frame_t frame;
	int r;

	while ((r = link_amqp_next_frame(&c->link, &frame, e)) > 0)
		if ((r = consumer_handle_frame(c, &frame, e)) < 0)
			return r;
	return r;
}

/* The dead queue must hold the message before the broker forgets it here. */
static int
consumer_carry_out_bury(struct consumer_amqp *c, const struct consumer_bury *b, struct err *e)
{
	int64_t until = now_monotonic_ms() + c->deadline_ms;
	struct message m = b->delivery->message;
	char dead[QUEUE_NAME_MAX + 1];
	int r;

	if ((r = amqp_name_dead(m.destination, dead, e)) < 0)
		return r;
	m.destination = dead;
	c->bury_refused = false;
	if ((r = link_amqp_ensure_queue(&c->link, dead, e)) < 0 ||
	    (r = link_amqp_publish(
		     &c->link,
		     &(struct link_amqp_message){ CHANNEL_BURY, ++c->bury_tag, b->reason, &m },
		     e)) < 0)
		return r;
	while (c->bury_done < c->bury_tag && !c->bury_refused) {
		if (now_monotonic_ms() >= until)
			return err_set(e, ERR_TIMEOUT, "rabbitmq: %s: no confirm in time", dead);
		link_amqp_poll(&c->link, -1,
			       BURY_WAIT_MS); /* the wake is for consumer_serve_once */
		if ((r = consumer_read_frames(c, e)) < 0)
			return r;
	}
	if (c->bury_refused)
		return err_set(e, ERR_UNAVAILABLE, "rabbitmq: %s: the broker refused the message",
			       dead);
	return link_amqp_status(amqp_basic_ack(c->link.conn, CHANNEL_WORK, b->delivery->tag, 0),
				"ack", e);
}

static int
consumer_carry_out(struct consumer_amqp *c, const struct consumer_order *o, struct err *e)
{
	int r;

	switch (o->verdict) {
	case VERDICT_ACK:
		return link_amqp_status(amqp_basic_ack(c->link.conn, CHANNEL_WORK, o->tag, 0),
					"ack", e);
	case VERDICT_REQUEUE:
		return consumer_reject(c, o->tag, e);
	case VERDICT_BURY:
		r = consumer_carry_out_bury(c, o->bury, e);
		pthread_mutex_lock(&c->lock);
		o->bury->ended = true;
		o->bury->result = r;
		if (r < 0)
			o->bury->why = *e;
		pthread_cond_broadcast(&c->changed);
		pthread_mutex_unlock(&c->lock);
		return r;
	}
	return 0;
}

static int
consumer_carry_out_orders(struct consumer_amqp *c, struct err *e)
{
	struct consumer_order o;
	int r;

	for (;;) {
		pthread_mutex_lock(&c->lock);
		if (c->order_count == 0) {
			pthread_mutex_unlock(&c->lock);
			return 0;
		}
		o = c->orders[c->order_first];
		c->order_first = (c->order_first + 1) % c->room;
		c->order_count--;
		pthread_mutex_unlock(&c->lock);
		if ((r = consumer_carry_out(c, &o, e)) < 0)
			return r;
	}
}

static int
consumer_connect(struct consumer_amqp *c, struct err *e)
{
	int r;

	if ((r = link_amqp_open(&c->link, e)) < 0 ||
	    (r = link_amqp_confirm_select(&c->link, CHANNEL_BURY, e)) < 0)
		return r;
	c->bury_tag = c->bury_done = 0;
	return 0;
}

/* Brings the subscription to what is asked for. */
static int
consumer_reconcile(struct consumer_amqp *c, struct err *e)
{
	bool wanted;
	int r = 0;

	pthread_mutex_lock(&c->lock);
	wanted = !c->paused;
	pthread_mutex_unlock(&c->lock);
	if (wanted && !c->subscribed)
		r = consumer_subscribe(c, e);
	else if (!wanted && c->subscribed)
		r = consumer_unsubscribe(c, e);
	if (r < 0)
		return r;
	pthread_mutex_lock(&c->lock);
	c->ready = true;
	pthread_mutex_unlock(&c->lock);
	return 0;
}

static bool
consumer_is_stopping(struct consumer_amqp *c)
{
	bool stopping;

	pthread_mutex_lock(&c->lock);
	stopping = c->stopping;
	pthread_mutex_unlock(&c->lock);
	return stopping;
}

static int
consumer_serve_once(struct consumer_amqp *c, struct err *e)
{
	int r;

	if (!c->link.conn && (r = consumer_connect(c, e)) < 0)
		return r;
	if ((r = consumer_reconcile(c, e)) < 0 || (r = consumer_carry_out_orders(c, e)) < 0 ||
	    (r = consumer_read_frames(c, e)) < 0)
		return r;
	link_amqp_poll(&c->link, c->wake, TICK_MS);
	return 0;
}

void *
consumer_amqp_work(void *arg)
{
	struct consumer_amqp *c = arg;
	struct err e;

	while (!consumer_is_stopping(c)) {
		e = ERR_NONE;
		if (!c->link.conn && link_amqp_wait_ms(&c->link) > 0)
			link_amqp_poll(&c->link, c->wake, link_amqp_wait_ms(&c->link));
		else if (consumer_serve_once(c, &e) < 0)
			consumer_amqp_lost(c, &e);
	}
	if (c->link.conn) /* what was said before the stop still goes out */
		(void)consumer_carry_out_orders(c, &e);
	return NULL;
}
