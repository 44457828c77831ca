/* Whose job is next: flow/fair on the small calls of the port, the same sequence on every ledger. */
#include "contract/job/job_suite_private.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static const struct job_lease_terms terms = { "converter-1", LEASE_MS };
static const struct job_error why = { "internal", "the conversion failed" };

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct job_waiting *)a)->username,
		      ((const struct job_waiting *)b)->username);
}

JOB_TEST(who_waits_is_listed_once_with_what_it_has_running)
{
	struct job_waiting users[8];
	size_t count = 9;

	assert_int_equal(job_list_waiting(&l->life, users, 8, &count, NULL), 0);
	assert_int_equal(count, 0);
	for (int i = 0; i < 3; i++)
		queued(l, "$ann");
	queued(l, "bob");
	queued(l, "gone");
	for (int i = 0; i < 3; i++)
		lease(l);
	queued(l, "bob");
	assert_int_equal(job_list_waiting(&l->life, users, 8, &count, NULL), 0);
	assert_int_equal(count, 2);
	qsort(users, count, sizeof *users, by_name);
	assert_string_equal(users[0].username, "$ann");
	assert_int_equal(users[0].running, 1);
	assert_string_equal(users[1].username, "bob");
	assert_int_equal(users[1].running, 1);
	assert_int_equal(job_list_waiting(&l->life, users, 1, &count, NULL), 0);
	assert_int_equal(count, 1);
}

JOB_TEST(the_oldest_due_job_of_some_users_is_leased_and_of_anyone)
{
	const char *const some[] = { "$bob", "cid", "nobody" };
	struct blob_id ann = queued(l, "ann"), bob, cid;
	struct job job;

	advance(10);
	bob = queued(l, "$bob");
	advance(10);
	cid = queued(l, "cid");
	assert_int_equal(job_lease_oldest(&l->life, &terms, some, 3, &job, NULL), 0);
	assert_string_equal(job.video_fid.hex, bob.hex);
	assert_int_equal(job_retry(&l->life, &job.lease, &why, 30000, NULL), 0);
	assert_int_equal(job_lease_oldest(&l->life, &terms, NULL, 0, &job, NULL), 0);
	assert_string_equal(job.video_fid.hex, ann.hex);
	assert_int_equal(job_lease_oldest(&l->life, &terms, some, 3, &job, NULL), 0);
	assert_string_equal(job.video_fid.hex, cid.hex);
	assert_int_equal(job_lease_oldest(&l->life, &terms, some, 3, &job, NULL), ERR_NOT_FOUND);
	assert_int_equal(job_lease_oldest(&l->life, &terms, NULL, 0, &job, NULL), ERR_NOT_FOUND);
}

/* More groups of them than are asked one by one. */
JOB_TEST(users_who_wait_for_their_retry_are_passed_over)
{
	char name[32];
	struct job job, waits;

	for (int i = 0; i < 12; i++) {
		(void)snprintf(name, sizeof name, "waits%d", i);
		queued(l, name);
		waits = lease(l);
		assert_int_equal(job_retry(&l->life, &waits.lease, &why, 30000, NULL), 0);
	}
	assert_int_equal(lease_fairest(l, "o", &job), ERR_NOT_FOUND);
	queued(l, "busy");
	queued(l, "busy");
	assert_string_equal(lease(l).username, "busy");
	assert_string_equal(lease(l).username, "busy");
	assert_int_equal(lease_fairest(l, "o", &job), ERR_NOT_FOUND);
	advance(30000);
	assert_string_equal(lease(l).username, "waits0");
}

JOB_TEST(one_users_jobs_are_leased_oldest_first)
{
	struct blob_id videos[5];

	for (size_t i = 0; i < ARRAY_LEN(videos); i++) {
		videos[i] = queued(l, "u");
		advance(10);
	}
	for (size_t i = 0; i < ARRAY_LEN(videos); i++)
		assert_string_equal(lease(l).video_fid.hex, videos[i].hex);
}

JOB_TEST(the_user_with_fewest_running_is_served_first)
{
	static const char *const arrivals[] = { "a", "a", "a", "b", "b", "c" };
	static const char *const starts[] = { "a", "b", "c", "a", "b", "a" };

	for (size_t i = 0; i < ARRAY_LEN(arrivals); i++) {
		queued(l, arrivals[i]);
		advance(10);
	}
	for (size_t i = 0; i < ARRAY_LEN(starts); i++)
		assert_string_equal(lease(l).username, starts[i]);
}

JOB_TEST(a_job_behind_500_of_another_user_is_second)
{
	struct job first, second;

	for (int i = 0; i < 500; i++)
		queued(l, "$greedy");
	advance(10);
	queued(l, "b");
	first = lease(l);
	second = lease(l);
	assert_string_equal(first.username, "$greedy");
	assert_string_equal(second.username, "b");
}

static const char *
start_and_end_one(struct ledger *s)
{
	static struct job job;
	struct blob_id mp3 = blob_id_new();

	job = lease(s);
	assert_int_equal(
		job_finish(&s->life, &job.lease, &(struct job_result){ .mp3_fid = mp3 }, NULL), 0);
	return job.username;
}

/* A converter with one job at a time: whenever it asks, nobody has one running. */
JOB_TEST(a_newcomer_is_next_behind_500_even_when_nothing_runs)
{
	for (int i = 0; i < 500; i++)
		queued(l, "$greedy");
	advance(10);
	for (int i = 0; i < 3; i++)
		assert_string_equal(start_and_end_one(l), "$greedy");
	queued(l, "b");
	assert_string_equal(start_and_end_one(l), "b");
	assert_string_equal(start_and_end_one(l), "$greedy");
}

JOB_TEST(users_take_turns_when_nothing_runs)
{
	static const char *const arrivals[] = { "a", "a", "a", "b", "b", "c" };
	static const char *const starts[] = { "a", "b", "c", "a", "b", "a" };

	for (size_t i = 0; i < ARRAY_LEN(arrivals); i++) {
		queued(l, arrivals[i]);
		advance(10);
	}
	for (size_t i = 0; i < ARRAY_LEN(starts); i++)
		assert_string_equal(start_and_end_one(l), starts[i]);
}

struct racer {
	struct ledger *store;
	struct job won[51]; /* one more than there are, so that each sees the end */
	size_t count;
	int last;
	pthread_t thread;
};

static void *
race(void *arg)
{
	struct racer *r = arg;

	while (r->count < ARRAY_LEN(r->won) &&
	       (r->last = lease_fairest(r->store, "racer", &r->won[r->count])) == 0)
		r->count++;
	return NULL;
}

JOB_TEST(eight_threads_lease_fifty_jobs_once_each)
{
	static struct racer racers[8];
	static const char *const users[] = { "a", "b", "c" };
	struct blob_id videos[50];
	size_t won = 0;

	for (size_t i = 0; i < ARRAY_LEN(videos); i++)
		videos[i] = queued(l, users[i % ARRAY_LEN(users)]);
	for (size_t i = 0; i < ARRAY_LEN(racers); i++) {
		racers[i] = (struct racer){ .store = l };
		assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(racers); i++) {
		pthread_join(racers[i].thread, NULL);
		assert_int_equal(racers[i].last, ERR_NOT_FOUND);
		won += racers[i].count;
	}
	assert_int_equal(won, ARRAY_LEN(videos));
	for (size_t v = 0; v < ARRAY_LEN(videos); v++) {
		int holders = 0;

		for (size_t i = 0; i < ARRAY_LEN(racers); i++)
			holders += index_of(racers[i].won, racers[i].count, &videos[v]) <
				   racers[i].count;
		assert_int_equal(holders, 1);
	}
}
