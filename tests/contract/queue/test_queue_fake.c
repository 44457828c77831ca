#include "contract/queue/dead_suite.h"

#include <stdlib.h>

#include "fake/queue/queue_fake.h"

static struct queue_broker *broker;

static struct publisher *
open_publisher(void)
{
	struct publisher *p = NULL;

	return publisher_fake_new(broker, &p, NULL) < 0 ? NULL : p;
}

static struct consumer *
open_consumer(const char *const *queues, size_t count, int prefetch)
{
	struct consumer *c = NULL;

	return consumer_fake_new(broker, queues, count, prefetch, &c, NULL) < 0 ? NULL : c;
}

static struct dead_letters *
open_dead(void)
{
	struct dead_letters *d = NULL;

	return dead_letters_fake_new(broker, &d, NULL) < 0 ? NULL : d;
}

static void
put(const char *queue, const char *body, size_t len)
{
	queue_broker_put(broker, queue, body, len);
}

static void
remove_queue(const char *queue)
{
	queue_broker_delete(broker, queue);
}

static int
ready(const char *queue)
{
	struct queue_fake_message m;
	int count = 0;

	if (!queue_broker_has(broker, queue))
		return -1;
	for (size_t i = 0; queue_broker_look(broker, queue, i, &m); i++)
		count += !m.held;
	return count;
}

static bool
take(const char *queue, char **ret_body, size_t *ret_len, char reason[240])
{
	SCOPED(consumer_close_p) struct consumer *c = open_consumer(&queue, 1, 1);
	struct queue_fake_message m;
	struct queue_delivery d;

	if (!queue_broker_look(broker, queue, 0, &m) || queue_next(c, 0, &d, NULL) != 0)
		return false;
	memcpy(reason, m.reason, sizeof m.reason);
	*ret_body = d.block;
	*ret_len = d.message.len;
	return queue_ack(c, &d, NULL) == 0;
}

int
main(void)
{
	const struct queue_suite_server server = { open_publisher, open_consumer, put,
						   remove_queue,   ready,         take };
	int failed;

	if (queue_broker_new(&broker, NULL) < 0)
		return 1;
	failed = queue_suite_run("queues in memory", &server);
	failed += dead_suite_run("dead letters in memory", &server, open_dead);
	queue_broker_free(broker);
	return failed;
}
