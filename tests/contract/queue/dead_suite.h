/* The dead letters' contract as tests, run on the broker in memory and on RabbitMQ. */
#ifndef TONEARM_TESTS_CONTRACT_QUEUE_DEAD_SUITE_H
#define TONEARM_TESTS_CONTRACT_QUEUE_DEAD_SUITE_H

#include "contract/queue/queue_suite.h"
#include "port/dead_letters.h"

/* The number of failed tests. */
int dead_suite_run(const char *name, const struct queue_suite_server *server,
		   struct dead_letters *(*open)(void));

#endif
