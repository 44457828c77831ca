/* Every call that `converter dead` makes of its port fails once, one after the other: no message is
 * lost or doubled, nothing is said to be done that is not, and the same command ends the work. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "converter/command/command.h"
#include "converter/config.h"
#include "fake/faulty/faulty.h"

#define MESSAGES 4
#define TEXT_MAX 8192
#define WORDS_MAX 8
#define CALLS_MAX 50

static const char *const bodies[MESSAGES] = { "body one", "body two", "body three", "body four" };

struct fault_kind {
	const char *name;
	int code, calls;
	enum fault_moment moment;
};
static const struct fault_kind kinds[] = {
	{ "away", ERR_UNAVAILABLE, 1, FAULT_BEFORE },
	{ "answer lost", ERR_TIMEOUT, 1, FAULT_AFTER },
	{ "no memory", ERR_NO_MEMORY, 1, FAULT_BEFORE },
	{ "two answers lost", ERR_TIMEOUT, 2, FAULT_AFTER },
};

static struct {
	struct faults faults;
	struct queue_broker *broker;
	struct converter_config config;
	char out[TEXT_MAX], err[TEXT_MAX];
} world;

/* The program's own makes one of a real broker. */
int
converter_dead_letters_new(const struct converter_config *config, struct dead_letters **ret,
			   struct err *e)
{
	struct dead_letters *inner;
	int r = dead_letters_fake_new(world.broker, &inner, e);

	assert_ptr_equal(config, &world.config);
	if (r == 0)
		*ret = faulty_dead_letters(inner, &world.faults);
	return r;
}

static int
redirect(int fd, FILE *to)
{
	int kept = dup(fd);

	assert_true(kept >= 0);
	assert_true(dup2(fileno(to), fd) >= 0);
	return kept;
}

static void
restore(int fd, int kept, FILE *from, char ret[TEXT_MAX])
{
	assert_true(dup2(kept, fd) >= 0);
	(void)close(kept);
	rewind(from);
	ret[fread(ret, 1, TEXT_MAX - 1, from)] = '\0';
	(void)fclose(from);
}

/* What was printed is in world.out and world.err. */
static int
type(const char *const *words)
{
	FILE *out = tmpfile(), *err = tmpfile();
	char copy[WORDS_MAX][64], *argv[WORDS_MAX + 1] = { 0 };
	int argc = 0, kept_out, kept_err, code;
	struct command_call call;

	assert_true(out && err);
	for (; words[argc]; argc++) {
		(void)snprintf(copy[argc], sizeof copy[argc], "%s", words[argc]);
		argv[argc] = copy[argc];
	}
	(void)fflush(stdout);
	kept_out = redirect(STDOUT_FILENO, out);
	kept_err = redirect(STDERR_FILENO, err);
	if (command_read("converter", &command_dead, argc, argv, &call, &code))
		code = command_run(&call, &world.config);
	(void)fflush(stdout);
	restore(STDOUT_FILENO, kept_out, out, world.out);
	restore(STDERR_FILENO, kept_err, err, world.err);
	return code;
}

static size_t
printed(const char *words)
{
	size_t n = 0;

	for (const char *at = world.out; (at = strstr(at, words)) != NULL; at++)
		n++;
	return n;
}

static size_t
count_of(const char *queue, const char *body)
{
	struct queue_fake_message m;
	size_t n = 0;

	for (size_t i = 0; queue_broker_look(world.broker, queue, i, &m); i++)
		n += strcmp(m.body, body) == 0 && !m.held;
	return n;
}

static void
begin(void)
{
	assert_int_equal(queue_broker_new(&world.broker, NULL), 0);
	world.faults = (struct faults){ 0 };
	for (int i = 0; i < MESSAGES; i++)
		queue_broker_put(world.broker, "video.dead", bodies[i], strlen(bodies[i]));
}

/* As `list` says it. */
static void
read_id(int which, char ret[64])
{
	const char *at = world.out;

	assert_int_equal(
		type((const char *const[]){ "dead", "list", "--queue", "video", "--json", NULL }),
		COMMAND_DONE);
	for (int i = 0; i <= which; i++) {
		at = strstr(at, "\"id\":");
		assert_non_null(at);
		at += strlen("\"id\":");
	}
	assert_int_equal(sscanf(at, " \"%63[0-9a-f.]\"", ret), 1);
}

/* Runs the flow with the n-th call failing, for every n until no call fails. */
static void
sweep(void (*flow)(void), int least)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		int n = 0, calls;

		do {
			begin();
			assert_in_range(++n, 1, CALLS_MAX);
			world.faults.first = n;
			world.faults.last = n + kinds[i].calls - 1;
			world.faults.code = kinds[i].code;
			world.faults.moment = kinds[i].moment;
			print_message("\r%s, call %d ", kinds[i].name, n);
			flow();
			calls = atomic_load(&world.faults.calls);
			queue_broker_free(world.broker);
		} while (calls >= n);
		print_message("of %d\n", calls);
		assert_in_range(calls, least, CALLS_MAX);
	}
}

/* The exit code is right, and a failure has words. */
static bool
ended_well(int code)
{
	assert_true(code == COMMAND_DONE || code == COMMAND_FAILED);
	if (code == COMMAND_FAILED)
		assert_non_null(strstr(world.err, "converter: dead: "));
	return code == COMMAND_DONE;
}

static void
all_lie_there(void)
{
	for (int i = 0; i < MESSAGES; i++)
		assert_int_equal(count_of("video.dead", bodies[i]), 1);
	assert_false(queue_broker_has(world.broker, "video"));
}

static void
list_flow(void)
{
	bool well = ended_well(type((const char *const[]){ "dead", "list", NULL }));

	for (int i = 0; i < MESSAGES; i++)
		assert_in_range(printed(bodies[i]), well, 1);
	all_lie_there();
}

static void
show_flow(void)
{
	struct faults faults = world.faults;
	char id[64];

	world.faults = (struct faults){ 0 };
	read_id(2, id);
	world.faults = faults;
	if (ended_well(type((const char *const[]){ "dead", "show", id, NULL })))
		assert_int_equal(printed(bodies[2]), 1);
	all_lie_there();
}

static void
requeue_flow(void)
{
	static const char *const words[] = { "dead", "requeue", "--all", "--queue", "video", NULL };
	bool well = ended_well(type(words));
	size_t moved = queue_broker_count(world.broker, "video");
	int calls = atomic_load(&world.faults.calls);

	/* the last one may have been moved without a word, since nobody knows */
	assert_in_range(printed("requeued "), moved - (moved > 0 && !well), moved);
	if (well)
		assert_int_equal(moved, MESSAGES);
	for (int i = 0; i < MESSAGES; i++)
		assert_int_equal(count_of("video", bodies[i]) + count_of("video.dead", bodies[i]),
				 1);
	world.faults = (struct faults){ 0 };
	assert_int_equal(type(words), COMMAND_DONE);
	assert_int_equal(printed("requeued "), MESSAGES - moved);
	for (int i = 0; i < MESSAGES; i++)
		assert_int_equal(count_of("video", bodies[i]), 1);
	atomic_store(&world.faults.calls, calls);
}

static void
drop_flow(void)
{
	struct faults faults = world.faults;
	size_t left, dropped;
	char one[64], two[64];
	bool well;

	world.faults = (struct faults){ 0 };
	read_id(1, one);
	read_id(3, two);
	world.faults = faults;
	well = ended_well(type((const char *const[]){ "dead", "drop", one, two, NULL }));
	left = queue_broker_count(world.broker, "video.dead");
	assert_in_range(left, MESSAGES - 2, well ? MESSAGES - 2 : MESSAGES);
	dropped = MESSAGES - left;
	assert_in_range(printed("dropped "), dropped - (dropped > 0 && !well), dropped);
	assert_int_equal(count_of("video.dead", bodies[0]), 1);
	assert_int_equal(count_of("video.dead", bodies[2]), 1);
	assert_false(queue_broker_has(world.broker, "video"));
}

static void
whichever_call_fails_a_list_changes_nothing(void **state)
{
	(void)state;
	sweep(list_flow, 7);
}

static void
whichever_call_fails_a_look_at_one_changes_nothing(void **state)
{
	(void)state;
	sweep(show_flow, 7);
}

static void
whichever_call_fails_a_requeue_moves_each_message_once_and_says_no_more(void **state)
{
	(void)state;
	sweep(requeue_flow, 5);
}

static void
whichever_call_fails_a_drop_takes_what_was_named_and_says_no_more(void **state)
{
	(void)state;
	sweep(drop_flow, 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whichever_call_fails_a_list_changes_nothing),
		cmocka_unit_test(whichever_call_fails_a_look_at_one_changes_nothing),
		cmocka_unit_test(
			whichever_call_fails_a_requeue_moves_each_message_once_and_says_no_more),
		cmocka_unit_test(whichever_call_fails_a_drop_takes_what_was_named_and_says_no_more),
	};

	(void)snprintf(world.config.video_queue, sizeof world.config.video_queue, "video");
	(void)snprintf(world.config.mp3_queue, sizeof world.config.mp3_queue, "mp3");
	(void)snprintf(world.config.failed_queue, sizeof world.config.failed_queue, "failed");
	return cmocka_run_group_tests_name("dead sweep", tests, NULL, NULL);
}
