/* What notification says, and what becomes of its messages, among fakes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log/log.h"
#include "fake/job/job_fake.h"
#include "fake/queue/queue_fake.h"
#include "notification/notify.h"

#define VIDEO "65f0ab65f065f065f065f065"
#define MP3 "65f0ab65f065f065f065f066"
#define READY "{\"video_fid\":\"" VIDEO "\",\"mp3_fid\":\"" MP3 "\",\"username\":\"u\"}"
#define READY_LINE "Your mp3 is ready for download- FID: " MP3 "\n"
#define ROUNDS_MAX 50

static FILE *lines;

struct world {
	struct queue_broker *broker;
	struct ledger *jobs;
	struct consumer *consumer;
	struct notifier n;
	struct err e;
};

static int
open_world(void **state)
{
	static const char *const queues[] = { "mp3", "failed" };
	struct job_message m = { .video_fid = { VIDEO }, .username = "u" };
	struct world *w = calloc(1, sizeof *w);

	assert_non_null(w);
	assert_int_equal(queue_broker_new(&w->broker, NULL), 0);
	assert_int_equal(job_fake_new(NULL, &w->jobs, NULL), 0);
	assert_int_equal(consumer_fake_new(w->broker, queues, 2, 5, &w->consumer, NULL), 0);
	assert_int_equal(job_adopt(&w->jobs->life, &m, NULL), 0);
	w->n = (struct notifier){ .consumer = w->consumer,
				  .owner = "me",
				  .jobs = &w->jobs->notice,
				  .mp3_queue = "mp3",
				  .failed_queue = "failed" };
	rewind(lines);
	assert_int_equal(ftruncate(fileno(lines), 0), 0);
	*state = w;
	return 0;
}

static int
close_world(void **state)
{
	struct world *w = *state;

	consumer_close(w->consumer);
	ledger_close(w->jobs);
	queue_broker_free(w->broker);
	free(w);
	return 0;
}

static void
put_message(struct world *w, const char *queue, const char *body)
{
	queue_broker_put(w->broker, queue, body, strlen(body));
}

static enum notice
handle_one(struct world *w)
{
	struct queue_delivery d;

	assert_int_equal(queue_next(w->consumer, 0, &d, NULL), 0);
	w->e = ERR_NONE;
	return notify(&w->n, &d, &w->e);
}

static const char *
said(void)
{
	static char text[4096];
	ssize_t n = pread(fileno(lines), text, sizeof text - 1, 0);

	assert_true(n >= 0);
	text[n] = '\0';
	return text;
}

static void
a_finished_mp3_is_said_in_one_bare_line(void **state)
{
	struct world *w = *state;

	put_message(w, "mp3", READY);
	assert_int_equal(handle_one(w), NOTICE_SAID);
	assert_string_equal(said(), READY_LINE);
	assert_int_equal(queue_broker_count(w->broker, "mp3"), 0);
}

#define WARNED                                                                                     \
	"{\"video_fid\":\"" VIDEO "\",\"mp3_fid\":\"" MP3 "\",\"username\":\"u\",\"warnings\":[{"  \
	"\"code\":\"truncated\",\"at_s\":0.9,\"message\":\"x\"},{\"code\":\"later\"}]}"

static void
a_warning_leaves_the_bare_line_as_it_is(void **state)
{
	struct world *w = *state;

	put_message(w, "mp3", WARNED);
	assert_int_equal(handle_one(w), NOTICE_SAID);
	assert_string_equal(said(), READY_LINE);
}

static void
a_json_line_lists_the_warnings(void **state)
{
	struct world *w = *state;

	log_init("notification", LOG_LEVEL_INFO, LOG_FORMAT_JSON, fileno(lines));
	put_message(w, "mp3", WARNED);
	assert_int_equal(handle_one(w), NOTICE_SAID);
	log_init("notification", LOG_LEVEL_INFO, LOG_FORMAT_TEXT, fileno(lines));
	assert_non_null(strstr(said(), "\"msg\":\"Your mp3 is ready for download- FID: " MP3 "\""));
	assert_non_null(strstr(said(),
			       "\"warnings\":[{\"code\":\"truncated\",\"message\":\"the file "
			       "ends too early: bytes are missing at its end\",\"at_s\":0.9,"
			       "\"seconds\":null}]}\n"));
}

static void
a_failure_is_said_with_its_words_on_one_line(void **state)
{
	struct world *w = *state;

	put_message(w, "failed",
		    "{\"video_fid\":\"" VIDEO "\",\"mp3_fid\":null,\"username\":\"u\","
		    "\"error\":{\"code\":\"no_audio\",\"message\":\"no\\r\\nsound\\u001b[2J\"}}");
	assert_int_equal(handle_one(w), NOTICE_SAID);
	assert_string_equal(said(), "Your mp3 could not be made (no  sound [2J)- FID: " VIDEO "\n");
	assert_null(strchr(said(), '\r'));
	assert_null(strchr(said(), 0x1b));
	assert_ptr_equal(strchr(said(), '\n'), said() + strlen(said()) - 1);
	assert_int_equal(queue_broker_count(w->broker, "failed"), 0);
}

#define FORGED ")- FID: " MP3
/* As long as a message may be. */
#define FORGED_7 FORGED FORGED FORGED FORGED FORGED FORGED FORGED
#define FORGED_MESSAGE "it has no sound, said at length" FORGED_7

static void
whatever_a_failure_says_the_last_word_is_the_fid_of_its_video(void **state)
{
	struct world *w = *state;

	assert_int_equal(strlen(FORGED_MESSAGE), JOB_ERROR_MESSAGE_MAX);
	put_message(w, "failed",
		    "{\"video_fid\":\"" VIDEO "\",\"mp3_fid\":null,\"username\":\"u\","
		    "\"error\":{\"code\":\"no_audio\",\"message\":\"" FORGED_MESSAGE "\"}}");
	assert_int_equal(handle_one(w), NOTICE_SAID);
	assert_string_equal(said(),
			    "Your mp3 could not be made (" FORGED_MESSAGE ")- FID: " VIDEO "\n");
}

static void
the_json_log_has_the_same_words_in_msg(void **state)
{
	struct world *w = *state;

	put_message(w, "failed",
		    "{\"video_fid\":\"" VIDEO "\",\"mp3_fid\":null,\"username\":\"u\","
		    "\"error\":{\"code\":\"no_audio\",\"message\":\"no\\nsound\"}}");
	log_init("notification", LOG_LEVEL_INFO, LOG_FORMAT_JSON, fileno(lines));
	assert_int_equal(handle_one(w), NOTICE_SAID);
	log_init("notification", LOG_LEVEL_INFO, LOG_FORMAT_TEXT, fileno(lines));
	assert_non_null(strstr(
		said(), "\"msg\":\"Your mp3 could not be made (no sound)- FID: " VIDEO "\""));
}

static void
a_result_published_twice_is_said_once(void **state)
{
	struct world *w = *state;

	put_message(w, "mp3", READY);
	put_message(w, "mp3", READY);
	assert_int_equal(handle_one(w), NOTICE_SAID);
	assert_int_equal(handle_one(w), NOTICE_KNOWN);
	assert_string_equal(said(), READY_LINE);
	assert_int_equal(queue_broker_count(w->broker, "mp3"), 0);
}

static void
a_result_that_another_process_is_about_to_say_waits(void **state)
{
	static const struct blob_id video = { VIDEO };
	struct world *w = *state;

	put_message(w, "mp3", READY);
	assert_int_equal(job_claim_notice(&w->jobs->notice, &video, "another", 15000, NULL), 0);
	assert_int_equal(handle_one(w), NOTICE_OTHERS);
	assert_string_equal(said(), "");
	assert_int_equal(queue_broker_count(w->broker, "mp3"), 1);
	w->n.owner = "another";
	assert_int_equal(handle_one(w), NOTICE_SAID);
	assert_string_equal(said(), READY_LINE);
}

static void
what_was_said_is_recorded_without_its_message(void **state)
{
	static const struct blob_id video = { VIDEO };
	struct world *w = *state;
	struct job job;

	put_message(w, "mp3", READY);
	job_fake_break_nth(w->jobs, 2, ERR_TIMEOUT);
	assert_int_equal(handle_one(w), NOTICE_LATER);
	assert_int_equal(notify_settle(&w->n, &w->e), 0);
	assert_int_equal(job_get(&w->jobs->life, &video, &job, NULL), 0);
	assert_true(job.notified_ms > 0);
	assert_int_equal(w->n.unrecorded_count, 0);
	w->n.owner = "another";
	assert_int_equal(handle_one(w), NOTICE_KNOWN);
	assert_string_equal(said(), READY_LINE);
}

static void
a_result_without_a_job_is_said_and_acked(void **state)
{
	struct world *w = *state;

	put_message(w, "mp3",
		    "{\"video_fid\":\"" MP3 "\",\"mp3_fid\":\"" MP3 "\",\"username\":\"other\"}");
	assert_int_equal(handle_one(w), NOTICE_SAID);
	assert_string_equal(said(), READY_LINE);
	assert_int_equal(queue_broker_count(w->broker, "mp3"), 0);
}

static void
what_cannot_be_read_is_buried_with_a_reason_and_not_said(void **state)
{
	static const struct {
		const char *queue, *body;
	} bad[] = {
		{ "mp3", "" },
		{ "mp3", "not json" },
		{ "mp3", "[]" },
		{ "mp3", "{\"video_fid\":\"" VIDEO "\",\"username\":\"u\"}" },
		{ "mp3", "{\"video_fid\":\"x\",\"mp3_fid\":\"" MP3 "\",\"username\":\"u\"}" },
		{ "mp3", "{\"video_fid\":\"" VIDEO "\",\"mp3_fid\":\"" MP3 "\"}" },
		{ "mp3", "\xff\xfe" },
		{ "failed", READY },
	};
	struct world *w = *state;
	struct queue_fake_message m;
	char dead[16];

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		put_message(w, bad[i].queue, bad[i].body);
		assert_int_equal(handle_one(w), NOTICE_BURIED);
		(void)snprintf(dead, sizeof dead, "%s.dead", bad[i].queue);
		assert_true(queue_broker_look(w->broker, dead,
					      queue_broker_count(w->broker, dead) - 1, &m));
		assert_string_equal(m.body, bad[i].body);
		assert_true(strlen(m.reason) > 0);
		assert_int_equal(queue_broker_count(w->broker, bad[i].queue), 0);
	}
	assert_string_equal(said(), "");
}

static void
while_the_ledger_is_away_nothing_is_said_and_nothing_lost(void **state)
{
	struct world *w = *state;

	put_message(w, "mp3", READY);
	job_fake_break(w->jobs, ERR_UNAVAILABLE);
	assert_int_equal(handle_one(w), NOTICE_LATER);
	assert_int_equal(w->e.code, ERR_UNAVAILABLE);
	assert_string_equal(said(), "");
	assert_int_equal(queue_broker_count(w->broker, "mp3"), 1);
	job_fake_break(w->jobs, 0);
	assert_int_equal(handle_one(w), NOTICE_SAID);
	assert_string_equal(said(), READY_LINE);
}

static void
a_record_that_fails_after_the_line_is_tried_again_without_it(void **state)
{
	struct world *w = *state;

	put_message(w, "mp3", READY);
	job_fake_break_nth(w->jobs, 2, ERR_TIMEOUT);
	assert_int_equal(handle_one(w), NOTICE_LATER);
	assert_int_equal(handle_one(w), NOTICE_SAID);
	assert_string_equal(said(), READY_LINE);
	assert_int_equal(w->n.unrecorded_count, 0);
}

/* Takes messages until the queues are empty; a lost connection brings them again. */
static void
settle(struct world *w)
{
	struct queue_delivery d;
	struct err e;

	for (int i = 0; i < ROUNDS_MAX; i++) {
		if (queue_next(w->consumer, 0, &d, NULL) == 0)
			(void)notify(&w->n, &d, &e);
		if (queue_broker_count(w->broker, "mp3") == 0)
			return;
	}
	fail_msg("the message is still there");
}

static void
whichever_call_fails_it_is_said_and_nothing_is_lost(void **state)
{
	static const int codes[] = { ERR_UNAVAILABLE, ERR_TIMEOUT, ERR_NO_MEMORY };

	close_world(state);
	for (size_t i = 0; i < ARRAY_LEN(codes) * 2; i++)
		for (int n = 1; n <= 6; n++) {
			struct world *w;

			open_world(state);
			w = *state;
			put_message(w, "mp3", "not json");
			put_message(w, "mp3", READY);
			if (i % 2 == 0)
				queue_broker_break_nth(w->broker, n, codes[i / 2]);
			else
				job_fake_break_nth(w->jobs, n, codes[i / 2]);
			settle(w);
			assert_string_equal(said(), READY_LINE);
			assert_int_equal(queue_broker_count(w->broker, "mp3.dead"), 1);
			close_world(state);
		}
	open_world(state);
}

#define SENTENCE(f) cmocka_unit_test_setup_teardown(f, open_world, close_world)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SENTENCE(a_finished_mp3_is_said_in_one_bare_line),
		SENTENCE(a_warning_leaves_the_bare_line_as_it_is),
		SENTENCE(a_json_line_lists_the_warnings),
		SENTENCE(a_failure_is_said_with_its_words_on_one_line),
		SENTENCE(whatever_a_failure_says_the_last_word_is_the_fid_of_its_video),
		SENTENCE(the_json_log_has_the_same_words_in_msg),
		SENTENCE(a_result_published_twice_is_said_once),
		SENTENCE(a_result_that_another_process_is_about_to_say_waits),
		SENTENCE(what_was_said_is_recorded_without_its_message),
		SENTENCE(a_result_without_a_job_is_said_and_acked),
		SENTENCE(what_cannot_be_read_is_buried_with_a_reason_and_not_said),
		SENTENCE(while_the_ledger_is_away_nothing_is_said_and_nothing_lost),
		SENTENCE(a_record_that_fails_after_the_line_is_tried_again_without_it),
		SENTENCE(whichever_call_fails_it_is_said_and_nothing_is_lost),
	};

	if ((lines = tmpfile()) == NULL)
		return 1;
	log_init("notification", LOG_LEVEL_INFO, LOG_FORMAT_TEXT, fileno(lines));
	return cmocka_run_group_tests_name("notification", tests, NULL, NULL);
}
