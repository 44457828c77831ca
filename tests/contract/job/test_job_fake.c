#include "contract/job/job_suite.h"
#include "fake/job/job_fake.h"

static int64_t present_ms = 1700000000000;

static int64_t
present(const struct clock *c)
{
	(void)c;
	return present_ms;
}

static const struct clock stopped = { .monotonic_ms = present, .unix_ms = present };

static struct ledger *
open_fake(void)
{
	struct ledger *s = NULL;

	return job_fake_new(&stopped, &s, NULL) < 0 ? NULL : s;
}

static void
advance_fake(int64_t ms)
{
	present_ms += ms;
}

int
main(void)
{
	return job_suite_run("job store in memory",
			     &(struct job_suite_server){ open_fake, advance_fake });
}
