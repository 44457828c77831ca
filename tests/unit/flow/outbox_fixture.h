/* A ledger, a broker that notes what it was given, and the three routes between them. */
#ifndef TONEARM_TESTS_UNIT_FLOW_OUTBOX_FIXTURE_H
#define TONEARM_TESTS_UNIT_FLOW_OUTBOX_FIXTURE_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>
#include <cmocka.h>

#include "base/clock.h"
#include "fake/job/job_fake.h"
#include "flow/job_routes.h"
#include "flow/relay.h"

#define PATIENCE_MS 10000
#define BODIES_MAX 200

#define AWAIT(condition)                                                                           \
	do {                                                                                       \
		int64_t deadline = now_monotonic_ms() + PATIENCE_MS;                               \
		while (!(condition)) {                                                             \
			assert_true(now_monotonic_ms() < deadline);                                \
			nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);                 \
		}                                                                                  \
	} while (0)

static inline int
lease_oldest(struct ledger *jobs, struct job *ret)
{
	return job_lease_oldest(&jobs->life, &(struct job_lease_terms){ "c", 60000 }, NULL, 0, ret,
				NULL);
}

/* A broker that notes what it was given. */
struct notebook {
	struct publisher port;
	pthread_mutex_t lock;
	/* under lock */
	int result; /* of every publish */
	size_t count, refused;
	char queues[BODIES_MAX][16], keys[BODIES_MAX][32];
	char bodies[BODIES_MAX][512];
	/* set once */
	int slow_ms;
	struct ledger *takes; /* not NULL: a converter that leases before the publish returns */
};

struct fixture {
	struct ledger *jobs;
	struct notebook broker;
	struct outbox_route routes[3];
	struct outbox outbox;
	struct relay_config config;
	atomic_int changes, last_change;
};

static int64_t present_ms;

static inline int64_t
present(const struct clock *c)
{
	(void)c;
	return present_ms;
}

static const struct clock stopped = { .monotonic_ms = present, .unix_ms = present };

static inline int
notebook_publish(struct publisher *p, const struct message *m, struct err *e)
{
	struct notebook *n = CONTAINER_OF(p, struct notebook, port);
	int r;

	pthread_mutex_lock(&n->lock);
	if ((r = n->result) < 0) {
		n->refused++;
		err_set(e, r, "no broker");
	} else if (n->count < BODIES_MAX) {
		snprintf(n->keys[n->count], sizeof n->keys[0], "%s", m->key);
		snprintf(n->queues[n->count], sizeof n->queues[0], "%s", m->destination);
		snprintf(n->bodies[n->count], sizeof n->bodies[0], "%.*s", (int)m->len, m->body);
		n->count++;
	}
	pthread_mutex_unlock(&n->lock);
	nanosleep(&(struct timespec){ .tv_nsec = n->slow_ms * 1000000L }, NULL);
	if (n->takes) {
		struct job job;

		assert_int_equal(lease_oldest(n->takes, &job), 0);
	}
	return r;
}

static const struct publisher_ops note_ops = { .publish = notebook_publish };

static inline size_t
noted(struct notebook *n)
{
	size_t count;

	pthread_mutex_lock(&n->lock);
	count = n->count;
	pthread_mutex_unlock(&n->lock);
	return count;
}

static inline void
set_result(struct notebook *n, int result)
{
	pthread_mutex_lock(&n->lock);
	n->result = result;
	pthread_mutex_unlock(&n->lock);
}

static inline void
on_change(void *arg, const struct err *e)
{
	struct fixture *f = arg;

	atomic_store(&f->last_change, e->code);
	atomic_fetch_add(&f->changes, 1);
}

static inline int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	*state = f;
	present_ms = 1700000000000;
	if (!f || job_fake_new(&stopped, &f->jobs, NULL) < 0)
		return -1;
	f->broker.port.ops = &note_ops;
	pthread_mutex_init(&f->broker.lock, NULL);
	f->routes[0] = job_route_mp3("mp3");
	f->routes[1] = job_route_failed("failed");
	f->routes[2] = job_route_video("video");
	f->outbox = (struct outbox){ &f->jobs->outbox, f->routes, ARRAY_LEN(f->routes) };
	f->config = (struct relay_config){ .outbox = &f->outbox,
					   .publisher = &f->broker.port,
					   .interval_ms = 5,
					   .on_change = on_change,
					   .on_change_arg = f };
	return 0;
}

static inline int
tear_down(void **state)
{
	struct fixture *f = *state;

	ledger_close(f->jobs);
	pthread_mutex_destroy(&f->broker.lock);
	free(f);
	return 0;
}

static inline struct job
queued(struct fixture *f)
{
	struct job job = { .video_fid = blob_id_new(), .username = "a@b.c", .state = JOB_QUEUED };

	assert_int_equal(job_create(&f->jobs->life, &job, NULL), 0);
	return job;
}

static inline int
round_now(struct fixture *f)
{
	int published = -1;

	assert_int_equal(relay_round(&f->config, &published, NULL), 0);
	return published;
}

#define ENTRY(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
