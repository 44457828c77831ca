/* Writers that are killed with SIGKILL at any step: what is there is whole, and an upload goes on. */
#include "contract/blob/blob_suite_private.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "contract/blob/blob_dir_fixture.h"

static struct dir_fixture fixture;

/* What a writer says before and after each step; the reader kills it at any of them. */
struct said {
	char what; /* b begun, c committed, r about to be removed, f flushed up to size */
	struct blob_id id;
	int64_t size;
};

static void
say(int to, char what, const struct blob_id *id, int64_t size)
{
	struct said said = { .what = what, .id = *id, .size = size };

	if (write(to, &said, sizeof said) != sizeof said)
		_exit(1);
}

static void
write_until_killed(int to)
{
	struct blob_store *s = dir_fixture_open(&fixture, "killed");

	for (unsigned i = 0;; i++) {
		struct blob_id id = blob_id_new();
		struct blob_writer *w = NULL;
		int64_t size = (int64_t)(i * 7919 % 300000);

		say(to, 'b', &id, size);
		if (blob_create(s, &id, &(struct blob_meta){ .owner = "anna" }, &w, NULL) < 0 ||
		    write_content(w, size) < 0 || blob_commit(w, NULL) < 0)
			_exit(1);
		blob_writer_close(w);
		say(to, 'c', &id, size);
		if (i % 2 == 0)
			continue;
		say(to, 'r', &id, size);
		if (blob_remove(s, &id, NULL) < 0)
			_exit(1);
	}
}

/* Whole or not there; there if it was said to be; and nothing stays that cannot be cleared. */
static void
check_said(struct blob_store *s, const struct said *said)
{
	struct blob_reader *r = NULL;
	struct blob_info info;
	int code = blob_open(s, &said->id, &r, NULL);

	assert_true(code == 0 || code == ERR_NOT_FOUND);
	if (code == 0) {
		info = r->info;
		assert_int_equal(info.length, said->size);
		assert_string_equal(info.meta.owner, "anna");
		expect_content(r, 0, said->size);
		blob_reader_close(r);
	}
	if (said->what == 'c')
		assert_int_equal(code, 0);
	assert_int_equal(blob_clear(s, &said->id, NULL), code == 0 ? ERR_CONFLICT : 0);
	assert_int_equal(dir_fixture_files(&fixture, "killed", &said->id), code == 0 ? 2 : 0);
}

static void
go_on_until_killed(int to)
{
	struct blob_store *s = dir_fixture_open(&fixture, "killed");
	struct blob_id id = blob_id_new();
	struct blob_writer *w = NULL;

	if (blob_resume(s, &id, &(struct blob_meta){ .owner = "anna" }, &w, NULL) < 0)
		_exit(1);
	for (;;) {
		if (write_content(w, 7919) < 0 || blob_flush(w, NULL) < 0)
			_exit(1);
		say(to, 'f', &id, w->length);
	}
}

static size_t
kill_after(void (*work)(int to), size_t messages, struct said *last, size_t max)
{
	int ends[2], status;
	size_t n = 0;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)close(ends[0]);
		work(ends[1]);
	}
	(void)close(ends[1]);
	for (struct said said; read(ends[0], &said, sizeof said) == sizeof said;) {
		if (n == 0 || !blob_id_equal(&last[n - 1].id, &said.id))
			assert_true(++n <= max);
		last[n - 1] = said; /* what was said last of each id */
		if (messages > 0 && --messages == 0)
			assert_int_equal(kill(pid, SIGKILL), 0);
	}
	(void)close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	return n;
}

static void
a_writer_that_is_killed_leaves_nothing_visible_that_is_not_whole(void **state)
{
	SCOPED(blob_store_close_p) struct blob_store *s = dir_fixture_open(&fixture, "killed");
	static struct said last[2000];

	(void)state;
	for (size_t messages = 1; messages <= 40; messages++) {
		size_t n = kill_after(write_until_killed, messages, last, ARRAY_LEN(last));

		for (size_t i = 0; i < n; i++)
			check_said(s, &last[i]);
	}
}

static void
an_upload_goes_on_at_once_where_a_killed_writer_was(void **state)
{
	SCOPED(blob_store_close_p) struct blob_store *s = dir_fixture_open(&fixture, "killed");

	(void)state;
	for (size_t messages = 1; messages <= 20; messages++) {
		struct blob_writer *w = NULL;
		struct said last;

		assert_int_equal(kill_after(go_on_until_killed, messages, &last, 1), 1);
		assert_int_equal(blob_resume(s, &last.id, &(struct blob_meta){ 0 }, &w, NULL), 0);
		assert_in_range(w->length, last.size, last.size + 7919);
		assert_int_equal(write_content(w, 100000), 0);
		assert_int_equal(blob_commit(w, NULL), 0);
		expect_blob(s, &last.id, w->length);
		blob_writer_close(w);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_writer_that_is_killed_leaves_nothing_visible_that_is_not_whole),
		cmocka_unit_test(an_upload_goes_on_at_once_where_a_killed_writer_was),
	};
	int failed;

	if (dir_fixture_start(&fixture) < 0)
		return 1;
	failed = cmocka_run_group_tests_name("killed writers", tests, NULL, NULL);
	dir_fixture_stop(&fixture);
	return failed;
}
