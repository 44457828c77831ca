/* A mongod of the test's own, to be frozen and killed. */
#ifndef TONEARM_TEST_OWN_MONGOD_H
#define TONEARM_TEST_OWN_MONGOD_H

#include <sys/types.h>

struct own_mongod {
	pid_t pid;
	int port;
	char folder[64];
	char uri[64];
};

/* Starts the program on a free port in a new folder and waits until it listens; -1 = it does not.
 */
int own_mongod_start(struct own_mongod *m, const char *program);
/* Again, in the same folder and on the same port. */
int own_mongod_restart(struct own_mongod *m, const char *program);
void own_mongod_freeze(const struct own_mongod *m);
void own_mongod_thaw(const struct own_mongod *m);
/* As a crash: SIGKILL. */
void own_mongod_kill(struct own_mongod *m);
/* Kills it and removes the folder. */
void own_mongod_remove(struct own_mongod *m);

#endif
