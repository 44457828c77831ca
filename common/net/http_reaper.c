/* Shuts the sockets of clients that are too slow. A socket is shut, never closed, here: it belongs
 * to MHD, which closes it after http_watch_remove, so a number cannot be reused under our hands. */
#include "net/http_private.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/wait.h"

#define TICK_MAX_MS 1000
#define TICK_MIN_MS 10
#define REFUSED_MS 2000
#define SHUT_AT_ONCE 64 /* each may clear up at a server before it ends */
#define FRESH_MS 1000   /* a client that has just connected is about to ask */

static struct tcp_info
reaper_kernel_facts(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof info;

	memset(&info, 0, sizeof info);
	(void)getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	return info;
}

/* What the kernel has received and what the peer has acknowledged: both only grow. */
static uint64_t
reaper_kernel_bytes(int fd)
{
	struct tcp_info info = reaper_kernel_facts(fd);

	return info.tcpi_bytes_received + info.tcpi_bytes_acked;
}

static uint64_t
reaper_kernel_received(int fd)
{
	return reaper_kernel_facts(fd).tcpi_bytes_received;
}

uint64_t
http_watch_acked(const struct http_watch *w)
{
	return reaper_kernel_facts(w->fd).tcpi_bytes_acked;
}

void
http_watch_add(struct http_server *s, struct http_watch *w)
{
	(void)pthread_mutex_lock(&s->lock);
	w->since = now_monotonic_ms();
	w->prev = NULL;
	w->next = s->watches;
	if (w->next)
		w->next->prev = w;
	s->watches = w;
	if (!((struct http_request *)(void *)w)->refused)
		s->connections++;
	(void)pthread_mutex_unlock(&s->lock);
}

void
http_watch_remove(struct http_server *s, struct http_watch *w)
{
	const struct http_request *req = (const struct http_request *)(const void *)w;

	(void)pthread_mutex_lock(&s->lock);
	if (w->prev)
		w->prev->next = w->next;
	else
		s->watches = w->next;
	if (w->next)
		w->next->prev = w->prev;
	if (!req->refused)
		s->connections--;
	(void)pthread_cond_broadcast(&s->changed);
	(void)pthread_mutex_unlock(&s->lock);
}

static void
reaper_enter_phase(struct http_watch *w, enum http_phase phase, int64_t now)
{
	/* A reply may stall and an idle connection wake up: both show in the kernel's counters. */
	if (phase == HTTP_PHASE_IDLE) {
		w->bytes_seen = reaper_kernel_received(w->fd);
		w->waited_ms = 0;
		w->window_bytes = 0;
	}
	w->phase = phase;
	w->since = now;
}

void
http_watch_phase(struct http_server *s, struct http_watch *w, enum http_phase phase)
{
	int64_t now = now_monotonic_ms();

	(void)pthread_mutex_lock(&s->lock);
	if (w->phase != HTTP_PHASE_SHUT && w->phase != HTTP_PHASE_REFUSED)
		reaper_enter_phase(w, phase, now);
	(void)pthread_mutex_unlock(&s->lock);
}

void
http_watch_next(struct http_server *s, struct http_watch *w)
{
	(void)pthread_mutex_lock(&s->lock);
	if (w->phase == HTTP_PHASE_IDLE)
		reaper_enter_phase(w, HTTP_PHASE_NEXT, now_monotonic_ms());
	(void)pthread_mutex_unlock(&s->lock);
}

void
http_watch_body(struct http_server *s, struct http_watch *w, size_t n)
{
	int64_t now = now_monotonic_ms();

	(void)pthread_mutex_lock(&s->lock);
	if (w->phase == HTTP_PHASE_BODY)
		w->waited_ms += now - w->since;
	w->window_bytes += (int64_t)n;
	if (w->phase != HTTP_PHASE_SHUT)
		reaper_enter_phase(w, HTTP_PHASE_HANDLER, now);
	(void)pthread_mutex_unlock(&s->lock);
}

static bool
reaper_too_slow(const struct http_server *s, struct http_watch *w, int64_t now)
{
	int64_t waited = w->waited_ms + (now - w->since);
	bool slow;

	if (s->config.min_body_rate <= 0 || waited < s->rate_window_ms)
		return false;
	slow = w->window_bytes * 1000 < s->config.min_body_rate * waited;
	/* The window starts over; what was waited so far in this piece stays in since. */
	w->waited_ms = -(now - w->since);
	w->window_bytes = 0;
	return slow;
}

static bool
reaper_stalled(const struct http_server *s, struct http_watch *w, int64_t now)
{
	uint64_t bytes;

	if (now - w->since < s->config.idle_timeout_ms / 4)
		return false;
	bytes = reaper_kernel_bytes(w->fd);
	if (bytes != w->bytes_seen) {
		w->bytes_seen = bytes;
		w->since = now;
		return false;
	}
	return now - w->since >= s->config.idle_timeout_ms;
}

static bool
reaper_idle_too_long(const struct http_server *s, struct http_watch *w, int64_t now)
{
	if (reaper_kernel_received(w->fd) != w->bytes_seen) {
		reaper_enter_phase(w, HTTP_PHASE_NEXT, now);
		return false;
	}
	return now - w->since >= s->config.idle_timeout_ms;
}

static void
reaper_shut(struct http_watch *w, int how)
{
	w->phase = HTTP_PHASE_SHUT;
	shutdown(w->fd, how);
}

static void
reaper_check(struct http_server *s, struct http_watch *w, int64_t now)
{
	bool over = false;

	switch (w->phase) {
	case HTTP_PHASE_HEAD:
	case HTTP_PHASE_NEXT:
		over = now - w->since >= s->config.head_timeout_ms;
		break;
	case HTTP_PHASE_IDLE:
		over = reaper_idle_too_long(s, w, now);
		break;
	case HTTP_PHASE_BODY:
		over = now - w->since >= s->config.idle_timeout_ms || reaper_too_slow(s, w, now);
		break;
	case HTTP_PHASE_DISCARD:
		/* Only the client's side: the refusal can still be sent by the connection's own
		 * thread. */
		if (now - w->since >= s->config.discard_ms)
			reaper_shut(w, SHUT_RD);
		break;
	case HTTP_PHASE_REPLY:
		over = reaper_stalled(s, w, now);
		break;
	case HTTP_PHASE_REFUSED:
		over = now - w->since >= REFUSED_MS;
		break;
	case HTTP_PHASE_HANDLER:
	case HTTP_PHASE_SHUT:
		break;
	}
	if (over)
		reaper_shut(w, SHUT_RDWR);
}

static int64_t
reaper_tick_ms(const struct http_server *s)
{
	const int64_t limits[] = { s->config.head_timeout_ms, s->config.idle_timeout_ms,
				   s->config.discard_ms, s->rate_window_ms };
	int64_t tick = TICK_MAX_MS;

	for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
		if (limits[i] > 0 && limits[i] / 8 < tick)
			tick = limits[i] / 8;
	return tick < TICK_MIN_MS ? TICK_MIN_MS : tick;
}

static void *
reaper_main(void *arg)
{
	struct http_server *s = arg;
	int64_t tick = reaper_tick_ms(s);

	(void)pthread_mutex_lock(&s->lock);
	while (!s->stopping) {
		int64_t now;

		(void)cond_wait_until(&s->reap, &s->lock, now_monotonic_ms() + tick);
		now = now_monotonic_ms();
		for (struct http_watch *w = s->watches; w; w = w->next)
			reaper_check(s, w, now);
	}
	(void)pthread_mutex_unlock(&s->lock);
	return NULL;
}

int
http_watch_shut(struct http_server *s, enum http_shut which)
{
	int64_t fresh = now_monotonic_ms() - FRESH_MS;
	int left = 0, shut_ones = 0;

	for (struct http_watch *w = s->watches; w; w = w->next, left++) {
		bool waits = w->phase == HTTP_PHASE_IDLE &&
			     reaper_kernel_received(w->fd) == w->bytes_seen;

		waits |= w->phase == HTTP_PHASE_HEAD && w->since < fresh &&
			 reaper_kernel_received(w->fd) == 0;
		waits |= which == HTTP_SHUT_ALL && shut_ones < SHUT_AT_ONCE;
		if (waits && w->phase != HTTP_PHASE_SHUT)
			reaper_shut(w, SHUT_RDWR);
		shut_ones += w->phase == HTTP_PHASE_SHUT;
	}
	return left;
}

int
http_reaper_start(struct http_server *s, struct err *e)
{
	int r = pthread_create(&s->reaper, NULL, reaper_main, s);

	if (r != 0)
		return err_errno(e, ERR_UNAVAILABLE, r, "reaper thread");
	s->reaper_runs = true;
	return 0;
}

void
http_reaper_stop(struct http_server *s)
{
	(void)pthread_mutex_lock(&s->lock);
	s->stopping = true;
	(void)pthread_cond_broadcast(&s->reap);
	(void)pthread_mutex_unlock(&s->lock);
	if (s->reaper_runs)
		(void)pthread_join(s->reaper, NULL);
	s->reaper_runs = false;
}
