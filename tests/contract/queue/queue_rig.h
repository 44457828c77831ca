/* What the sentences about queues share: two queues of fresh names, and what a test does with them. */
#ifndef TONEARM_TESTS_CONTRACT_QUEUE_QUEUE_RIG_H
#define TONEARM_TESTS_CONTRACT_QUEUE_QUEUE_RIG_H

#include "contract/queue/queue_suite.h"

#define SOON_MS 10000
#define NOTHING_MS 150
#define BIG (1024 * 1024)

struct queue_rig {
	const struct queue_suite_server *server;
	char one[64], two[64], one_dead[80];
	const char *const both[2]; /* one, two */
};
extern struct queue_rig rig;

int rig_begin(void **state);
int rig_end(void **state);
/* Each fails the test where it cannot do what it says. */
void rig_publish(struct publisher *p, const char *queue, const char *body);
struct queue_delivery rig_next(struct consumer *c);
void rig_ack(struct consumer *c, struct queue_delivery *d); /* frees it */
void rig_await_ready(const char *queue, int count);
void rig_assert_idle(struct consumer *c);

#define SENTENCE(f) cmocka_unit_test_setup_teardown(f, rig_begin, rig_end)

#endif
