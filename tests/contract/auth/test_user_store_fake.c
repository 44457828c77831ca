#include "contract/auth/user_store_suite.h"
#include "fake/user_fake.h"

static int
setup(void **state)
{
	(void)state;
	return user_fake_new(&store_under_test, NULL);
}

static int
teardown(void **state)
{
	(void)state;
	user_store_close(store_under_test);
	return 0;
}

int
main(void)
{
	static const struct CMUnitTest tests[] = { USER_STORE_SUITE };

	return cmocka_run_group_tests(tests, setup, teardown);
}
