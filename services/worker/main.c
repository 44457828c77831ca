/* converter-worker: converts one file that its parent hands it over descriptor 3, and ends. It is
 * started by the converter, never by hand; it has no environment, no files and no other sockets. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/text/str.h"
#include "worker/channel.h"
#include "worker/memory.h"
#include "worker/transcode.h"
#include "sandbox/rlimits.h"
#include "sandbox/sandbox.h"

#define DESCRIPTORS_MAX 16

static int
worker_parse_options(int argc, char **argv, struct rlimits *ret)
{
	long long memory, cpu;

	if (argc != 3 || parse_int(argv[1], 0, INT64_MAX, &memory, NULL) < 0 ||
	    parse_int(argv[2], 0, INT32_MAX, &cpu, NULL) < 0)
		return -1;
	*ret = (struct rlimits){ memory, cpu, DESCRIPTORS_MAX };
	return 0;
}

static int
worker_is_socket(int fd)
{
	int type;
	socklen_t len = sizeof type;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM;
}

static int
worker_shut_in(const struct rlimits *limits, struct err *e)
{
	int r;

	if ((r = process_harden(e)) < 0 || (r = rlimits_apply(limits, e)) < 0)
		return r;
#ifdef TONEARM_SANITIZED
	return 0; /* the sanitizers need system calls that no conversion does */
#else
	return sandbox_enter(NULL, e);
#endif
}

int
main(int argc, char **argv)
{
	struct rlimits limits;
	struct worker_start start;
	struct worker_done done;
	enum worker_failure failure;
	struct err e = ERR_NONE;

	if (worker_parse_options(argc, argv, &limits) < 0 || !worker_is_socket(WORKER_SOCKET)) {
		(void)fprintf(stderr,
			      "converter-worker is started by the converter\n"
			      "usage: converter-worker MEMORY_BYTES CPU_SECONDS 3<>socket\n");
		return WORKER_EXIT_USAGE;
	}
	/* An arena per thread would reserve address space that the limit counts. */
	(void)mallopt(M_ARENA_MAX, 1);
	channel_start(WORKER_SOCKET, &start);
	if (worker_shut_in(&limits, &e) < 0)
		failure = WORKER_BROKEN;
	else
		failure = transcode(WORKER_SOCKET, &start, &done, &e);
	if (failure && failure != WORKER_TOO_LONG && memory_was_refused())
		failure = WORKER_OUT_OF_MEMORY;
	if (failure)
		channel_fail(WORKER_SOCKET, failure, e.text);
	else
		channel_done(WORKER_SOCKET, &done);
	return WORKER_EXIT_OK;
}
