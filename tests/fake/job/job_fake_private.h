/* What the parts of the fake ledger share. Every call starts with
 * SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter_PORT(s). */
#ifndef TONEARM_TESTS_FAKE_JOB_JOB_FAKE_PRIVATE_H
#define TONEARM_TESTS_FAKE_JOB_JOB_FAKE_PRIVATE_H

#include <pthread.h>

#include "fake/job/job_fake.h"

/* A record keeps the last lease after its end, so that a repeated ending is recognised. */
struct record {
	struct job job;
	struct job_lease last;
	struct {
		char owner[LEASE_OWNER_MAX + 1];
		int64_t until_ms;
		bool contested;
	} notice;
	struct blob_id outputs[JOB_OUTPUTS_MAX];
	size_t output_count;
	int64_t result_bytes;
	int64_t began_ms; /* of the last lease */
	struct job_attempt history[JOB_HISTORY_MAX];
	size_t history_count;
	bool video_expiring, video_settled, audio_settled;
	int64_t number; /* order of creation: breaks ties of a clock that stands still */
};

struct job_fake {
	struct ledger ledger;
	const struct clock *clock; /* set once */
	pthread_mutex_t lock;
	/* under lock */
	struct record *records;
	size_t count, room;
	int64_t serial;
	int broken, broken_once, broken_in, calls;
};

/* job_fake_state.c */
struct job_fake *job_fake_enter(struct job_fake *f);
void job_fake_leave_p(struct job_fake **f);
static inline struct job_fake *
job_fake_enter_life(struct job_life *p)
{
	return job_fake_enter(CONTAINER_OF(p, struct job_fake, ledger.life));
}

static inline struct job_fake *
job_fake_enter_outbox(struct job_outbox *p)
{
	return job_fake_enter(CONTAINER_OF(p, struct job_fake, ledger.outbox));
}

static inline struct job_fake *
job_fake_enter_notice(struct job_notice *p)
{
	return job_fake_enter(CONTAINER_OF(p, struct job_fake, ledger.notice));
}

static inline struct job_fake *
job_fake_enter_desk(struct job_desk *p)
{
	return job_fake_enter(CONTAINER_OF(p, struct job_fake, ledger.desk));
}

static inline struct job_fake *
job_fake_enter_leftover(struct job_leftover *p)
{
	return job_fake_enter(CONTAINER_OF(p, struct job_fake, ledger.leftover));
}

/* The failure that the test has asked for, else 0. */
int job_fake_refusal(struct job_fake *f, struct err *e);
int64_t job_fake_now(const struct job_fake *f);
struct record *job_fake_find(struct job_fake *f, const struct blob_id *video);
/* The job as a reader sees it: a lease shows only while it is held. */
void job_fake_give(const struct record *r, struct job *ret);
bool job_fake_due(const struct job_fake *f, const struct job *job);
/* Makes text that is not UTF-8 legible, as the real ledger must. */
void job_fake_legible(char *text);
bool job_fake_older(const struct record *a, const struct record *b);

/* The present lease ends so; why may be NULL. */
void job_fake_note_end(const struct job_fake *f, struct record *rec, enum job_end end,
		       const struct job_error *why);
/* QUEUED again, unpublished, due after delay_ms. */
void job_fake_requeue(const struct job_fake *f, struct record *rec, int64_t delay_ms);
/* Registers an output, or forgets it. */
void job_fake_register(struct record *rec, const struct blob_id *output);
void job_fake_forget(struct record *rec, const struct blob_id *output);

extern const struct job_outbox_ops job_fake_outbox;
extern const struct job_notice_ops job_fake_notice;
extern const struct job_desk_ops job_fake_desk;
extern const struct job_leftover_ops job_fake_leftover;

/* Calls of port/job_life.h: job_fake_lease.c. */
int job_fake_list_waiting(struct job_life *l, struct job_waiting *users, size_t max,
			  size_t *ret_count, struct err *e);
int job_fake_lease_oldest(struct job_life *l, const struct job_lease_terms *terms,
			  const char *const *users, size_t count, struct job *ret, struct err *e);
int job_fake_lease_one(struct job_life *l, const struct job_lease_terms *terms,
		       const struct blob_id *video, struct job *ret, struct err *e);
int job_fake_list_outputs(struct job_life *l, const struct job_lease *lease, struct blob_id *ids,
			  size_t *ret_count, struct err *e);
int job_fake_renew(struct job_life *s, const struct job_lease *lease, int64_t ms,
		   const struct job_progress *progress, struct err *e);
int job_fake_finish(struct job_life *s, const struct job_lease *lease,
		    const struct job_result *result, struct err *e);
int job_fake_fail(struct job_life *s, const struct job_lease *lease, const struct job_error *why,
		  struct err *e);
int job_fake_retry(struct job_life *s, const struct job_lease *lease, const struct job_error *why,
		   int64_t delay_ms, struct err *e);
int job_fake_hand_back(struct job_life *s, const struct job_lease *lease,
		       const struct job_error *why, struct err *e);

#endif
