#include "base/stop.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/wait.h"

int
stop_init(struct stop *s, struct err *e)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		return err_errno(e, ERR_INTERNAL, errno, "eventfd");
	*s = (struct stop){ .fd = fd };
	return 0;
}

void
stop_fini(struct stop *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

void
stop_request(struct stop *s)
{
	uint64_t one = 1;
	int saved = errno;

	/* Nobody reads the eventfd, so that it stays readable; one write is enough. */
	if (!atomic_exchange(&s->requested, true))
		while (write(s->fd, &one, sizeof one) < 0 && errno == EINTR)
			;
	errno = saved;
}

bool
stop_requested(const struct stop *s)
{
	return atomic_load(&s->requested);
}

bool
stop_wait(const struct stop *s, int64_t timeout_ms)
{
	int64_t now = now_monotonic_ms();
	int64_t deadline = timeout_ms > INT64_MAX - now ? INT64_MAX : now + timeout_ms;

	if (!stop_requested(s))
		(void)wait_readable_until(s->fd, deadline);
	return stop_requested(s);
}
