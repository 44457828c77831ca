/* What the parts of the ledger's suite share. */
#ifndef TONEARM_TESTS_CONTRACT_JOB_JOB_SUITE_PRIVATE_H
#define TONEARM_TESTS_CONTRACT_JOB_JOB_SUITE_PRIVATE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "contract/job/job_suite.h"

#define LEASE_MS 60000

void advance(int64_t ms);
/* A queued job of user; asserts that it was made. */
struct blob_id queued(struct ledger *s, const char *user);
struct job get(struct ledger *s, const struct blob_id *video);
/* The fairest job, leased; asserts that there is one. The memory of turns is the test's. */
struct job lease(struct ledger *s);
int lease_fairest(struct ledger *s, const char *owner, struct job *ret);
int lease_one(struct ledger *s, const struct blob_id *video, struct job *ret);
struct job_lease stranger(const struct job_lease *lease);
/* How many are listed as unpublished. */
size_t unpublished(struct ledger *s, enum job_publication which);
size_t index_of(const struct job *jobs, size_t count, const struct blob_id *video);

/* A test of the ledger l; cmocka's state is a void *, which would fit any port. */
#define JOB_TEST(name)                                                                             \
	static void name##_on(struct ledger *l);                                                   \
	void name(void **state)                                                                    \
	{                                                                                          \
		name##_on(*state);                                                                 \
	}                                                                                          \
	static void name##_on(struct ledger *l)
#define JOB_TESTS(X)                                                                               \
	X(a_new_job_is_read_back_as_it_was_written)                                                \
	X(what_is_wanted_is_leased_with_the_job)                                                   \
	X(options_are_leased_with_the_job_and_may_come_behind_the_file)                            \
	X(who_asks_for_nothing_gets_the_mp3_that_msgq_makes)                                       \
	X(a_job_for_what_cannot_be_made_is_refused)                                                \
	X(text_that_looks_like_an_operator_stays_text)                                             \
	X(text_that_is_not_utf8_is_stored_legibly)                                                 \
	X(a_second_job_for_a_video_is_a_conflict)                                                  \
	X(a_job_without_a_user_or_in_a_later_state_is_refused)                                     \
	X(an_unknown_job_is_not_found_and_leaves_the_result_alone)                                 \
	X(an_upload_waits_until_it_is_enqueued)                                                    \
	X(only_an_unfinished_upload_is_discarded)                                                  \
	X(a_message_without_a_job_gets_one_that_counts_as_published)                               \
	X(counts_tell_the_states_and_the_oldest_that_waits)                                        \
	X(each_attempt_that_ended_is_remembered_the_last_sixteen)                                  \
	X(a_lease_counts_an_attempt_and_hides_the_job)                                             \
	X(with_only_no_other_job_is_leased)                                                        \
	X(who_waits_is_listed_once_with_what_it_has_running)                                       \
	X(the_oldest_due_job_of_some_users_is_leased_and_of_anyone)                                \
	X(users_who_wait_for_their_retry_are_passed_over)                                          \
	X(one_users_jobs_are_leased_oldest_first)                                                  \
	X(the_user_with_fewest_running_is_served_first)                                            \
	X(a_job_behind_500_of_another_user_is_second)                                              \
	X(a_newcomer_is_next_behind_500_even_when_nothing_runs)                                    \
	X(users_take_turns_when_nothing_runs)                                                      \
	X(eight_threads_lease_fifty_jobs_once_each)                                                \
	X(a_finished_job_has_its_output_and_a_repeat_is_welcome)                                   \
	X(a_finished_job_has_the_loudness_that_was_measured)                                       \
	X(a_finished_job_has_what_was_found_in_its_source)                                         \
	X(a_failed_job_keeps_its_reason_and_a_repeat_is_welcome)                                   \
	X(a_retried_job_waits_out_its_delay)                                                       \
	X(a_job_given_back_has_not_used_an_attempt)                                                \
	X(a_job_given_back_says_why_where_there_is_something_to_say)                               \
	X(progress_is_the_leases_and_holds_numbers_only)                                           \
	X(a_renewed_lease_outlives_its_first_term)                                                 \
	X(an_expired_lease_is_freed_and_can_do_nothing_more)                                       \
	X(a_strangers_token_changes_nothing)                                                       \
	X(unpublished_jobs_are_listed_oldest_first_until_marked)                                   \
	X(a_job_whose_message_may_be_lost_is_listed_again)                                         \
	X(a_mark_for_a_job_that_moved_on_is_a_conflict)                                            \
	X(results_are_listed_until_marked)                                                         \
	X(a_result_is_marked_by_its_converter_without_reading_it_again)                            \
	X(a_queue_that_is_gone_takes_its_publications_back)                                        \
	X(a_result_is_announced_once)                                                              \
	X(one_of_two_announces_and_the_other_takes_over_when_it_asks_twice)                        \
	X(whoever_claimed_may_claim_again_and_an_unknown_job_has_no_claim)                         \
	X(a_job_done_by_another_converter_becomes_done)                                            \
	X(nothing_is_announced_of_a_job_without_a_result)                                          \
	X(jobs_are_listed_newest_first_by_state_and_user)                                          \
	X(a_users_load_is_what_has_not_ended)                                                      \
	X(only_failed_jobs_are_requeued_and_as_on_the_first_day)                                   \
	X(one_failed_job_is_requeued_and_the_others_stay)                                          \
	X(a_failure_that_is_late_says_nothing_of_a_job_that_was_done_again)                        \
	X(a_lease_registers_a_fresh_output_until_the_job_is_done_with_it)                          \
	X(outputs_are_left_over_when_no_attempt_has_run_for_long)                                  \
	X(a_job_remembers_the_outputs_of_its_last_attempts_only)                                   \
	X(who_holds_the_lease_is_told_what_earlier_attempts_registered)                            \
	X(what_a_user_stores_is_the_videos_and_results_that_are_there)                             \
	X(an_old_upload_is_given_up_and_forgotten)                                                 \
	X(an_upload_that_came_through_is_not_given_up)                                             \
	X(only_jobs_that_ended_and_were_published_have_blobs_that_may_go)                          \
	X(expired_audio_is_settled_and_the_job_says_so)                                            \
	X(a_failed_job_whose_video_expires_is_not_requeued)

#define JOB_TEST_DECLARE(name) void name(void **state);
JOB_TESTS(JOB_TEST_DECLARE)

#endif
