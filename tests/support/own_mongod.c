#define _XOPEN_SOURCE 700 /* nftw */
#include "support/own_mongod.h"

#include <arpa/inet.h>
#include <ftw.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/free_ports.h"

#define START_MS 60000

extern char **environ;

static struct sockaddr_in
loopback(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons((uint16_t)port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static int
listens(int port)
{
	struct sockaddr_in address = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int connected = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;

	close(fd);
	return connected;
}

int
own_mongod_restart(struct own_mongod *m, const char *program)
{
	int64_t until = now_monotonic_ms() + START_MS;
	char port[16], log[96];
	char *argv[] = { (char[]){ "mongod" },
			 (char[]){ "--bind_ip" },
			 (char[]){ "127.0.0.1" },
			 (char[]){ "--port" },
			 port,
			 (char[]){ "--dbpath" },
			 m->folder,
			 (char[]){ "--logpath" },
			 log,
			 (char[]){ "--nounixsocket" },
			 (char[]){ "--wiredTigerCacheSizeGB" },
			 (char[]){ "0.25" },
			 NULL };

	(void)snprintf(port, sizeof port, "%d", m->port);
	(void)snprintf(log, sizeof log, "%s/mongod.log", m->folder);
	if (posix_spawn(&m->pid, program, NULL, NULL, argv, environ) != 0)
		return -1;
	while (!listens(m->port)) {
		if (now_monotonic_ms() > until || waitpid(m->pid, NULL, WNOHANG) != 0)
			return -1;
		(void)nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	}
	return 0;
}

int
own_mongod_start(struct own_mongod *m, const char *program)
{
	(void)snprintf(m->folder, sizeof m->folder, "/tmp/tonearm-mongod.XXXXXX");
	if (mkdtemp(m->folder) == NULL)
		return -1;
	free_ports(&m->port, 1);
	(void)snprintf(m->uri, sizeof m->uri, "mongodb://127.0.0.1:%d/", m->port);
	return own_mongod_restart(m, program);
}

void
own_mongod_freeze(const struct own_mongod *m)
{
	(void)kill(m->pid, SIGSTOP);
	(void)waitpid(m->pid, NULL, WUNTRACED); /* until its last thread stands still */
}

void
own_mongod_thaw(const struct own_mongod *m)
{
	(void)kill(m->pid, SIGCONT);
}

void
own_mongod_kill(struct own_mongod *m)
{
	if (m->pid <= 0)
		return;
	(void)kill(m->pid, SIGKILL);
	(void)waitpid(m->pid, NULL, 0);
	m->pid = 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

void
own_mongod_remove(struct own_mongod *m)
{
	own_mongod_kill(m);
	(void)nftw(m->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
