/* Dead letters of the broker in memory. */
#include "fake/queue/queue_fake_private.h"

struct dead_fake {
	struct dead_letters port;
	struct queue_broker *broker;
};

static int
dead_fake_carry_out(struct queue_broker *b, struct named *q, struct stored *m, const char *queue,
		    int verdict, struct err *e)
{
	bool cut = m->message.len > MESSAGE_BODY_MAX;
	struct message message = m->message;
	int r = 0;

	message.destination = queue;
	switch ((enum dead_verdict)verdict) {
	case DEAD_KEEP:
		m->redelivered = true;
		return 0;
	case DEAD_REQUEUE:
		m->redelivered = true;
		if (cut)
			return err_set(e, ERR_TOO_LARGE, "too large to be requeued");
		if ((r = queue_fake_append(b, &message, "", e)) < 0)
			return r;
		break;
	case DEAD_DROP:
		break;
	}
	queue_fake_remove(q, m);
	return 0;
}

/* The oldest behind skip that nobody holds. */
static struct stored *
dead_fake_at(struct named *q, size_t skip)
{
	for (struct stored *m = q->messages; m; m = m->next)
		if (m->tag == 0 && skip-- == 0)
			return m;
	return NULL;
}

static int
dead_fake_visit(struct dead_letters *port, const char *queue, size_t max, dead_visitor visitor,
		void *arg, struct err *e)
{
	SCOPED(queue_fake_leave_p)
	struct queue_broker *b =
		queue_fake_enter(CONTAINER_OF(port, struct dead_fake, port)->broker);
	char name[QUEUE_NAME_MAX + 1];
	struct named *q;
	size_t kept = 0;
	int r = queue_fake_refusal(b, e);

	if (r < 0)
		return r;
	if ((r = queue_fake_name_dead(queue, name, e)) < 0)
		return r;
	for (size_t i = 0; i < max && (q = queue_fake_find(b, name)); i++) {
		struct stored *m = dead_fake_at(q, kept);
		struct dead_letter letter;

		if (!m)
			break;
		letter = (struct dead_letter){ m->message, m->message.len, m->reason,
					       m->redelivered };
		letter.message.destination = queue;
		if (letter.message.len > MESSAGE_BODY_MAX)
			letter.message.len = MESSAGE_BODY_MAX;
		if ((r = visitor(arg, &letter, e)) < 0)
			return r;
		kept += r == DEAD_KEEP;
		if ((r = dead_fake_carry_out(b, q, m, queue, r, e)) < 0)
			return r;
	}
	return 0;
}

static void
dead_fake_close(struct dead_letters *port)
{
	free(CONTAINER_OF(port, struct dead_fake, port));
}

static const struct dead_letters_ops dead_fake_ops = { .visit = dead_fake_visit,
						       .close = dead_fake_close };

int
dead_letters_fake_new(struct queue_broker *b, struct dead_letters **ret, struct err *e)
{
	struct dead_fake *d = calloc(1, sizeof *d);

	if (!d)
		return err_set(e, ERR_NO_MEMORY, "dead letters");
	d->port.ops = &dead_fake_ops;
	d->broker = b;
	*ret = &d->port;
	return 0;
}
