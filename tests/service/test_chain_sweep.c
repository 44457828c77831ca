/* Every call that the services make of a port fails once, one after the other, over the whole way
 * of a video: whichever it is, what was acknowledged ends in one result that is told once, and what
 * was refused leaves nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "converter/permit.h"
#include "fake/blob/blob_fake.h"
#include "fake/encoder_fake.h"
#include "service/chain_world.h"

#define FILE_BODY                                                                                  \
	"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.mp4\"\r\n\r\n"         \
	"video\r\n--x--\r\n"
#define BEARER "Bearer ann"
#define CALLS_MAX 300

struct fault_kind {
	const char *name;
	int code, calls;
	enum fault_moment moment;
};
static const struct fault_kind kinds[] = {
	{ "away", ERR_UNAVAILABLE, 1, FAULT_BEFORE },
	{ "answer lost", ERR_TIMEOUT, 1, FAULT_AFTER },
	{ "no memory", ERR_NO_MEMORY, 1, FAULT_BEFORE },
	{ "away for two calls", ERR_UNAVAILABLE, 2, FAULT_BEFORE },
	{ "two answers lost", ERR_TIMEOUT, 2, FAULT_AFTER },
};

/* Runs flow with the n-th call failing, for every n until no call fails. */
static void
sweep(void (*flow)(struct chain *, const struct fault_kind *))
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		int n = 0, calls;

		do {
			SCOPED(chain_free_p) struct chain *c = chain_new();

			assert_in_range(++n, 1, CALLS_MAX);
			c->faults.first = n;
			c->faults.last = n + kinds[i].calls - 1;
			c->faults.code = kinds[i].code;
			c->faults.moment = kinds[i].moment;
			print_message("\r%s, call %d ", kinds[i].name, n);
			flow(c, &kinds[i]);
			calls = atomic_load(&c->faults.calls);
		} while (calls >= n);
		print_message("of %d\n", calls);
		assert_in_range(calls, 8, CALLS_MAX);
	}
}

static struct blob_id
only_output(struct chain *c, const struct blob_id *video)
{
	SCOPED(blob_reader_close_p) struct blob_reader *output = NULL;
	struct job job;

	assert_int_equal(blob_fake_count(c->mp3s), 1);
	assert_int_equal(job_get(&c->jobs->life, video, &job, NULL), 0);
	assert_int_equal(blob_open(c->mp3s, &job.mp3_fid, &output, NULL), 0);
	assert_string_equal(output->info.meta.video_fid.hex, video->hex);
	return job.mp3_fid;
}

/* Exactly one job, done, with one output, said once; the dead queues are as long as said. */
static void
check_one_mp3(struct chain *c, const struct blob_id *video, size_t dead)
{
	struct blob_id mp3 = only_output(c, video);
	char line[128];
	struct job job;

	assert_int_equal(job_get(&c->jobs->life, video, &job, NULL), 0);
	assert_int_equal(job.state, JOB_DONE);
	assert_string_equal(job.mp3_fid.hex, mp3.hex);
	assert_true(job.result_published_ms > 0);
	assert_true(job.notified_ms > 0);
	assert_int_equal(chain_jobs(c, JOB_DONE), 1);
	(void)snprintf(line, sizeof line, "Your mp3 is ready for download- FID: %s", mp3.hex);
	assert_int_equal(chain_said(line), 1);
	assert_int_equal(chain_lines(), 1);
	assert_int_equal(c->notifier.unrecorded_count, 0);
	assert_int_equal(queue_broker_count(c->broker, "video.dead"), dead);
	assert_int_equal(queue_broker_count(c->broker, "mp3.dead"), dead);
}

static int64_t
jobs_of_any_state(struct chain *c)
{
	int64_t count = 0;

	for (int state = 0; state < JOB_STATES; state++)
		count += chain_jobs(c, (enum job_state)state);
	return count;
}

/* Nothing of a refused upload is ever seen again. Two calls may be the refusal's cause and the
 * clearing up after it: what is known as uploading the janitor finds. */
static void
check_nothing(struct chain *c, const struct fault_kind *kind)
{
	int64_t left = chain_jobs(c, JOB_UPLOADING);

	assert_int_equal(jobs_of_any_state(c), left);
	assert_in_range(left, 0, kind->calls - 1);
	assert_in_range(blob_fake_count(c->videos), 0, kind->calls - 1);
	assert_int_equal(blob_fake_count(c->mp3s), 0);
	assert_int_equal(chain_lines(), 0);
	assert_int_equal(queue_broker_count(c->broker, "video"), 0);
}

/* The first job's video, or none. */
static struct blob_id
find_video(struct chain *c)
{
	SCOPED_FREE struct job *job = calloc(1, sizeof *job);
	struct blob_id none = { { 0 } };
	size_t count = 0;

	assert_non_null(job);
	(void)atomic_fetch_add(&c->clock.unix_ms, JOB_REPUBLISH_MS + 1);
	assert_int_equal(
		job_list_unpublished(&c->jobs->outbox, JOB_PUBLISH_VIDEO, job, 1, &count, NULL), 0);
	return count == 1 ? job->video_fid : none;
}

static void
read_it_back(struct chain *c, const struct blob_id *video)
{
	char path[64];
	int status = 0;

	(void)snprintf(path, sizeof path, "/jobs/%s", video->hex);
	for (int i = 0; i < 3 && status != 200; i++) {
		status = chain_ask(c, path, BEARER, NULL);
		assert_true(status == 200 || (status == 503 && c->answer.retry_after_s > 0));
	}
	(void)snprintf(path, sizeof path, "/download?fid=%s", only_output(c, video).hex);
	for (int i = 0; i < 3 && strcmp(str_text(&c->answer.body), "video") != 0; i++) {
		status = chain_ask(c, path, BEARER, NULL);
		/* 0: the head was out, so the connection is cut */
		assert_true(status == 200 || status == 0 ||
			    (status == 503 && c->answer.retry_after_s > 0));
	}
	assert_int_equal(status, 200);
}

static void
log_in(struct chain *c)
{
	int status = 0;

	for (int i = 0; i < 3 && status != 200; i++) {
		status = chain_ask(c, "/login", "Basic right", "");
		assert_true(status == 200 || (status == 503 && c->answer.retry_after_s > 0));
	}
	assert_string_equal(str_text(&c->answer.body), "ann");
}

static void
upload_flow(struct chain *c, const struct fault_kind *kind)
{
	struct blob_id video;
	int status;

	log_in(c);
	status = chain_ask(c, "/upload", BEARER, FILE_BODY);
	video = find_video(c);
	if (status != 200) {
		assert_int_equal(status, 503);
		assert_true(c->answer.retry_after_s > 0);
	}
	if (status != 200 && blob_id_is_none(&video)) {
		check_nothing(c, kind);
		return;
	}
	/* A refusal whose upload is there all the same: only where an answer was lost. */
	assert_true(status == 200 || kind->moment == FAULT_AFTER);
	chain_settle(c);
	check_one_mp3(c, &video, 0);
	read_it_back(c, &video);
}

static struct blob_id
shelve_video(struct chain *c)
{
	SCOPED(blob_writer_close_p) struct blob_writer *writer = NULL;
	struct blob_id id = blob_id_new();
	struct blob_meta meta = { .filename = "a.mp4" };

	assert_int_equal(blob_create(c->videos, &id, &meta, &writer, NULL), 0);
	assert_int_equal(blob_write(writer, "video", 5, NULL), 0);
	assert_int_equal(blob_commit(writer, NULL), 0);
	return id;
}

/* From MsgQ's gateway: a video and a message without a job, twice, between messages of nobody. */
static void
foreign_flow(struct chain *c, const struct fault_kind *kind)
{
	struct blob_id video = shelve_video(c);
	char body[160];

	(void)kind;
	(void)snprintf(body, sizeof body,
		       "{\"video_fid\": \"%s\", \"mp3_fid\": null, \"username\": \"" CHAIN_USER
		       "\"}",
		       video.hex);
	queue_broker_put(c->broker, "video", "no json", 7);
	queue_broker_put(c->broker, "video", body, strlen(body));
	queue_broker_put(c->broker, "video", body, strlen(body));
	queue_broker_put(c->broker, "mp3", "{}", 2);
	chain_settle(c);
	check_one_mp3(c, &video, 1);
}

static void
hopeless_flow(struct chain *c, const struct fault_kind *kind)
{
	static const struct job_error why = { "no_audio", "the file has no sound track" };
	struct job job = { .video_fid = shelve_video(c), .username = "u", .state = JOB_QUEUED };
	char line[128];

	(void)kind;
	assert_int_equal(job_create(&c->jobs->life, &job, NULL), 0);
	encoder_fake_fail(c->encoder, ERR_INVALID, &why);
	chain_settle(c);
	assert_int_equal(job_get(&c->jobs->life, &job.video_fid, &job, NULL), 0);
	assert_int_equal(job.state, JOB_FAILED);
	assert_string_equal(job.error.code, why.code);
	assert_int_equal(blob_fake_count(c->mp3s), 0);
	(void)snprintf(line, sizeof line, "Your mp3 could not be made (%s)- FID: %s", why.message,
		       job.video_fid.hex);
	assert_int_equal(chain_said(line), 1);
	assert_int_equal(chain_lines(), 1);
}

static void
whichever_call_fails_an_upload_ends_in_one_mp3_or_leaves_nothing(void **state)
{
	(void)state;
	sweep(upload_flow);
}

static void
whichever_call_fails_a_foreign_message_ends_in_one_mp3(void **state)
{
	(void)state;
	sweep(foreign_flow);
}

static void
whichever_call_fails_a_hopeless_video_fails_once_with_its_words(void **state)
{
	(void)state;
	sweep(hopeless_flow);
}

static const char readable[] = "{\"video_fid\":\"65f0ab65f065f065f065f065\",\"username\":\"u\","
			       "\"mp3_fid\":\"65f0ab65f065f065f065f066\"}";

static void
what_no_memory_is_there_to_read_goes_back_and_not_to_the_dead(void **state)
{
	SCOPED(chain_free_p) struct chain *c = chain_new();
	struct queue_delivery d;
	enum permit took;
	enum notice notice;
	struct err e;
	struct job job;

	(void)state;
	queue_broker_put(c->broker, "video", readable, sizeof readable - 1);
	queue_broker_put(c->broker, "mp3", readable, sizeof readable - 1);
	assert_int_equal(queue_next(c->permits, 0, &d, NULL), 0);
	chain_short_of_memory(true);
	took = permit_take(&c->converter, c->permits, &d, &job);
	chain_short_of_memory(false);
	queue_delivery_free(&d);
	assert_int_equal(took, PERMIT_SERVER_LOST);
	assert_int_equal(queue_next(c->notifier.consumer, 0, &d, NULL), 0);
	chain_short_of_memory(true);
	notice = notify(&c->notifier, &d, &e);
	chain_short_of_memory(false);
	assert_int_equal(notice, NOTICE_LATER);
	assert_int_equal(queue_broker_count(c->broker, "video"), 1);
	assert_int_equal(queue_broker_count(c->broker, "mp3"), 1);
	assert_int_equal(queue_broker_count(c->broker, "video.dead"), 0);
	assert_int_equal(queue_broker_count(c->broker, "mp3.dead"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whichever_call_fails_an_upload_ends_in_one_mp3_or_leaves_nothing),
		cmocka_unit_test(whichever_call_fails_a_foreign_message_ends_in_one_mp3),
		cmocka_unit_test(whichever_call_fails_a_hopeless_video_fails_once_with_its_words),
		cmocka_unit_test(what_no_memory_is_there_to_read_goes_back_and_not_to_the_dead),
	};
	int failed;

	if (chain_net_start() < 0)
		return 1;
	failed = cmocka_run_group_tests_name("chain sweep", tests, NULL, NULL);
	chain_net_stop();
	return failed;
}
