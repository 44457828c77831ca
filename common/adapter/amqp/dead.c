/* Dead letters by basic.get: fetched and held on one channel, told one by one, and given back
 * together by one nack, so that the broker restores their order. */
#include "adapter/amqp/private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define WAIT_MS 20
/* A quorum queue counts returns and drops a message past its limit (20 unless a policy says
 * otherwise). */
#define RETURNS_MAX 10

struct dead_amqp {
	struct dead_letters port;
	struct link_amqp link;
	uint64_t tag, confirmed; /* of publishes on CHANNEL_BURY */
	bool refused;
	struct content_amqp content, returned;
	uint64_t fetched; /* delivery tag of the message at hand */
	size_t behind;    /* how many the queue held behind it */
	bool redelivered;
	int64_t returns;
	char reason[DEAD_REASON_MAX + 1];
};

static bool
dead_is_named(const amqp_table_entry_t *h, const char *name)
{
	return h->key.len == strlen(name) && memcmp(h->key.bytes, name, h->key.len) == 0;
}

static int64_t
dead_number_of(const amqp_field_value_t *v)
{
	switch (v->kind) {
	case AMQP_FIELD_KIND_I64:
		return v->value.i64;
	case AMQP_FIELD_KIND_I32:
		return v->value.i32;
	case AMQP_FIELD_KIND_I16:
		return v->value.i16;
	case AMQP_FIELD_KIND_I8:
		return v->value.i8;
	default:
		return 0;
	}
}

static void
dead_read_headers(struct dead_amqp *d, const amqp_basic_properties_t *p)
{
	d->reason[0] = '\0';
	d->returns = 0;
	if (!p || !(p->_flags & AMQP_BASIC_HEADERS_FLAG))
		return;
	for (int i = 0; i < p->headers.num_entries; i++) {
		const amqp_table_entry_t *h = &p->headers.entries[i];

		if (dead_is_named(h, "x-reason") && h->value.kind == AMQP_FIELD_KIND_UTF8)
			(void)snprintf(d->reason, sizeof d->reason, "%.*s",
				       (int)h->value.value.bytes.len,
				       (const char *)h->value.value.bytes.bytes);
		if ((dead_is_named(h, "x-delivery-count") ||
		     dead_is_named(h, "x-acquired-count")) &&
		    dead_number_of(&h->value) > d->returns)
			d->returns = dead_number_of(&h->value);
	}
}

/* 1 when the fetched message is whole. */
static int
dead_handle_frame(struct dead_amqp *d, const amqp_frame_t *frame, struct err *e)
{
	int r;

	if (frame->frame_type == AMQP_FRAME_METHOD) {
		const amqp_method_t *m = &frame->payload.method;

		if (m->id == AMQP_BASIC_ACK_METHOD)
			d->confirmed = ((const amqp_basic_ack_t *)m->decoded)->delivery_tag;
		if (m->id == AMQP_BASIC_NACK_METHOD || m->id == AMQP_BASIC_RETURN_METHOD)
			d->refused = true;
		return 0;
	}
	if (frame->channel != CHANNEL_WORK) { /* a publish that came back */
		r = content_amqp_take(&d->returned, frame, e);
		return r < 0 ? r : 0;
	}
	if (frame->frame_type == AMQP_FRAME_HEADER)
		dead_read_headers(d, frame->payload.properties.decoded);
	return content_amqp_take(&d->content, frame, e);
}

/* Reads frames until ended says so. */
static int
dead_await(struct dead_amqp *d, bool (*ended)(const struct dead_amqp *), const char *what,
	   struct err *e)
{
	int64_t until = now_monotonic_ms() + d->link.deadline_ms;
	amqp_frame_t frame;
	int r;

	while (!ended(d)) {
		if ((r = link_amqp_next_frame(&d->link, &frame, e)) < 0 ||
		    (r > 0 && (r = dead_handle_frame(d, &frame, e)) < 0))
			return r;
		if (r > 0 || ended(d))
			continue;
		if (now_monotonic_ms() >= until)
			return err_set(e, ERR_TIMEOUT, "rabbitmq: %s: not in time", what);
		link_amqp_poll(&d->link, -1, WAIT_MS);
	}
	return 0;
}

static bool
dead_is_whole(const struct dead_amqp *d)
{
	return d->content.open && d->content.seen >= d->content.size;
}

static bool
dead_is_confirmed(const struct dead_amqp *d)
{
	return d->refused || d->confirmed >= d->tag;
}

/* 1: a message is at hand; 0: the queue has no more, or there is none. */
static int
dead_fetch(struct dead_amqp *d, const char *dead, struct err *e)
{
	amqp_rpc_reply_t reply =
		amqp_basic_get(d->link.conn, CHANNEL_WORK, amqp_cstring_bytes(dead), 0);
	const amqp_basic_get_ok_t *ok = reply.reply.decoded;
	int r;

	if ((r = link_amqp_check(reply, dead, e)) < 0)
		return r;
	if (reply.reply.id != AMQP_BASIC_GET_OK_METHOD)
		return 0;
	d->fetched = ok->delivery_tag;
	d->redelivered = ok->redelivered != 0;
	d->behind = ok->message_count;
	content_amqp_reset(&d->content);
	r = dead_await(d, dead_is_whole, dead, e);
	return r < 0 ? r : 1;
}

static int
dead_ack(struct dead_amqp *d, struct err *e)
{
	return link_amqp_status(amqp_basic_ack(d->link.conn, CHANNEL_WORK, d->fetched, 0), "ack",
				e);
}

/* The message at hand goes to queue, which must hold it before the broker forgets it here. */
static int
dead_move(struct dead_amqp *d, const char *queue, const char *reason, struct err *e)
{
	struct message message = d->content.message;
	struct link_amqp_message m = { CHANNEL_BURY, 0, reason, &message };
	int r;

	message.destination = queue;

	if (d->link.blocked)
		return err_set(e, ERR_UNAVAILABLE, "rabbitmq: takes no messages now (an alarm)");
	if ((r = link_amqp_ensure_queue(&d->link, queue, e)) < 0)
		return r;
	m.tag = ++d->tag;
	d->refused = false;
	if ((r = link_amqp_publish(&d->link, &m, e)) < 0 ||
	    (r = dead_await(d, dead_is_confirmed, queue, e)) < 0)
		return r;
	if (d->refused)
		return err_set(e, ERR_UNAVAILABLE, "rabbitmq: %s: the broker refused the message",
			       queue);
	return dead_ack(d, e);
}

static int
dead_carry_out(struct dead_amqp *d, int verdict, const char *queue, const char *dead, struct err *e)
{
	bool cut = d->content.size > d->content.message.len;

	switch ((enum dead_verdict)verdict) {
	case DEAD_DROP:
		return dead_ack(d, e);
	case DEAD_REQUEUE:
		if (cut)
			return err_set(e, ERR_TOO_LARGE, "a message of %llu bytes is not requeued",
				       (unsigned long long)d->content.size);
		return dead_move(d, queue, NULL, e);
	case DEAD_KEEP:
		if (d->returns >= RETURNS_MAX && !cut)
			return dead_move(d, dead, d->reason[0] ? d->reason : NULL, e);
		return 0;
	}
	return err_set(e, ERR_INTERNAL, "no such verdict");
}

static int
dead_visit_all(struct dead_amqp *d, const char *queue, size_t max, dead_visitor visitor, void *arg,
	       struct err *e)
{
	char dead[QUEUE_NAME_MAX + 1];
	int r;

	if ((r = amqp_name_dead(queue, dead, e)) < 0)
		return r;
	for (size_t i = 0; i < max; i++) {
		struct dead_letter letter;

		if ((r = dead_fetch(d, dead, e)) <= 0)
			return r;
		/* What joins the queue while we look, our own copies too, is not visited. */
		if (i == 0 && max > d->behind + 1)
			max = d->behind + 1;
		letter = (struct dead_letter){ d->content.message, d->content.size, d->reason,
					       d->redelivered };
		letter.message.destination = queue;
		if ((r = visitor(arg, &letter, e)) < 0 ||
		    (r = dead_carry_out(d, r, queue, dead, e)) < 0)
			return r;
	}
	return 0;
}

/* What was said counts once the broker has answered something behind it. */
static int
dead_give_back(struct dead_amqp *d, struct err *e)
{
	int r = link_amqp_status(amqp_basic_nack(d->link.conn, CHANNEL_WORK, 0, 1, 1), "give back",
				 e);

	if (r < 0)
		return r;
	(void)amqp_basic_qos(d->link.conn, CHANNEL_WORK, 0, 1, 0);
	return link_amqp_check(amqp_get_rpc_reply(d->link.conn), "give back", e);
}

static int
dead_amqp_visit(struct dead_letters *port, const char *queue, size_t max, dead_visitor visitor,
		void *arg, struct err *e)
{
	struct dead_amqp *d = CONTAINER_OF(port, struct dead_amqp, port);
	struct err lost = ERR_NONE;
	int r, back = 0;

	d->tag = d->confirmed = d->fetched = 0;
	if ((r = link_amqp_open(&d->link, e)) == 0 &&
	    (r = link_amqp_confirm_select(&d->link, CHANNEL_BURY, e)) == 0) {
		r = dead_visit_all(d, queue, max, visitor, arg, e);
		if (r == ERR_NOT_FOUND &&
		    d->fetched == 0) /* no such queue: the channel is closed */
			r = 0;
		else if (d->fetched > 0)
			back = dead_give_back(d, &lost);
	}
	link_amqp_close(&d->link);
	content_amqp_reset(&d->content);
	content_amqp_reset(&d->returned);
	if (r == 0 && back < 0)
		return err_set(e, back, "%s", lost.text);
	return r;
}

static void
dead_amqp_close(struct dead_letters *port)
{
	struct dead_amqp *d = CONTAINER_OF(port, struct dead_amqp, port);

	link_amqp_fini(&d->link);
	free(d);
}

static const struct dead_letters_ops dead_amqp_ops = { .visit = dead_amqp_visit,
						       .close = dead_amqp_close };

int
dead_letters_amqp_new(const struct queue_amqp_config *config, struct dead_letters **ret,
		      struct err *e)
{
	struct dead_amqp *d = calloc(1, sizeof *d);
	int r;

	if (!d)
		return err_set(e, ERR_NO_MEMORY, "dead letters");
	d->port.ops = &dead_amqp_ops;
	if ((r = link_amqp_init(&d->link, config, e)) < 0) {
		dead_amqp_close(&d->port);
		return r;
	}
	*ret = &d->port;
	return 0;
}
