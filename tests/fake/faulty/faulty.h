/* Ports whose n-th call fails: decorators around any adapter, all counting on one counter, so that
 * a test can let every single call of a whole flow fail, one after the other.
 * A call either fails before it does anything, or does its work and then says that it failed, as
 * when an answer is lost. Closing calls and is_current never fail and do not count. Threads: as the
 * port inside; the counter may be shared. Ownership: a decorator closes the port inside with
 * itself. Out of memory: abort. */
#ifndef TONEARM_TESTS_FAKE_FAULTY_FAULTY_H
#define TONEARM_TESTS_FAKE_FAULTY_FAULTY_H

#include <stdatomic.h>

#include "fake/queue/queue_fake.h"
#include "port/blob_store.h"
#include "port/encoder.h"
#include "port/identity.h"
#include "port/ledger.h"
#include "port/password.h"
#include "port/token.h"
#include "port/user_store.h"

enum fault_moment { FAULT_BEFORE, FAULT_AFTER };

struct faults {
	/* set by the test while nothing runs */
	int first, last; /* the calls that fail, counted from 1; 0 = none */
	int code;
	enum fault_moment moment;
	atomic_int calls; /* so far */
};

/* For the decorators: the call's number; the code of a call that fails before its work, else 0;
 * and what is told of a call that did its work with result r. */
int fault_enter(struct faults *f);
int fault_before(const struct faults *f, int call, struct err *e);
int fault_after(const struct faults *f, int call, int r, struct err *e);
void *faulty_alloc(size_t size);

struct blob_store *faulty_blob_store(struct blob_store *inner, struct faults *f);
struct ledger *faulty_ledger(struct ledger *inner, struct faults *f);
struct encoder *faulty_encoder(struct encoder *inner, struct faults *f);
struct identity *faulty_identity(struct identity *inner, struct faults *f);
struct user_store *faulty_user_store(struct user_store *inner, struct faults *f);
struct token_service *faulty_token_service(struct token_service *inner, struct faults *f);
struct password_hasher *faulty_password_hasher(struct password_hasher *inner, struct faults *f);
/* A visit is a call, and so is each message of it. */
struct dead_letters *faulty_dead_letters(struct dead_letters *inner, struct faults *f);
struct publisher *faulty_publisher(struct publisher *inner, struct faults *f);
/* A consumer whose call fails has lost its connection to the broker, as the port's rules say. */
struct consumer *faulty_consumer(struct consumer *inner, struct queue_broker *broker,
				 struct faults *f);

#endif
