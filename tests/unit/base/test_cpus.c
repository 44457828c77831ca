/* The container's quota, as the kernel's files say it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/machine/cpus.h"

static char root[] = "/tmp/tonearm-cpus.XXXXXX";

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

static void
version_2_counts_a_started_processor(void **state)
{
	(void)state;
	put("cpu.max", "150000 100000\n");
	assert_int_equal(cpu_quota(root), 2);
	put("cpu.max", "200000 100000\n");
	assert_int_equal(cpu_quota(root), 2);
	put("cpu.max", "5000 100000\n");
	assert_int_equal(cpu_quota(root), 1);
}

static void
no_quota_is_none(void **state)
{
	(void)state;
	put("cpu.max", "max 100000\n");
	assert_int_equal(cpu_quota(root), 0);
	put("cpu.max", "");
	assert_int_equal(cpu_quota(root), 0);
	assert_int_equal(cpu_quota("/nonexistent"), 0);
}

static void
version_1_is_read_too(void **state)
{
	char path[128];

	(void)state;
	(void)snprintf(path, sizeof path, "%s/cpu", root);
	assert_int_equal(mkdir(path, 0700), 0);
	put("cpu/cpu.cfs_period_us", "100000\n");
	put("cpu/cpu.cfs_quota_us", "-1\n");
	assert_int_equal(cpu_quota(root), 0);
	put("cpu/cpu.cfs_quota_us", "300000\n");
	assert_int_equal(cpu_quota(root), 3);
}

static void
there_is_always_one(void **state)
{
	(void)state;
	assert_in_range(cpu_count(), 1, sysconf(_SC_NPROCESSORS_CONF));
}

static int
make_root(void **state)
{
	(void)state;
	return mkdtemp(root) ? 0 : -1;
}

static int
drop_root(void **state)
{
	static const char *const names[] = { "cpu/cpu.cfs_period_us", "cpu/cpu.cfs_quota_us", "cpu",
					     "cpu.max" };
	char path[128];

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		(void)snprintf(path, sizeof path, "%s/%s", root, names[i]);
		(void)remove(path);
	}
	return rmdir(root);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_2_counts_a_started_processor),
		cmocka_unit_test(no_quota_is_none),
		cmocka_unit_test(version_1_is_read_too),
		cmocka_unit_test(there_is_always_one),
	};

	return cmocka_run_group_tests(tests, make_root, drop_root);
}
