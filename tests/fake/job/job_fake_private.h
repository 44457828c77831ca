/* What the parts of the fake ledger share. Every call starts with
 * SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter(s). */
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
	bool video_expiring, video_settled, audio_settled;
	int64_t turn;   /* when it was leased last, by order; 0 = never */
	int64_t number; /* order of creation: breaks ties of a clock that stands still */
};

struct job_fake {
	struct job_store port;
	const struct clock *clock; /* set once */
	pthread_mutex_t lock;
	/* under lock */
	struct record *records;
	size_t count, room;
	int64_t serial, turns;
	int broken, broken_once, broken_in, calls;
};

struct job_fake *job_fake_enter(struct job_store *s);
void job_fake_leave_p(struct job_fake **f);
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

int job_fake_lease_next(struct job_store *s, const char *owner, int64_t ms,
			const struct blob_id *only, struct job *ret, struct err *e);
int job_fake_renew(struct job_store *s, const struct job_lease *lease, int64_t ms,
		   const struct job_progress *progress, struct err *e);
int job_fake_finish(struct job_store *s, const struct job_lease *lease,
		    const struct job_result *result, struct err *e);
int job_fake_fail(struct job_store *s, const struct job_lease *lease, const struct job_error *why,
		  struct err *e);
int job_fake_retry(struct job_store *s, const struct job_lease *lease, const struct job_error *why,
		   int64_t delay_ms, struct err *e);
int job_fake_give_back(struct job_store *s, const struct job_lease *lease,
		       const struct job_error *why, struct err *e);
int job_fake_free_expired(struct job_store *s, int64_t *ret_freed, struct err *e);
int job_fake_list_unpublished(struct job_store *s, enum job_publication which, struct job *jobs,
			      size_t max, size_t *ret_count, struct err *e);
int job_fake_mark_published(struct job_store *s, const struct job *job, enum job_publication which,
			    struct err *e);
int job_fake_forget_published(struct job_store *s, enum job_publication which,
			      int64_t *ret_forgotten, struct err *e);
int job_fake_claim_notice(struct job_store *s, const struct blob_id *video, const char *owner,
			  int64_t ms, struct err *e);
int job_fake_each_leftover(struct job_store *s, enum job_leftover which, int64_t age_ms,
			   job_leftover_fn fn, void *arg, struct err *e);
int job_fake_expire(struct job_store *s, const struct job *job, enum job_leftover which,
		    struct err *e);
int job_fake_settle(struct job_store *s, const struct blob_id *video, enum job_leftover which,
		    const struct blob_id *blob, struct err *e);
int job_fake_is_registered(struct job_store *s, const struct blob_id *blob, struct err *e);
/* Registers an output, or forgets it. */
void job_fake_register(struct record *rec, const struct blob_id *output);
void job_fake_forget(struct record *rec, const struct blob_id *output);
int job_fake_mark_notified(struct job_store *s, const struct job_message *message, struct err *e);
int job_fake_count(struct job_store *s, struct job_counts *ret, struct err *e);
int job_fake_load(struct job_store *s, const char *username, struct job_load *ret, struct err *e);
int job_fake_list(struct job_store *s, const struct job_filter *filter, struct job *jobs,
		  size_t max, size_t *ret_count, struct err *e);
int job_fake_requeue_failed(struct job_store *s, const struct blob_id *only, const char *username,
			    int64_t *ret_requeued, struct err *e);

#endif
