/* The container's limit of memory, as the kernel's files say it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/machine/memory_limit.h"

#define NONE_V1 "9223372036854771712\n"

static char root[] = "/tmp/tonearm-memory.XXXXXX";
static const char *const folders[] = { "",        "/pod",        "/pod/box",
				       "/memory", "/memory/pod", "/memory/pod/box" };
static const char *const names[] = { "memory.max", "memory.limit_in_bytes" };

static void
put(const char *name, const char *text)
{
	char path[128];
	FILE *file;

	(void)snprintf(path, sizeof path, "%s/%s", root, name);
	assert_non_null(file = fopen(path, "we"));
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int64_t
limit_of(const char *membership)
{
	char path[128];

	put("self", membership);
	(void)snprintf(path, sizeof path, "%s/self", root);
	return memory_limit_of(root, path);
}

static void
version_2_says_it_at_the_group_or_above(void **state)
{
	(void)state;
	put("pod/box/memory.max", "max\n");
	assert_int_equal(limit_of("0::/pod/box\n"), 0);
	put("pod/memory.max", "1073741824\n");
	assert_int_equal(limit_of("0::/pod/box\n"), 1073741824);
	put("pod/box/memory.max", "536870912\n");
	assert_int_equal(limit_of("0::/pod/box\n"), 536870912);
	put("pod/memory.max", "4096\n");
	assert_int_equal(limit_of("0::/pod/box\n"), 4096);
}

static void
a_container_that_sees_its_own_group_as_root_finds_it(void **state)
{
	(void)state;
	put("memory.max", "268435456\n");
	assert_int_equal(limit_of("0::/\n"), 268435456);
	assert_int_equal(limit_of("0::/kubepods/of/the/machine\n"), 268435456);
	assert_int_equal(limit_of("0::/../elsewhere\n"), 268435456);
}

static void
version_1_is_read_too(void **state)
{
	(void)state;
	put("memory/memory.limit_in_bytes", NONE_V1);
	put("memory/pod/memory.limit_in_bytes", "734003200\n");
	put("memory/pod/box/memory.limit_in_bytes", NONE_V1);
	assert_int_equal(limit_of("5:cpu,cpuacct:/x\n4:memory:/pod/box\n0::/\n"), 734003200);
	assert_int_equal(limit_of("4:hugetlb,memory:/pod\n"), 734003200);
	assert_true(limit_of("4:memory:/\n") > INT64_C(1) << 60);
}

static void
no_limit_is_none(void **state)
{
	(void)state;
	put("memory.max", "words\n");
	assert_int_equal(limit_of(""), 0);
	assert_int_equal(limit_of("no line of such a file\n\n:::\n0::\n"), 0);
	assert_int_equal(limit_of("0::/nowhere\n5:memory_of_another_kind:/pod\n"), 0);
	assert_int_equal(memory_limit_of("/nonexistent", "/nonexistent"), 0);
}

static void
the_machine_has_no_more_than_it_has(void **state)
{
	int64_t machine = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);

	(void)state;
	assert_true(memory_limit() > 1 << 20);
	assert_true(memory_limit() <= machine);
}

static int
make_root(void **state)
{
	char path[128];

	(void)state;
	if (!mkdtemp(root))
		return -1;
	for (size_t i = 1; i < sizeof folders / sizeof folders[0]; i++) {
		(void)snprintf(path, sizeof path, "%s%s", root, folders[i]);
		if (mkdir(path, 0700) < 0)
			return -1;
	}
	return 0;
}

static int
drop_limits(void **state)
{
	char path[256];

	(void)state;
	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
		for (size_t j = 0; j < sizeof names / sizeof names[0]; j++) {
			(void)snprintf(path, sizeof path, "%s%s/%s", root, folders[i], names[j]);
			(void)remove(path);
		}
	return 0;
}

static int
drop_root(void **state)
{
	char path[256];

	(void)snprintf(path, sizeof path, "%s/self", root);
	(void)remove(path);
	(void)drop_limits(state);
	for (size_t i = sizeof folders / sizeof folders[0]; i > 0; i--) {
		(void)snprintf(path, sizeof path, "%s%s", root, folders[i - 1]);
		if (rmdir(path) < 0)
			return -1;
	}
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(version_2_says_it_at_the_group_or_above, drop_limits),
		cmocka_unit_test_teardown(a_container_that_sees_its_own_group_as_root_finds_it,
					  drop_limits),
		cmocka_unit_test_teardown(version_1_is_read_too, drop_limits),
		cmocka_unit_test_teardown(no_limit_is_none, drop_limits),
		cmocka_unit_test(the_machine_has_no_more_than_it_has),
	};

	return cmocka_run_group_tests(tests, make_root, drop_root);
}
