#include "contract/job/job_suite_private.h"

#include <stdio.h>

#include "flow/fair.h"

static const struct job_suite_server *server;
static struct fair fair;

void
advance(int64_t ms)
{
	server->advance(ms);
}

struct blob_id
queued(struct ledger *s, const char *user)
{
	struct job job = { .video_fid = blob_id_new(), .state = JOB_QUEUED };

	snprintf(job.username, sizeof job.username, "%s", user);
	assert_int_equal(job_create(&s->life, &job, NULL), 0);
	return job.video_fid;
}

struct job
get(struct ledger *s, const struct blob_id *video)
{
	struct job job = { 0 };

	assert_int_equal(job_get(&s->life, video, &job, NULL), 0);
	return job;
}

struct job
lease(struct ledger *s)
{
	struct job job = { 0 };

	assert_int_equal(lease_fairest(s, "converter-1", &job), 0);
	return job;
}

int
lease_fairest(struct ledger *s, const char *owner, struct job *ret)
{
	return fair_lease(&fair, &s->life, &(struct job_lease_terms){ owner, LEASE_MS }, ret, NULL);
}

int
lease_one(struct ledger *s, const struct blob_id *video, struct job *ret)
{
	return job_lease_one(&s->life, &(struct job_lease_terms){ "o", LEASE_MS }, video, ret,
			     NULL);
}

struct job_lease
stranger(const struct job_lease *lease)
{
	struct job_lease other = *lease;

	memset(other.token, 'f', LEASE_TOKEN_DIGITS);
	return other;
}

size_t
unpublished(struct ledger *s, enum job_publication which)
{
	struct job jobs[8];
	size_t count = 0;

	assert_int_equal(
		job_list_unpublished(&s->outbox, which, jobs, ARRAY_LEN(jobs), &count, NULL), 0);
	return count;
}

size_t
index_of(const struct job *jobs, size_t count, const struct blob_id *video)
{
	size_t i = 0;

	while (i < count && !blob_id_equal(&jobs[i].video_fid, video))
		i++;
	return i;
}

static int
open_store(void **state)
{
	fair_init(&fair);
	*state = server->open();
	return *state ? 0 : -1;
}

static int
close_store(void **state)
{
	ledger_close(*state);
	fair_fini(&fair);
	return 0;
}

int
job_suite_run(const char *name, const struct job_suite_server *under_test)
{
#define ENTRY(test) cmocka_unit_test_setup_teardown(test, open_store, close_store),
	const struct CMUnitTest tests[] = { JOB_TESTS(ENTRY) };

	server = under_test;
	return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}
