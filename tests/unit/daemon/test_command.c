/* What an operator types: words against the tables, help from the tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/scope.h"
#include "daemon/command.h"

#define TEXT_MAX 4096
#define WORDS_MAX 8

static struct {
	char out[TEXT_MAX], err[TEXT_MAX];
	struct command_call call; /* of the verb that ran */
	int ran;
	int answer;
} seen;

static int
remember(const struct command_call *call)
{
	seen.call = *call;
	seen.ran++;
	if (seen.answer == COMMAND_FAILED)
		return command_failed(call, command_verb_name(call),
				      &(struct err){ ERR_NOT_FOUND, "no\x1b[2J" }, "look");
	printf("done\n");
	return seen.answer;
}

static const struct command_option list_options[] = {
	{ .type = COMMAND_TEXT, .name = "state", .value = "STATE", .help = "only these" },
	{ .type = COMMAND_NUMBER,
	  .name = "limit",
	  .value = "N",
	  .help = "at most",
	  .min = 1,
	  .max = 99,
	  .fallback = 7 },
	{ .name = "json", .help = "as JSON" },
	{ 0 },
};
static const struct command_option retry_options[] = {
	{ .type = COMMAND_INSTEAD, .name = "all", .help = "all of them" },
	{ .type = COMMAND_TEXT, .name = "user", .value = "NAME", .help = "only theirs" },
	{ 0 },
};
static const struct command_verb verbs[] = {
	{ "list", NULL, list_options, "Lists things.", remember },
	{ "retry", "ID...", retry_options, "Tries again.\nTwice.", remember },
	{ "copy", "FROM TO", NULL, "Copies.", remember },
	{ 0 },
};
static const struct command things = { .name = "things",
				       .summary = "things",
				       .verbs = verbs,
				       .notes = "A note.",
				       .no_more = "never a secret" };
static const struct command_verb single_verb[] = {
	{ NULL, "IN", NULL, "Does one thing.", remember },
	{ 0 },
};
static const struct command single = { .name = "single", .summary = "one", .verbs = single_verb };

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

/* Types words, apart by blanks, behind "sample"; returns the exit code. */
static int
type(const struct command *command, const char *words)
{
	static char copy[256];
	FILE *out = tmpfile(), *err = tmpfile();
	char *argv[WORDS_MAX] = { 0 }, *rest = copy;
	int argc = 0, kept_out, kept_err, code;
	struct command_call call;

	assert_true(out && err);
	(void)snprintf(copy, sizeof copy, "%s", words);
	seen.ran = 0;
	while (rest && argc < WORDS_MAX)
		argv[argc++] = strsep(&rest, " ");
	(void)fflush(stdout);
	kept_out = redirect(STDOUT_FILENO, out);
	kept_err = redirect(STDERR_FILENO, err);
	if (command_read("sample", command, argc, argv, &call, &code))
		code = command_run(&call, "the configuration");
	(void)fflush(stdout);
	restore(STDOUT_FILENO, kept_out, out, seen.out);
	restore(STDERR_FILENO, kept_err, err, seen.err);
	return code;
}

static void
wrong(const char *words, const char *said)
{
	assert_int_equal(type(&things, words), COMMAND_USAGE);
	assert_int_equal(seen.ran, 0);
	assert_string_equal(seen.out, "");
	if (!strstr(seen.err, said))
		fail_msg("%s: %s", words, seen.err);
	assert_non_null(strstr(
		seen.err, "usage:\n  sample things list [--state STATE] [--limit N] [--json]\n"));
}

static void
a_verb_gets_its_options_and_operands(void **state)
{
	(void)state;
	assert_int_equal(type(&things, "things list --limit 12 --state=a=b --json"), COMMAND_DONE);
	assert_int_equal(seen.ran, 1);
	assert_string_equal(seen.out, "done\n");
	assert_int_equal(command_number(&seen.call, "limit"), 12);
	assert_string_equal(command_text(&seen.call, "state"), "a=b");
	assert_true(command_given(&seen.call, "json"));
	assert_string_equal(seen.call.config, "the configuration");
	assert_int_equal(type(&things, "things copy - x"), COMMAND_DONE);
	assert_int_equal(seen.call.operand_count, 2);
	assert_string_equal(seen.call.operands[0], "-");
}

static void
what_is_not_given_has_its_default(void **state)
{
	(void)state;
	assert_int_equal(type(&things, "things list"), COMMAND_DONE);
	assert_int_equal(command_number(&seen.call, "limit"), 7);
	assert_null(command_text(&seen.call, "state"));
	assert_false(command_given(&seen.call, "json"));
}

static void
options_stand_anywhere_and_two_dashes_end_them(void **state)
{
	(void)state;
	assert_int_equal(type(&things, "things retry a --user u b"), COMMAND_DONE);
	assert_int_equal(seen.call.operand_count, 2);
	assert_string_equal(seen.call.operands[1], "b");
	assert_int_equal(type(&things, "things retry -- --user"), COMMAND_DONE);
	assert_int_equal(seen.call.operand_count, 1);
	assert_string_equal(seen.call.operands[0], "--user");
}

static void
a_flag_may_stand_instead_of_operands(void **state)
{
	(void)state;
	assert_int_equal(type(&things, "things retry --all"), COMMAND_DONE);
	assert_true(command_given(&seen.call, "all"));
	wrong("things retry", "sample: ID is missing\n");
	wrong("things retry --all a", "an argument too many");
}

static void
wrong_words_name_themselves(void **state)
{
	(void)state;
	wrong("things", "sample: things: which command?\n");
	wrong("things eat", "sample: no such command: eat\n");
	wrong("things list --frob", "sample: --frob: no such option");
	wrong("things list -x", "sample: -x: no such option");
	wrong("things list --limi 3", "sample: --limi: no such option");
	wrong("things list --user u", "sample: --user: no such option");
	wrong("things list --state", "sample: --state: its value is missing: STATE\n");
	wrong("things list --state --json", "sample: --state: its value is missing: STATE\n");
	wrong("things list --json=yes", "sample: --json: takes no value\n");
	wrong("things copy a", "sample: TO is missing\n");
	wrong("things copy", "sample: FROM is missing\n");
}

static void
numbers_are_whole_and_within_their_bounds(void **state)
{
	static const char *const bad[] = { "0", "100", "-1", "1x", "", "9999999999999999999" };
	char words[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		(void)snprintf(words, sizeof words, "things list --limit=%s", bad[i]);
		wrong(words, "sample: --limit: a number from 1 to 99 is needed\n");
	}
	assert_int_equal(type(&things, "things list --limit 99"), COMMAND_DONE);
}

static void
a_surplus_operand_is_not_repeated_it_may_be_a_secret(void **state)
{
	(void)state;
	wrong("things copy a b sesame", "sample: an argument too many (never a secret)\n");
	assert_null(strstr(seen.err, "sesame"));
}

static void
hostile_words_are_shown_legibly(void **state)
{
	(void)state;
	wrong("things list --\x1b[31mred", "sample: --\\x1b[31mred: no such option");
	seen.answer = COMMAND_FAILED;
	assert_int_equal(type(&things, "things list"), COMMAND_FAILED);
	assert_string_equal(seen.err, "sample: list: no\\x1b[2J\nsample: look\n");
	seen.answer = COMMAND_DONE;
}

static void
help_of_a_command_tells_all_its_verbs(void **state)
{
	(void)state;
	assert_int_equal(type(&things, "things --help"), COMMAND_DONE);
	assert_int_equal(seen.ran, 0);
	assert_string_equal(seen.err, "");
	assert_string_equal(seen.out, "usage:\n"
				      "  sample things list [--state STATE] [--limit N] [--json]\n"
				      "  sample things retry ID... | --all [--user NAME]\n"
				      "  sample things copy FROM TO\n"
				      "\n"
				      "list:\n"
				      "  Lists things.\n"
				      "    --state STATE     only these\n"
				      "    --limit N         at most; 1 to 99, else 7\n"
				      "    --json            as JSON\n"
				      "\n"
				      "retry:\n"
				      "  Tries again.\n"
				      "  Twice.\n"
				      "    --all             all of them\n"
				      "    --user NAME       only theirs\n"
				      "\n"
				      "copy:\n"
				      "  Copies.\n"
				      "\n"
				      "A note.\n"
				      "\n"
				      "Exit: 0 done, 1 failed, 100 usage.\n");
}

static void
help_of_a_verb_tells_of_it_alone(void **state)
{
	(void)state;
	assert_int_equal(type(&things, "things retry x -h"), COMMAND_DONE);
	assert_int_equal(seen.ran, 0);
	assert_non_null(
		strstr(seen.out, "usage:\n  sample things retry ID... | --all [--user NAME]\n\n"));
	assert_null(strstr(seen.out, "list"));
	assert_int_equal(type(&things, "things retry -- --help"), COMMAND_DONE);
	assert_int_equal(seen.ran, 1);
}

static void
a_command_may_be_its_only_verb(void **state)
{
	(void)state;
	assert_int_equal(type(&single, "single list"), COMMAND_DONE);
	assert_string_equal(seen.call.operands[0], "list");
	assert_int_equal(type(&single, "single"), COMMAND_USAGE);
	assert_string_equal(seen.err, "sample: IN is missing\nusage:\n  sample single IN\n");
	assert_int_equal(type(&single, "single --help"), COMMAND_DONE);
	assert_string_equal(seen.out, "usage:\n  sample single IN\n\nDoes one thing.\n\nExit: 0 "
				      "done, 1 failed, 100 usage.\n");
}

static void
the_verbs_exit_code_is_the_commands(void **state)
{
	(void)state;
	seen.answer = 2;
	assert_int_equal(type(&single, "single x"), 2);
	seen.answer = COMMAND_DONE;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_verb_gets_its_options_and_operands),
		cmocka_unit_test(what_is_not_given_has_its_default),
		cmocka_unit_test(options_stand_anywhere_and_two_dashes_end_them),
		cmocka_unit_test(a_flag_may_stand_instead_of_operands),
		cmocka_unit_test(wrong_words_name_themselves),
		cmocka_unit_test(numbers_are_whole_and_within_their_bounds),
		cmocka_unit_test(a_surplus_operand_is_not_repeated_it_may_be_a_secret),
		cmocka_unit_test(hostile_words_are_shown_legibly),
		cmocka_unit_test(help_of_a_command_tells_all_its_verbs),
		cmocka_unit_test(help_of_a_verb_tells_of_it_alone),
		cmocka_unit_test(a_command_may_be_its_only_verb),
		cmocka_unit_test(the_verbs_exit_code_is_the_commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
