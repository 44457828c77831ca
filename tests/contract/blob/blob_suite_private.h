/* What the parts of the blob store's suite share; test_blob_gridfs*.c use it too. */
#ifndef TONEARM_TESTS_CONTRACT_BLOB_BLOB_SUITE_PRIVATE_H
#define TONEARM_TESTS_CONTRACT_BLOB_BLOB_SUITE_PRIVATE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "contract/blob/blob_suite.h"

/* The content of every blob in the tests: the byte at an offset. */
uint8_t content_at(int64_t offset);
/* Writes the next size bytes of it in pieces of an odd size. */
int write_content(struct blob_writer *w, int64_t size);
/* Creates, writes and commits; asserts that it went well. */
struct blob_id store_content(struct blob_store *s, const struct blob_meta *meta, int64_t size);
/* Asserts that reading on from offset from gives count bytes of the content, then more or the end.
 */
void expect_content(struct blob_reader *r, int64_t from, int64_t count);
/* Asserts that the whole blob is readable and is the content. */
void expect_blob(struct blob_store *s, const struct blob_id *id, int64_t size);
struct blob_info info_of(struct blob_store *s, const struct blob_id *id);
/* The code of reading the blob from its start to its end or first failure. */
int read_through(struct blob_reader *r);
/* Waits until no chunk of id is left: 0, or how many there are after ms. */
int64_t await_no_chunks(struct blob_store *s, const struct blob_id *id, int64_t ms);
/* Asserts that soon there are as many chunks as so many bytes need. */
void expect_chunks(struct blob_store *s, const struct blob_id *id, int64_t size);

#define BLOB_TEST(name) void name(void **state)
#define BLOB_TESTS(X)                                                                              \
	X(every_size_around_the_chunks_is_read_back)                                               \
	X(a_blob_is_invisible_before_its_commit)                                                   \
	X(what_is_closed_without_a_commit_leaves_no_chunk)                                         \
	X(many_writers_that_give_up_leave_no_chunk)                                                \
	X(writers_side_by_side_do_not_mix)                                                         \
	X(held_bytes_are_patched_after_the_rest_was_written)                                       \
	X(held_bytes_of_one_short_chunk_are_patched)                                               \
	X(a_patch_of_what_is_not_held_is_refused)                                                  \
	X(what_is_held_is_said_once_and_is_little)                                                 \
	X(an_output_names_its_video)                                                               \
	X(blobs_that_are_no_outputs_do_not_conflict)                                               \
	X(a_removed_blob_is_gone_with_its_chunks)                                                  \
	X(removing_what_is_not_there_is_fine)                                                      \
	X(ranges_across_the_borders_of_chunks_are_exact)                                           \
	X(what_is_lent_is_what_would_be_read)                                                      \
	X(seeking_back_and_forth_reads_the_right_bytes)                                            \
	X(a_seek_outside_is_refused_and_moves_nothing)                                             \
	X(an_unknown_blob_is_not_found_and_leaves_the_result_alone)                                \
	X(metadata_comes_back_as_it_was_given)                                                     \
	X(hostile_text_stays_text)                                                                 \
	X(the_longest_text_is_kept_whole)                                                          \
	X(text_that_is_not_utf8_does_not_cost_the_blob)                                            \
	X(a_store_that_answers_pings)                                                              \
	X(what_a_writer_has_stored_is_seen_before_its_commit)                                      \
	X(a_writer_whose_chunks_were_cleared_cannot_commit)                                        \
	X(a_blob_is_no_leftover_and_is_not_cleared)                                                \
	X(every_id_with_chunks_is_found_once_in_order)

#define BLOB_RESUME_TESTS(X)                                                                       \
	X(an_upload_goes_on_at_every_border_of_a_chunk)                                            \
	X(an_upload_of_many_small_parts_becomes_one_blob)                                          \
	X(one_writer_flushes_often_and_goes_on)                                                    \
	X(what_was_flushed_outlives_a_close_without_commit)                                        \
	X(an_upload_without_bytes_becomes_an_empty_blob)                                           \
	X(a_finished_upload_cannot_be_resumed)                                                     \
	X(an_upload_that_waits_is_a_leftover_until_it_is_cleared)                                  \
	X(a_part_whose_upload_was_cleared_cannot_commit)                                           \
	X(only_an_upload_that_goes_on_is_flushed_and_it_holds_nothing)                             \
	X(of_two_writers_the_first_one_loses_or_the_second_is_refused)                             \
	X(a_stale_writer_cannot_touch_what_the_other_has_finished)                                 \
	X(writers_that_race_for_one_upload_finish_it_once)

#define BLOB_DECLARE(name) void name(void **state);
BLOB_TESTS(BLOB_DECLARE)
BLOB_RESUME_TESTS(BLOB_DECLARE)

#endif
