/* The suite on the store in memory, and the faults that a test can order from it. */
#include "contract/blob/blob_suite_private.h"

#include "fake/blob/blob_fake.h"

static struct blob_store *
open_fake(void)
{
	struct blob_store *s = NULL;

	(void)blob_fake_new(&s, NULL);
	return s;
}

static int64_t
chunks_fake(struct blob_store *s, const struct blob_id *id)
{
	struct blob_reader *r = NULL;
	int64_t chunks;

	if (blob_open(s, id, &r, NULL) < 0)
		return 0;
	chunks = (r->info.length + SUITE_CHUNK - 1) / SUITE_CHUNK;
	blob_reader_close(r);
	return chunks;
}

/* Create, write, commit, open, read, remove: the first failure. */
static int
six_calls(struct blob_store *s)
{
	SCOPED(blob_writer_close_p) struct blob_writer *w = NULL;
	SCOPED(blob_reader_close_p) struct blob_reader *r = NULL;
	struct blob_id id = blob_id_new();
	char byte = 'x';
	size_t got;
	int rc;

	if ((rc = blob_create(s, &id, &(struct blob_meta){ 0 }, &w, NULL)) < 0 ||
	    (rc = blob_write(w, "x", 1, NULL)) < 0 || (rc = blob_commit(w, NULL)) < 0 ||
	    (rc = blob_open(s, &id, &r, NULL)) < 0 || (rc = blob_read(r, &byte, 1, &got, NULL)) < 0)
		return rc;
	return blob_remove(s, &id, NULL);
}

static void
the_nth_call_fails_and_only_that(void **state)
{
	struct blob_store *s = open_fake();

	(void)state;
	for (int n = 1; n <= 6; n++) {
		int before = blob_fake_calls(s);

		blob_fake_break_nth(s, n, ERR_TIMEOUT);
		assert_int_equal(six_calls(s), ERR_TIMEOUT);
		assert_int_equal(blob_fake_calls(s) - before, n);
		assert_int_equal(six_calls(s), 0);
	}
	assert_int_equal(blob_fake_aborted(s), 2);
	assert_int_equal(blob_fake_count(s), 3);
	blob_store_close(s);
}

static void
a_broken_store_answers_the_code_until_it_is_mended(void **state)
{
	struct blob_store *s = open_fake();

	(void)state;
	blob_fake_break(s, ERR_UNAVAILABLE);
	assert_int_equal(blob_store_ping(s, NULL), ERR_UNAVAILABLE);
	assert_int_equal(six_calls(s), ERR_UNAVAILABLE);
	blob_fake_break(s, 0);
	assert_int_equal(six_calls(s), 0);
	blob_store_close(s);
}

int
main(void)
{
	const struct CMUnitTest faults[] = {
		cmocka_unit_test(the_nth_call_fails_and_only_that),
		cmocka_unit_test(a_broken_store_answers_the_code_until_it_is_mended),
	};
	static const struct blob_suite_server memory = { open_fake, chunks_fake };
	int failed = blob_suite_run("blob store in memory", &memory);

	return failed + cmocka_run_group_tests_name("faults", faults, NULL, NULL);
}
