/* Jobs and blob ids as values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/job.h"

#define THREADS 4
#define IDS 500

static struct blob_id made[THREADS][IDS];

static void
ids_are_read_in_either_case_and_kept_lower(void **state)
{
	struct blob_id id = { "old" };

	(void)state;
	assert_int_equal(blob_id_parse("65F0aB65f065f065f065f065", &id), 0);
	assert_string_equal(id.hex, "65f0ab65f065f065f065f065");
	assert_int_equal(blob_id_parse("65f0", &id), -1);
	assert_int_equal(blob_id_parse("65f0ab65f065f065f065f0650", &id), -1);
	assert_int_equal(blob_id_parse("65f0ab65f065f065f065f06g", &id), -1);
	assert_string_equal(id.hex, "65f0ab65f065f065f065f065");
	assert_false(blob_id_is_none(&id));
	assert_true(blob_id_is_none(&(struct blob_id){ "" }));
	assert_true(blob_id_equal(&id, &id));
}

static void *
make_ids(void *to)
{
	struct blob_id *ids = to;
	int i;

	for (i = 0; i < IDS; i++)
		ids[i] = blob_id_new();
	return NULL;
}

static int
compare(const void *a, const void *b)
{
	return strcmp(((const struct blob_id *)a)->hex, ((const struct blob_id *)b)->hex);
}

static void
ids_of_many_threads_differ(void **state)
{
	struct blob_id *all = &made[0][0], parsed;
	pthread_t threads[THREADS];
	size_t i;

	(void)state;
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, make_ids, made[i]), 0);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	qsort(all, (size_t)THREADS * IDS, sizeof *all, compare);
	for (i = 1; i < (size_t)THREADS * IDS; i++)
		assert_false(blob_id_equal(&all[i - 1], &all[i]));
	assert_int_equal(blob_id_parse(all[0].hex, &parsed), 0);
}

static void
a_forked_child_starts_a_series_of_its_own(void **state)
{
	struct blob_id mine = blob_id_new(), theirs;
	int pipe_fds[2], status;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(pipe_fds), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		theirs = blob_id_new();
		_exit(write(pipe_fds[1], &theirs, sizeof theirs) == sizeof theirs ? 0 : 1);
	}
	assert_int_equal(read(pipe_fds[0], &theirs, sizeof theirs), sizeof theirs);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_memory_not_equal(mine.hex + 8, theirs.hex + 8, 10);
	(void)close(pipe_fds[0]);
	(void)close(pipe_fds[1]);
}

static void
states_have_names_that_are_read_back(void **state)
{
	enum job_state back = JOB_QUEUED;
	int i;

	(void)state;
	for (i = 0; i < JOB_STATES; i++) {
		assert_int_equal(job_state_parse(job_state_name((enum job_state)i), &back), 0);
		assert_int_equal(back, i);
	}
	assert_int_equal(job_state_parse("lost", &back), -1);
	assert_string_equal(job_state_name((enum job_state)99), "unknown");
	assert_false(job_state_is_final(JOB_LEASED));
	assert_true(job_state_is_final(JOB_DONE));
	assert_true(job_state_is_final(JOB_EXPIRED));
}

static void
a_message_says_the_present_state(void **state)
{
	struct job job = { .video_fid = { "65f0ab65f065f065f065f065" },
			   .username = "u@example.org",
			   .state = JOB_QUEUED,
			   .error = { "worker_died", "again" },
			   .mp3_fid = { "65f0ab65f065f065f065f066" } };
	struct job_message m = job_message_of(&job);

	(void)state;
	assert_string_equal(m.video_fid.hex, job.video_fid.hex);
	assert_string_equal(m.username, "u@example.org");
	assert_true(blob_id_is_none(&m.mp3_fid));
	assert_string_equal(m.error.code, "");
	job.state = JOB_DONE;
	m = job_message_of(&job);
	assert_string_equal(m.mp3_fid.hex, job.mp3_fid.hex);
	assert_string_equal(m.error.code, "");
	job.state = JOB_FAILED;
	m = job_message_of(&job);
	assert_true(blob_id_is_none(&m.mp3_fid));
	assert_string_equal(m.error.message, "again");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_read_in_either_case_and_kept_lower),
		cmocka_unit_test(ids_of_many_threads_differ),
		cmocka_unit_test(a_forked_child_starts_a_series_of_its_own),
		cmocka_unit_test(states_have_names_that_are_read_back),
		cmocka_unit_test(a_message_says_the_present_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
