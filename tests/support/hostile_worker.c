/* A converter-worker that was taken over. Which harm it tries comes as the CPU limit, the one word
 * that its parent lets a test choose. */
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/hostile_worker.h"
#include "wire/worker/protocol.h"

extern char **environ;

static void
say(const void *data, size_t len)
{
	if (send(WORKER_SOCKET, data, len, MSG_NOSIGNAL) < 0)
		_exit(WORKER_EXIT_LOST);
}

static void
say_header(enum worker_message type, uint32_t len, uint64_t offset)
{
	uint8_t bytes[WORKER_HEADER_BYTES];

	worker_header_write(&(struct worker_header){ type, len, offset }, bytes);
	say(bytes, sizeof bytes);
}

static void
say_read(uint64_t offset, uint32_t count)
{
	uint8_t bytes[4];

	say_header(WORKER_READ, sizeof bytes, offset);
	worker_count_write(count, bytes);
	say(bytes, sizeof bytes);
}

static void
say_done(void)
{
	uint8_t bytes[WORKER_DONE_BYTES];

	worker_done_write(&(struct worker_done){ .samples = 1, .sample_rate = 44100 }, bytes);
	say_header(WORKER_DONE, sizeof bytes, 0);
	say(bytes, sizeof bytes);
}

static void
say_write(void)
{
	char bytes[65536] = { 0 };

	say_header(WORKER_WRITE, sizeof bytes, 0);
	say(bytes, sizeof bytes);
}

static void
say_failure(void)
{
	uint8_t bytes[4 + WORKER_DETAIL_MAX];
	size_t len = worker_fail_write(WORKER_DAMAGED, "\x1b[31m\nevent=forged", bytes);

	say_header(WORKER_FAIL, (uint32_t)len, 0);
	say(bytes, len);
}

static void
say_hold(uint32_t count)
{
	uint8_t bytes[4];

	say_header(WORKER_HOLD, sizeof bytes, 0);
	worker_count_write(count, bytes);
	say(bytes, sizeof bytes);
}

static void
say_patch(uint64_t offset)
{
	say_header(WORKER_PATCH, 1, offset);
	say("x", 1);
}

static int
count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	while (dir && readdir(dir))
		count++;
	if (dir)
		(void)closedir(dir);
	return count - 3; /* without . and .. and the directory's own */
}

/* Converts, so to speak, only if it was given nothing but its socket. */
static void
look_around(void)
{
	if (count_descriptors() != WORKER_SOCKET + 1 || (environ && environ[0]))
		abort();
	say_write();
	say_done();
}

/* What a process does rather than what it says. */
static void
misbehave(enum hostility how)
{
	switch (how) {
	case HOSTILE_ENDLESS_OUTPUT:
		for (;;)
			say_write();
	case HOSTILE_DEAF:
		for (;;)
			say_read(0, WORKER_PAYLOAD_MAX);
	case HOSTILE_SILENT:
		for (;;)
			(void)pause();
	case HOSTILE_HANGS_UP:
		(void)close(WORKER_SOCKET);
		for (;;)
			(void)pause();
	case HOSTILE_CRASH:
		abort();
	case HOSTILE_KILLED:
		(void)raise(SIGKILL);
		break;
	case HOSTILE_STOPPED:
		(void)raise(SIGTERM);
		break;
	case HOSTILE_OUT_OF_CPU:
		(void)raise(SIGXCPU);
		break;
	default:
		break;
	}
}

static void
attack(enum hostility how)
{
	switch (how) {
	case HOSTILE_NOTHING:
		look_around();
		break;
	case HOSTILE_GARBAGE:
		say("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 37);
		break;
	case HOSTILE_HUGE_LENGTH:
		say_header(WORKER_WRITE, 0xffffffff, 0);
		break;
	case HOSTILE_READ_BEHIND_END:
		say_read(INT64_MAX, 4096);
		break;
	case HOSTILE_READ_TOO_MUCH:
		say_read(0, WORKER_PAYLOAD_MAX + 1);
		break;
	case HOSTILE_PATCH_OUT_OF_REACH:
		say_patch(7);
		break;
	case HOSTILE_PATCH_BESIDE_THE_HOLD:
		say_hold(7);
		say_write();
		say_patch(6);
		say_patch(7);
		break;
	case HOSTILE_HOLD_TOO_MUCH:
		say_hold(WORKER_HOLD_MAX + 1);
		break;
	case HOSTILE_HOLD_TWICE:
		say_hold(7);
		say_hold(7);
		break;
	case HOSTILE_HOLD_TOO_LATE:
		for (int i = 0; i <= WORKER_TAG_MAX / 65536; i++)
			say_write();
		say_hold(7);
		break;
	case HOSTILE_DONE_WITHOUT_OUTPUT:
		say_done();
		break;
	case HOSTILE_DONE_THEN_CRASH:
		say_write();
		say_done();
		abort();
	case HOSTILE_WORDS:
		say_failure();
		break;
	default:
		misbehave(how);
	}
}

int
main(int argc, char **argv)
{
	long how = argc == 3 ? strtol(argv[2], NULL, 10) : -1;

	(void)setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	if (how < 0 || how > HOSTILE_WORDS)
		return WORKER_EXIT_USAGE;
	attack((enum hostility)how);
	/* Dies only when the parent does away with it, or hangs up. */
	if (how != HOSTILE_LEAVES && how != HOSTILE_NOTHING && how != HOSTILE_WORDS)
		(void)recv(WORKER_SOCKET, (char[4096]){ 0 }, 4096, MSG_WAITALL);
	return 0;
}
