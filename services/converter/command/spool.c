/* mkostemp */
#define _GNU_SOURCE
#include "converter/command/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/scope.h"

#define COPY_BYTES 65536

int
spool_error_of(int cause)
{
	switch (cause) {
	case ENOENT:
	case ENOTDIR:
		return ERR_NOT_FOUND;
	case EEXIST:
		return ERR_CONFLICT;
	case EACCES:
	case EPERM:
	case EROFS:
		return ERR_DENIED;
	case ENOSPC:
	case EDQUOT:
		return ERR_TOO_LARGE;
	default:
		return ERR_INTERNAL;
	}
}

int
spool_open(int *ret_fd, struct err *e)
{
	const char *folder = getenv("TMPDIR");
	char path[PATH_MAX];
	int fd;

	if (!folder || folder[0] == '\0')
		folder = "/tmp";
	if (snprintf(path, sizeof path, "%s/tonearm.XXXXXX", folder) >= (int)sizeof path)
		return err_set(e, ERR_INVALID, "TMPDIR is too long");
	if ((fd = mkostemp(path, O_CLOEXEC)) < 0)
		return err_prefix(e, err_errno(e, spool_error_of(errno), errno, folder),
				  "no temporary file (TMPDIR may name another folder)");
	(void)unlink(path);
	*ret_fd = fd;
	return 0;
}

/* A descriptor that somebody else has set not to block is waited for. */
static bool
spool_goes_on(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	if (errno == EAGAIN)
		(void)poll(&p, 1, -1);
	return errno == EAGAIN || errno == EINTR;
}

static int
spool_write(int to, const char *data, size_t len, struct err *e)
{
	while (len > 0) {
		ssize_t put = write(to, data, len);

		if (put < 0 && !spool_goes_on(to, POLLOUT))
			return err_errno(e, spool_error_of(errno), errno, "write");
		if (put > 0) {
			data += put;
			len -= (size_t)put;
		}
	}
	return 0;
}

int
spool_copy(int from, int to, struct err *e)
{
	SCOPED_FREE char *buffer = malloc(COPY_BYTES);
	ssize_t got;
	int r;

	if (!buffer)
		return err_set(e, ERR_NO_MEMORY, "buffer");
	while ((got = read(from, buffer, COPY_BYTES)) != 0) {
		if (got < 0 && !spool_goes_on(from, POLLIN))
			return err_errno(e, spool_error_of(errno), errno, "read");
		if (got > 0 && (r = spool_write(to, buffer, (size_t)got, e)) < 0)
			return r;
	}
	return 0;
}
