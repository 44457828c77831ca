#include "contract/auth/identity_suite.h"
#include "fake/identity_fake.h"

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(identity_token, sizeof identity_token, "good");
	identity_claims = (struct claims){ "zo\xc3\xab@example.org", 1800086400, 1800000000, true };
	if (identity_fake_new(RIGHT, "token", &identity_under_test, NULL) < 0)
		return -1;
	identity_fake_believe(identity_under_test, identity_token, &identity_claims);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	identity_close(identity_under_test);
	return 0;
}

static void
an_ordered_fault_or_refusal_is_given(void **state)
{
	struct identity_reply reply;
	char client[64];

	(void)state;
	identity_fake_fail(identity_under_test, ERR_TIMEOUT);
	assert_int_equal(identity_login(identity_under_test, RIGHT,
					&(struct identity_caller){ "203.0.113.9", NULL }, &reply,
					NULL),
			 ERR_TIMEOUT);
	assert_int_equal(identity_ping(identity_under_test, NULL), ERR_TIMEOUT);
	identity_fake_fail(identity_under_test, 0);
	identity_fake_refuse(identity_under_test, IDENTITY_THROTTLED, "too many failed logins", 60);
	assert_int_equal(identity_login(identity_under_test, RIGHT,
					&(struct identity_caller){ "203.0.113.9", NULL }, &reply,
					NULL),
			 0);
	assert_int_equal(reply.verdict, IDENTITY_THROTTLED);
	assert_int_equal(reply.retry_after_s, 60);
	identity_fake_refuse(identity_under_test, IDENTITY_GRANTED, "", 0);
	identity_fake_last_client(identity_under_test, client);
	assert_string_equal(client, "203.0.113.9");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		IDENTITY_SUITE,
		cmocka_unit_test(an_ordered_fault_or_refusal_is_given),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
