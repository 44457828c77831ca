/* A user's ceilings over fakes: what is counted, and that no failure of a store passes for room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake/job/job_fake.h"
#include "gateway/ceiling.h"

#define ANN "ann@example.org"
#define MIB 1048576

struct world {
	struct ledger *ledger;
	struct gateway g;
};

static int
set_up(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	assert_non_null(w);
	assert_int_equal(job_fake_new(NULL, &w->ledger, NULL), 0);
	w->g.desk = &w->ledger->desk;
	*state = w;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *w = *state;

	ledger_close(w->ledger);
	free(w);
	return 0;
}

/* A job that is done: its video's bytes, and its mp3's. */
static void
store(struct ledger *l, int64_t video, int64_t mp3)
{
	const struct job_lease_terms terms = { "test", 60000 };
	struct job_result result = { .mp3_fid = blob_id_new(), .bytes = mp3 };
	struct job job = { .video_fid = blob_id_new(),
			   .username = ANN,
			   .state = JOB_QUEUED,
			   .source = { .bytes = video } };
	struct job leased;

	assert_int_equal(job_create(&l->life, &job, NULL), 0);
	assert_int_equal(job_lease_one(&l->life, &terms, &job.video_fid, &leased, NULL), 0);
	assert_int_equal(job_finish(&l->life, &leased.lease, &result, NULL), 0);
}

static void
begin_job(struct ledger *s, enum job_state state, int64_t bytes)
{
	struct job job = { .video_fid = blob_id_new(),
			   .username = ANN,
			   .state = state,
			   .source = { .bytes = bytes } };

	assert_int_equal(job_create(&s->life, &job, NULL), 0);
}

static int
ask_new(struct world *w, int64_t expected, int64_t *ret_room)
{
	return ceiling_check(&w->g, &(struct ceiling_asked){ ANN, expected, CEILING_NEW }, ret_room,
			     NULL);
}

static int
ask_registered(struct world *w, int64_t expected, int64_t *ret_room)
{
	return ceiling_check(&w->g, &(struct ceiling_asked){ ANN, expected, CEILING_REGISTERED },
			     ret_room, NULL);
}

static void
without_ceilings_nobody_is_asked(void **state)
{
	struct world *w = *state;
	int64_t room = 0;

	job_fake_break(w->ledger, ERR_UNAVAILABLE);
	assert_int_equal(ask_new(w, 5, &room), CEILING_CLEAR);
	assert_true(room == INT64_MAX);
}

static void
a_registered_upload_is_one_of_its_users_jobs(void **state)
{
	struct world *w = *state;
	int64_t room = 0;

	w->g.max_queued_jobs = 2;
	begin_job(w->ledger, JOB_QUEUED, 0);
	assert_int_equal(ask_new(w, 0, &room), CEILING_CLEAR);
	begin_job(w->ledger, JOB_UPLOADING, 0);
	assert_int_equal(ask_new(w, 0, &room), CEILING_JOBS);
	assert_int_equal(ask_registered(w, 0, &room), CEILING_CLEAR);
	begin_job(w->ledger, JOB_UPLOADING, 0);
	assert_int_equal(ask_registered(w, 0, &room), CEILING_JOBS);
	assert_int_equal(ceiling_refusal(CEILING_JOBS)->status, 429);
}

static void
room_is_what_stored_bytes_and_other_uploads_leave(void **state)
{
	struct world *w = *state;
	int64_t room = 0;

	w->g.max_stored_bytes = 10 * MIB;
	store(w->ledger, 3 * MIB, MIB);
	begin_job(w->ledger, JOB_UPLOADING, 2 * MIB);
	assert_int_equal(ask_new(w, 0, &room), CEILING_CLEAR);
	assert_int_equal(room, 4 * MIB);
	begin_job(w->ledger, JOB_UPLOADING, 3 * MIB); /* its own */
	assert_int_equal(ask_registered(w, 3 * MIB, &room), CEILING_CLEAR);
	assert_int_equal(room, 4 * MIB);
	/* the frame of a body may be a mebibyte */
	assert_int_equal(ask_new(w, 2 * MIB, &room), CEILING_CLEAR);
	assert_int_equal(room, MIB);
	assert_int_equal(ask_new(w, 2 * MIB + 1, &room), CEILING_BYTES);
	assert_int_equal(ceiling_refusal(CEILING_BYTES)->status, 413);
	store(w->ledger, 0, MIB);
	assert_int_equal(ask_new(w, 0, &room), CEILING_BYTES);
}

static void
a_ledger_that_is_away_is_no_room(void **state)
{
	struct world *w = *state;
	int64_t room = 0;

	w->g.max_stored_bytes = MIB;
	job_fake_break_nth(w->ledger, 1, ERR_TIMEOUT);
	assert_int_equal(ask_new(w, 1, &room), ERR_TIMEOUT);
	job_fake_break_nth(w->ledger, 2, ERR_UNAVAILABLE);
	assert_int_equal(ask_new(w, 1, &room), ERR_UNAVAILABLE);
	assert_int_equal(ask_new(w, 1, &room), CEILING_CLEAR);
}

#define SENTENCE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SENTENCE(without_ceilings_nobody_is_asked),
		SENTENCE(a_registered_upload_is_one_of_its_users_jobs),
		SENTENCE(room_is_what_stored_bytes_and_other_uploads_leave),
		SENTENCE(a_ledger_that_is_away_is_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
