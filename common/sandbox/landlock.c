#include "sandbox/landlock.h"

#include <errno.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* All rights there are on files, by version of the interface (Documentation/userspace-api/landlock
 * of Linux): 13 at first, then REFER, TRUNCATE, and, from version 5 on, IOCTL_DEV. */
static uint64_t
file_rights(long version)
{
	int count = version >= 5 ? 16 : version >= 3 ? 15 : version == 2 ? 14 : 13;

	return (UINT64_C(1) << count) - 1;
}

/* The structure as of version 4; Debian 12's header ends at version 2. */
struct rights {
	uint64_t files, ports;
};

static long
make_rules(long version)
{
	struct rights rights = { file_rights(version), version >= 4 ? 3 : 0 };
	size_t size = version >= 4 ? sizeof rights : sizeof rights.files;

	return syscall(SYS_landlock_create_ruleset, &rights, size, 0);
}

int
landlock_enter(bool *ret_entered, struct err *e)
{
	long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	long rules, r;
	int cause;

	*ret_entered = false;
	if (version < 1)
		return 0;
	if ((rules = make_rules(version)) < 0)
		return err_errno(e, ERR_INTERNAL, errno, "landlock rules");
	r = syscall(SYS_landlock_restrict_self, rules, 0);
	cause = errno;
	(void)close((int)rules);
	if (r < 0)
		return err_errno(e, ERR_INTERNAL, cause, "landlock");
	*ret_entered = true;
	return 0;
}
