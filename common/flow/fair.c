#include "flow/fair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"

/* After so many groups of users that had nothing due, all with as many running are asked for
 * together, so that a crowd that waits for its retries costs little. */
#define FAIR_TRIES_MAX 8

struct fair_user {
	const struct job_waiting *waiting;
	uint64_t turn; /* when it was served last; 0 = never */
};

/* Who waits, the fairest first. */
struct fair_crowd {
	struct job_waiting *waiting;
	struct fair_user *users;
	const char **names; /* of users, in their order */
	size_t count;
};

void
fair_init(struct fair *f)
{
	*f = (struct fair){ .last = 0 };
	(void)pthread_mutex_init(&f->lock, NULL);
}

void
fair_fini(struct fair *f)
{
	(void)pthread_mutex_destroy(&f->lock);
}

static struct fair_turn *
fair_turn_of_or_oldest(struct fair *f, const char *username)
{
	struct fair_turn *oldest = &f->turns[0];

	for (size_t i = 0; i < FAIR_TURNS_MAX; i++) {
		if (strcmp(f->turns[i].username, username) == 0)
			return &f->turns[i];
		if (f->turns[i].number < oldest->number)
			oldest = &f->turns[i];
	}
	return oldest;
}

static void
fair_note_turn(struct fair *f, const char *username)
{
	struct fair_turn *turn;

	(void)pthread_mutex_lock(&f->lock);
	turn = fair_turn_of_or_oldest(f, username);
	(void)snprintf(turn->username, sizeof turn->username, "%s", username);
	turn->number = ++f->last;
	(void)pthread_mutex_unlock(&f->lock);
}

static int
fair_by_name(const void *a, const void *b)
{
	const struct fair_user *x = a, *y = b;

	return strcmp(x->waiting->username, y->waiting->username);
}

static int
fair_by_right(const void *a, const void *b)
{
	const struct fair_user *x = a, *y = b;

	if (x->waiting->running != y->waiting->running)
		return x->waiting->running < y->waiting->running ? -1 : 1;
	return (x->turn > y->turn) - (x->turn < y->turn);
}

static void
fair_set_turn(const struct fair_turn *turn, struct fair_crowd *crowd)
{
	struct job_waiting waiting;
	struct fair_user key = { .waiting = &waiting }, *found;

	memcpy(waiting.username, turn->username, sizeof waiting.username);
	found = bsearch(&key, crowd->users, crowd->count, sizeof key, fair_by_name);
	if (found)
		found->turn = turn->number;
}

static void
fair_sort(struct fair *f, struct fair_crowd *crowd)
{
	qsort(crowd->users, crowd->count, sizeof *crowd->users, fair_by_name);
	(void)pthread_mutex_lock(&f->lock);
	for (size_t i = 0; i < FAIR_TURNS_MAX; i++)
		if (f->turns[i].number > 0)
			fair_set_turn(&f->turns[i], crowd);
	(void)pthread_mutex_unlock(&f->lock);
	qsort(crowd->users, crowd->count, sizeof *crowd->users, fair_by_right);
}

static void
fair_crowd_free(struct fair_crowd *crowd)
{
	free(crowd->waiting);
	free(crowd->users);
	free(crowd->names);
}

static int
fair_look(struct fair *f, struct job_life *jobs, struct fair_crowd *crowd, struct err *e)
{
	int r;

	/* The memory of users that do not wait is never touched. */
	if (!(crowd->waiting = malloc(FAIR_USERS_MAX * sizeof *crowd->waiting)))
		return err_set(e, ERR_NO_MEMORY, "waiting users");
	if ((r = job_list_waiting(jobs, crowd->waiting, FAIR_USERS_MAX, &crowd->count, e)) < 0)
		return r;
	crowd->users = calloc(crowd->count + 1, sizeof *crowd->users);
	crowd->names = calloc(crowd->count + 1, sizeof *crowd->names);
	if (!crowd->users || !crowd->names)
		return err_set(e, ERR_NO_MEMORY, "waiting users");
	for (size_t i = 0; i < crowd->count; i++)
		crowd->users[i].waiting = &crowd->waiting[i];
	if (crowd->count > 1)
		fair_sort(f, crowd);
	for (size_t i = 0; i < crowd->count; i++)
		crowd->names[i] = crowd->users[i].waiting->username;
	return 0;
}

/* The end of the users that are asked for together: those with the same right. */
static size_t
fair_equals_end(const struct fair_crowd *crowd, size_t from, int tries)
{
	const struct fair_user *first = &crowd->users[from];
	size_t to = from + 1;

	while (to < crowd->count && crowd->users[to].waiting->running == first->waiting->running &&
	       (tries > FAIR_TRIES_MAX || crowd->users[to].turn == first->turn))
		to++;
	return to;
}

static int
fair_take(struct fair *f, struct job_life *jobs, const struct job_lease_terms *terms,
	  struct job *ret, struct err *e)
{
	SCOPED(fair_crowd_free) struct fair_crowd crowd = { 0 };
	size_t from = 0, to;
	int r, tries = 0;

	if ((r = fair_look(f, jobs, &crowd, e)) < 0)
		return r;
	if (crowd.count == 0)
		return err_set(e, ERR_NOT_FOUND, "no job waits");
	for (; from < crowd.count; from = to) {
		to = fair_equals_end(&crowd, from, ++tries);
		r = job_lease_oldest(jobs, terms, crowd.names + from, to - from, ret, e);
		if (r != ERR_NOT_FOUND)
			return r;
	}
	/* Others were faster at everything that was seen: what has come since is anyone's. */
	return job_lease_oldest(jobs, terms, NULL, 0, ret, e);
}

int
fair_lease(struct fair *f, struct job_life *jobs, const struct job_lease_terms *terms,
	   struct job *ret, struct err *e)
{
	struct err why = ERR_NONE; /* also of users who had nothing due */
	int r = fair_take(f, jobs, terms, ret, &why);

	if (r < 0)
		return err_set(e, r, "%s", why.text);
	fair_note_turn(f, ret->username);
	return 0;
}
