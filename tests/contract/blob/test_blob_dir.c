/* The suite on a folder, and what only a folder shows: its names, its modes, what an operator does
 * to it. */
#include "contract/blob/blob_suite_private.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapter/dir/dir.h"
#include "base/text/str.h"
#include "contract/blob/blob_dir_fixture.h"

static struct dir_fixture fixture;

static struct blob_store *
open_dir(void)
{
	return dir_fixture_open(&fixture, "videos");
}

/* A blob's by its length; what is no blob's by its files. */
static int64_t
chunks_dir(struct blob_store *s, const struct blob_id *id)
{
	int64_t files = dir_fixture_files(&fixture, "videos", id);
	struct stat st;

	(void)s;
	if (stat(dir_fixture_path(&fixture, "videos", id, "").text, &st) < 0)
		return files;
	return files - 2 + (st.st_size + SUITE_CHUNK - 1) / SUITE_CHUNK;
}

static void
write_file(const char *path, const char *text)
{
	int fd;

	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
}

static int
open_code(struct blob_store *s, const struct blob_id *id)
{
	struct blob_reader *r = NULL;
	int code = blob_open(s, id, &r, NULL);

	blob_reader_close(r);
	return code;
}

static void
a_blob_is_a_file_of_its_bytes_that_nobody_may_change(void **state)
{
	struct blob_id id = store_content(*state, &(struct blob_meta){ .owner = "anna" }, 1000);
	struct dir_path_text path = dir_fixture_path(&fixture, "videos", &id, "");
	struct stat st;
	FILE *file;

	assert_int_equal(stat(path.text, &st), 0);
	assert_int_equal(st.st_size, 1000);
	assert_int_equal(st.st_mode & 0777, 0440);
	file = fopen(path.text, "rb");
	assert_non_null(file);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(fgetc(file), content_at(i));
	assert_int_equal(fclose(file), 0);
	path = dir_fixture_path(&fixture, "videos", &id, ".meta");
	assert_int_equal(stat(path.text, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0440);
	assert_int_equal(dir_fixture_files(&fixture, "videos", &id), 2);
}

static void
two_stores_below_one_path_do_not_see_each_other(void **state)
{
	struct blob_store *mp3s = dir_fixture_open(&fixture, "mp3s");
	struct blob_id id = store_content(*state, &(struct blob_meta){ 0 }, 10);

	assert_int_equal(open_code(mp3s, &id), ERR_NOT_FOUND);
	assert_int_equal(blob_remove(mp3s, &id, NULL), 0);
	expect_blob(*state, &id, 10);
	blob_store_close(mp3s);
}

static void
two_processes_share_a_store(void **state)
{
	struct blob_store *other = open_dir();
	struct blob_id id = store_content(*state, &(struct blob_meta){ 0 }, 10);

	expect_blob(other, &id, 10);
	assert_int_equal(blob_remove(other, &id, NULL), 0);
	assert_int_equal(open_code(*state, &id), ERR_NOT_FOUND);
	blob_store_close(other);
}

static void
a_blob_that_was_cut_or_lost_its_metadata_is_corrupt(void **state)
{
	struct blob_id cut = store_content(*state, &(struct blob_meta){ 0 }, 1000);
	struct blob_id bare = store_content(*state, &(struct blob_meta){ 0 }, 1000);

	assert_int_equal(truncate(dir_fixture_path(&fixture, "videos", &cut, "").text, 999), 0);
	assert_int_equal(open_code(*state, &cut), ERR_CORRUPT);
	assert_int_equal(unlink(dir_fixture_path(&fixture, "videos", &bare, ".meta").text), 0);
	assert_int_equal(open_code(*state, &bare), ERR_CORRUPT);
}

static void
metadata_that_is_no_text_of_ours_is_corrupt(void **state)
{
	static const char *const bad[] = {
		"",
		"owner: anna\n",
		"tonearm-blob: 1\n",
		"tonearm-blob: 1\nlength: 3",
		"tonearm-blob: 1\nlength: -3\n",
		"tonearm-blob: 1\nlength: 3x\n",
		"tonearm-blob: 1\nlength: 99999999999999999999\n",
		"tonearm-blob: 1\nlength: 3\nno colon\n",
		"tonearm-blob: 1\nlength: 3\nvideo_fid: zz\n",
		"tonearm-blob: 2\nlength: 3\n",
	};
	struct blob_id id = store_content(*state, &(struct blob_meta){ 0 }, 3);

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		write_file(dir_fixture_path(&fixture, "videos", &id, ".meta").text, bad[i]);
		assert_int_equal(open_code(*state, &id), ERR_CORRUPT);
	}
}

static void
an_owner_that_cannot_be_read_is_nobody(void **state)
{
	static const char *const bad[] = { "owner: %zz", "owner: a%00b", "owner: a%",
					   "owner: %ff" };
	struct blob_id id = store_content(*state, &(struct blob_meta){ 0 }, 3);

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		SCOPED(str_free) struct str text = STR_MAX(1000);
		struct blob_info info;

		str_printf(&text, "tonearm-blob: 1\nlength: 3\nlater: key\n%s\n", bad[i]);
		write_file(dir_fixture_path(&fixture, "videos", &id, ".meta").text,
			   str_text(&text));
		info = info_of(*state, &id);
		assert_true(info.meta.owner_unreadable);
		assert_string_equal(info.meta.owner, "");
	}
}

static void
a_link_in_the_place_of_a_blob_is_not_followed(void **state)
{
	struct blob_id id = store_content(*state, &(struct blob_meta){ 0 }, 3);
	struct dir_path_text path = dir_fixture_path(&fixture, "videos", &id, "");

	assert_int_equal(unlink(path.text), 0);
	assert_int_equal(symlink("/etc/passwd", path.text), 0);
	assert_true(open_code(*state, &id) < 0);
	assert_int_equal(blob_remove(*state, &id, NULL), 0);
	assert_int_equal(access("/etc/passwd", F_OK), 0);
}

/* A disk that is not mounted must not look like blobs that are gone: jobs would fail for good. */
static void
a_store_that_is_not_there_is_unavailable_and_comes_back(void **state)
{
	struct blob_id id = store_content(*state, &(struct blob_meta){ 0 }, 3),
		       fresh = blob_id_new();
	struct blob_writer *w = NULL;
	struct blob_leftover left;
	struct err e = ERR_NONE;

	dir_fixture_hide(&fixture);
	assert_int_equal(open_code(*state, &id), ERR_UNAVAILABLE);
	assert_int_equal(blob_create(*state, &fresh, &(struct blob_meta){ 0 }, &w, NULL),
			 ERR_UNAVAILABLE);
	assert_int_equal(blob_leftover(*state, &id, &left, NULL), ERR_UNAVAILABLE);
	assert_int_equal(blob_next_id(*state, &(struct blob_id){ "" }, &fresh, NULL),
			 ERR_UNAVAILABLE);
	assert_int_equal(blob_store_ping(*state, &e), ERR_UNAVAILABLE);
	assert_non_null(strstr(e.text, fixture.path));
	dir_fixture_show(&fixture);
	assert_int_equal(blob_store_ping(*state, NULL), 0);
	expect_blob(*state, &id, 3);
}

static void
a_store_opens_without_its_folder_and_makes_only_its_own(void **state)
{
	SCOPED(blob_store_close_p) struct blob_store *s = NULL;
	char path[64];

	(void)state;
	(void)snprintf(path, sizeof path, "%s/later", fixture.path);
	assert_int_equal(blob_dir_new(path, "mp3s", &s, NULL), 0);
	assert_int_equal(blob_store_ping(s, NULL), ERR_UNAVAILABLE);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(blob_store_ping(s, NULL), 0);
	(void)store_content(s, &(struct blob_meta){ 0 }, 3);
}

static void
a_file_in_the_place_of_the_folder_is_unavailable(void **state)
{
	SCOPED(blob_store_close_p) struct blob_store *s = NULL;
	char path[64];

	(void)state;
	(void)snprintf(path, sizeof path, "%s/file", fixture.path);
	write_file(path, "x");
	assert_int_equal(blob_dir_new(fixture.path, "file", &s, NULL), 0);
	assert_int_equal(blob_store_ping(s, NULL), ERR_UNAVAILABLE);
	assert_int_equal(unlink(path), 0);
}

static void
a_path_that_is_not_absolute_or_too_long_is_refused(void **state)
{
	static char longest[5000];
	struct blob_store *s = NULL;

	(void)state;
	assert_int_equal(blob_dir_new("relative", "videos", &s, NULL), ERR_INVALID);
	assert_int_equal(blob_dir_new("", "videos", &s, NULL), ERR_INVALID);
	memset(longest, '/', sizeof longest - 1);
	assert_int_equal(blob_dir_new(longest, "videos", &s, NULL), ERR_INVALID);
	assert_null(s);
}

/* What a removal or a commit that was interrupted leaves beside a blob's name. */
static void
metadata_alone_is_a_leftover_and_is_cleared(void **state)
{
	struct blob_id id = store_content(*state, &(struct blob_meta){ 0 }, 3), found;
	struct blob_leftover left;

	assert_int_equal(unlink(dir_fixture_path(&fixture, "videos", &id, "").text), 0);
	assert_int_equal(blob_leftover(*state, &id, &left, NULL), 0);
	assert_int_equal(left.chunks, 1);
	for (found = (struct blob_id){ "" }; !blob_id_equal(&found, &id);)
		assert_int_equal(blob_next_id(*state, &found, &found, NULL), 0);
	assert_int_equal(blob_clear(*state, &id, NULL), 0);
	assert_int_equal(blob_leftover(*state, &id, &left, NULL), ERR_NOT_FOUND);
}

static void
a_used_id_is_not_written_again(void **state)
{
	struct blob_id id = store_content(*state, &(struct blob_meta){ 0 }, 3),
		       half = blob_id_new();
	struct blob_writer *w = NULL, *first = NULL;

	assert_int_equal(blob_create(*state, &id, &(struct blob_meta){ 0 }, &w, NULL),
			 ERR_CONFLICT);
	assert_int_equal(blob_create(*state, &half, &(struct blob_meta){ 0 }, &first, NULL), 0);
	assert_int_equal(blob_create(*state, &half, &(struct blob_meta){ 0 }, &w, NULL),
			 ERR_CONFLICT);
	assert_null(w);
	blob_writer_close(first);
	expect_blob(*state, &id, 3);
}

static void
folders_go_once_they_are_old_and_empty(void **state)
{
	struct blob_id old = { "5f0000001111111111111111" }, older = { "5f0000001111111111111112" };
	struct dir_path_text folder = dir_fixture_path(&fixture, "videos", &old, "");
	struct blob_writer *w = NULL;

	assert_int_equal(blob_create(*state, &old, &(struct blob_meta){ 0 }, &w, NULL), 0);
	assert_int_equal(blob_commit(w, NULL), 0);
	blob_writer_close(w);
	assert_int_equal(blob_create(*state, &older, &(struct blob_meta){ 0 }, &w, NULL), 0);
	assert_int_equal(blob_commit(w, NULL), 0);
	blob_writer_close(w);
	*strrchr(folder.text, '/') = '\0';
	assert_int_equal(blob_remove(*state, &old, NULL), 0);
	assert_int_equal(access(folder.text, F_OK), 0);
	assert_int_equal(blob_remove(*state, &older, NULL), 0);
	assert_int_equal(access(folder.text, F_OK), -1);
	*strrchr(folder.text, '/') = '\0';
	assert_int_equal(access(folder.text, F_OK), -1);
}

/* In folders of their own, behind and before each other, and files that are not ours. */
static void
ids_are_found_in_order_across_folders(void **state)
{
	static const char *const ids[] = {
		"5e0000001111111111111111", "5e0000001111111111111112", "5e0000ff0000000000000000",
		"5e00010000000000000000ff", "5e00ff000000000000000000", "5e0100000000000000000000",
	};
	struct blob_id at = { "5dffffffffffffffffffffff" };
	char odd[128];

	for (size_t i = ARRAY_LEN(ids); i-- > 0;) {
		struct blob_writer *w = NULL;
		struct blob_id id;

		assert_int_equal(blob_id_parse(ids[i], &id), 0);
		assert_int_equal(blob_create(*state, &id, &(struct blob_meta){ 0 }, &w, NULL), 0);
		assert_int_equal(blob_commit(w, NULL), 0);
		blob_writer_close(w);
	}
	(void)snprintf(odd, sizeof odd, "%s/videos/lost+found", fixture.path);
	assert_int_equal(mkdir(odd, 0700), 0);
	(void)snprintf(odd, sizeof odd, "%s/videos/5e00/00/README", fixture.path);
	write_file(odd, "x");
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		assert_int_equal(blob_next_id(*state, &at, &at, NULL), 0);
		assert_string_equal(at.hex, ids[i]);
	}
}

static int
open_store(void **state)
{
	*state = open_dir();
	return *state ? 0 : -1;
}

static int
close_store(void **state)
{
	blob_store_close(*state);
	return 0;
}

#define ENTRY(test) cmocka_unit_test_setup_teardown(test, open_store, close_store)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ENTRY(a_blob_is_a_file_of_its_bytes_that_nobody_may_change),
		ENTRY(two_stores_below_one_path_do_not_see_each_other),
		ENTRY(two_processes_share_a_store),
		ENTRY(a_blob_that_was_cut_or_lost_its_metadata_is_corrupt),
		ENTRY(metadata_that_is_no_text_of_ours_is_corrupt),
		ENTRY(an_owner_that_cannot_be_read_is_nobody),
		ENTRY(a_link_in_the_place_of_a_blob_is_not_followed),
		ENTRY(a_store_that_is_not_there_is_unavailable_and_comes_back),
		ENTRY(a_store_opens_without_its_folder_and_makes_only_its_own),
		ENTRY(a_file_in_the_place_of_the_folder_is_unavailable),
		ENTRY(a_path_that_is_not_absolute_or_too_long_is_refused),
		ENTRY(metadata_alone_is_a_leftover_and_is_cleared),
		ENTRY(a_used_id_is_not_written_again),
		ENTRY(folders_go_once_they_are_old_and_empty),
		ENTRY(ids_are_found_in_order_across_folders),
	};
	const struct blob_suite_server server = { open_dir, chunks_dir };
	int failed;

	if (dir_fixture_start(&fixture) < 0)
		return 1;
	failed = blob_suite_run("blob store in a folder", &server);
	failed += blob_suite_run_resume("uploads that go on in a folder", &server);
	failed += cmocka_run_group_tests_name("folders only", tests, NULL, NULL);
	dir_fixture_stop(&fixture);
	return failed;
}
