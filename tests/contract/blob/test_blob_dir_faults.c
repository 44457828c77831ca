/* A folder on a disk that is full, failing or read-only: what failed has left nothing. The kernel's
 * calls fail by order of the test. */
#include "contract/blob/blob_suite_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text/str.h"
#include "contract/blob/blob_dir_fixture.h"

static struct dir_fixture fixture;

/* The n-th call from now fails with code (0 = none), and only that. */
static struct {
	int countdown, code, calls;
	bool fired;
	char log[2000]; /* what reached the disk, in order */
} order;

static bool
fault(const char *call, const char *path)
{
	order.calls++;
	if (order.countdown > 0 && --order.countdown == 0) {
		order.fired = true;
		errno = order.code;
		return true;
	}
	if (path) {
		const char *name = strrchr(path, '/');
		size_t at = strlen(order.log);

		(void)snprintf(order.log + at, sizeof order.log - at, "%s %s\n", call,
			       name ? name + 1 : path);
	}
	return false;
}

static const char *
path_of(int fd, char *to, size_t size)
{
	char link[40];
	ssize_t n;

	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, to, size - 1);
	to[n > 0 ? n : 0] = '\0';
	return to;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, mode_t mode);
int
__wrap_open(const char *path, int flags, mode_t mode)
{
	return fault("open", NULL) ? -1 : __real_open(path, flags, mode);
}

ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len);
ssize_t
__wrap_write(int fd, const void *data, size_t len)
{
	return fault("write", NULL) ? -1 : __real_write(fd, data, len);
}

/* A disk may take less than it is given. */
ssize_t __real_pwrite(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at);
ssize_t
__wrap_pwrite(int fd, const void *data, size_t len, off_t at)
{
	return fault("pwrite", NULL) ? -1 : __real_pwrite(fd, data, len > 40000 ? 40000 : len, at);
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int
__wrap_fsync(int fd)
{
	char path[256];

	return fault("fsync", path_of(fd, path, sizeof path)) ? -1 : __real_fsync(fd);
}

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int
__wrap_rename(const char *from, const char *to)
{
	return fault("rename", to) ? -1 : __real_rename(from, to);
}

int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);
int
__wrap_mkdir(const char *path, mode_t mode)
{
	return fault("mkdir", NULL) ? -1 : __real_mkdir(path, mode);
}

static void
order_fault(int nth, int code)
{
	order.countdown = nth;
	order.code = code;
	order.calls = 0;
	order.fired = false;
	order.log[0] = '\0';
}

/* One blob, with all that a writer can do. */
static int
store_one(struct blob_store *s, const struct blob_id *id)
{
	SCOPED(blob_writer_close_p) struct blob_writer *w = NULL;
	const struct blob_meta meta = { .owner = "anna@example.org", .filename = "a.mp4" };
	int r;

	if ((r = blob_create(s, id, &meta, &w, NULL)) < 0 || (r = blob_hold(w, 4, NULL)) < 0 ||
	    (r = write_content(w, SUITE_CHUNK)) < 0 || (r = blob_patch(w, 0, "Xing", 4, NULL)) < 0)
		return r;
	return blob_commit(w, NULL);
}

static void
each_call_that_fails_fails_the_blob_and_leaves_nothing(void **state)
{
	static const int codes[] = { ENOSPC, EDQUOT, EIO, EROFS, EACCES, EMFILE };
	int n;

	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		for (n = 1;; n++) {
			struct blob_id id = blob_id_new();
			struct blob_reader *r = NULL;
			int code;

			order_fault(n, codes[i]);
			code = store_one(*state, &id);
			order_fault(0, 0);
			if (code == 0)
				break;
			assert_int_equal(code, ERR_UNAVAILABLE);
			assert_int_equal(dir_fixture_files(&fixture, "videos", &id), 0);
			assert_int_equal(blob_open(*state, &id, &r, NULL), ERR_NOT_FOUND);
		}
		assert_in_range(n, 10, 100);
	}
}

/* A store whose own folder could not be made at first makes it when it is needed. */
static void
a_fresh_store_survives_each_call_that_fails(void **state)
{
	bool fired = true;

	(void)state;
	for (int n = 1; fired; n++) {
		SCOPED(blob_store_close_p) struct blob_store *s = NULL;
		struct blob_id id = blob_id_new();
		char name[16];
		int code;

		(void)snprintf(name, sizeof name, "fresh%d", n);
		order_fault(n, ENOSPC);
		s = dir_fixture_open(&fixture, name);
		assert_non_null(s);
		code = store_one(s, &id);
		fired = order.fired;
		order_fault(0, 0);
		assert_true(code == 0 || (fired && code == ERR_UNAVAILABLE));
		assert_int_equal(dir_fixture_files(&fixture, name, &id), code < 0 ? 0 : 2);
	}
}

static void
calls_that_were_interrupted_are_made_again(void **state)
{
	struct blob_writer *w = NULL;
	struct blob_id id = blob_id_new();

	assert_int_equal(blob_create(*state, &id, &(struct blob_meta){ 0 }, &w, NULL), 0);
	order_fault(3, EINTR);
	assert_int_equal(write_content(w, SUITE_CHUNK), 0);
	assert_true(order.fired);
	order_fault(0, 0);
	assert_int_equal(blob_commit(w, NULL), 0);
	blob_writer_close(w);
	expect_blob(*state, &id, SUITE_CHUNK);
}

/* Bytes and metadata before the name, and the name before the commit's answer. */
static void
a_commit_answers_when_all_is_on_the_disk(void **state)
{
	struct blob_id id = blob_id_new();
	char expected[400];

	order_fault(0, 0);
	assert_int_equal(store_one(*state, &id), 0); /* makes and syncs the folders */
	id = blob_id_new();
	order_fault(0, 0);
	assert_int_equal(store_one(*state, &id), 0);
	(void)snprintf(expected, sizeof expected,
		       "fsync %s.meta\nfsync %s.part\nrename %s\nfsync %.2s\n", id.hex, id.hex,
		       id.hex, id.hex + 4);
	assert_string_equal(order.log, expected);
}

/* Another process may have made them, and not come so far as to have them on the disk. */
static void
folders_are_on_the_disk_before_a_blob_is_in_them(void **state)
{
	SCOPED(blob_store_close_p) struct blob_store *other = NULL;
	struct blob_id id = blob_id_new();
	char expected[400];

	order_fault(0, 0);
	assert_int_equal(store_one(*state, &id), 0);
	other = dir_fixture_open(&fixture, "videos");
	id = blob_id_new();
	order_fault(0, 0);
	assert_int_equal(store_one(other, &id), 0);
	(void)snprintf(expected, sizeof expected, "fsync %s\nfsync videos\nfsync %.4s\n",
		       strrchr(fixture.path, '/') + 1, id.hex);
	assert_int_equal(strncmp(order.log, expected, strlen(expected)), 0);
}

static void
a_read_that_fails_is_unavailable(void **state)
{
	struct blob_id id = blob_id_new();
	struct blob_reader *r = NULL;

	assert_int_equal(store_one(*state, &id), 0);
	for (int n = 1; n <= 2; n++) {
		order_fault(n, EIO);
		assert_int_equal(blob_open(*state, &id, &r, NULL), ERR_UNAVAILABLE);
		order_fault(0, 0);
	}
	assert_int_equal(blob_open(*state, &id, &r, NULL), 0);
	blob_reader_close(r);
}

static int
open_store(void **state)
{
	order_fault(0, 0);
	*state = dir_fixture_open(&fixture, "videos");
	return *state ? 0 : -1;
}

static int
close_store(void **state)
{
	order_fault(0, 0);
	blob_store_close(*state);
	return 0;
}

#define ENTRY(test) cmocka_unit_test_setup_teardown(test, open_store, close_store)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ENTRY(each_call_that_fails_fails_the_blob_and_leaves_nothing),
		ENTRY(a_fresh_store_survives_each_call_that_fails),
		ENTRY(calls_that_were_interrupted_are_made_again),
		ENTRY(a_commit_answers_when_all_is_on_the_disk),
		ENTRY(folders_are_on_the_disk_before_a_blob_is_in_them),
		ENTRY(a_read_that_fails_is_unavailable),
	};
	int failed;

	if (dir_fixture_start(&fixture) < 0)
		return 1;
	failed = cmocka_run_group_tests_name("faults of the disk", tests, NULL, NULL);
	dir_fixture_stop(&fixture);
	return failed;
}
