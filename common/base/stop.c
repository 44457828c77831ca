#include "base/stop.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"

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
	if (__atomic_exchange_n(&s->state, 1, __ATOMIC_SEQ_CST) == 0)
		while (write(s->fd, &one, sizeof one) < 0 && errno == EINTR)
			;
	errno = saved;
}

bool
stop_requested(const struct stop *s)
{
	return __atomic_load_n(&s->state, __ATOMIC_SEQ_CST) != 0;
}

bool
stop_wait(const struct stop *s, int64_t timeout_ms)
{
	int64_t now = now_monotonic_ms();
	int64_t deadline = timeout_ms > INT64_MAX - now ? INT64_MAX : now + timeout_ms;
	struct pollfd p = { .fd = s->fd, .events = POLLIN };

	while (!stop_requested(s)) {
		int left = deadline_left_ms(deadline);

		if (poll(&p, 1, left) < 0 && errno != EINTR)
			break;
		if (left == 0)
			break;
	}
	return stop_requested(s);
}
