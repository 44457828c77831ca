/* The user store in memory, with faults to order. */
#ifndef TONEARM_FAKE_USER_FAKE_H
#define TONEARM_FAKE_USER_FAKE_H

#include "port/user_store.h"

#define USER_FAKE_MAX 400

int user_fake_new(struct user_store **ret, struct err *e);
/* Every call from now on answers this code; 0 ends it. */
void user_fake_fail(struct user_store *s, int code);
/* Calls of find so far. */
int user_fake_finds(struct user_store *s);

#endif
