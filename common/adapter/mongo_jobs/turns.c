/* Whose turn it was last, as this store remembers it: with as many running, who was served longer
 * ago comes first. Without it a converter that runs one job at a time would ask when nobody has any
 * running, and serve a user with 500 older jobs 500 times. Bounded: who is forgotten counts as
 * never served. Each process has a memory of its own, so that n converters serve the same user n
 * times at most before another who waits. */
#include "adapter/mongo_jobs/private.h"

#include <stdio.h>

void
turns_init(struct turns *t)
{
	(void)pthread_mutex_init(&t->lock, NULL);
}

void
turns_fini(struct turns *t)
{
	(void)pthread_mutex_destroy(&t->lock);
}

static struct turn *
oldest_or(struct turns *t, const char *username)
{
	struct turn *oldest = &t->of[0];

	for (size_t i = 0; i < TURNS_MAX; i++) {
		if (strcmp(t->of[i].username, username) == 0)
			return &t->of[i];
		if (t->of[i].number < oldest->number)
			oldest = &t->of[i];
	}
	return oldest;
}

void
turns_note(struct turns *t, const char *username)
{
	struct turn *turn;

	(void)pthread_mutex_lock(&t->lock);
	turn = oldest_or(t, username);
	(void)snprintf(turn->username, sizeof turn->username, "%s", username);
	turn->number = ++t->last;
	(void)pthread_mutex_unlock(&t->lock);
}

void
turns_each(struct turns *t, void (*visit)(void *arg, const char *username, uint64_t number),
	   void *arg)
{
	(void)pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < TURNS_MAX; i++)
		if (t->of[i].number > 0)
			visit(arg, t->of[i].username, t->of[i].number);
	(void)pthread_mutex_unlock(&t->lock);
}
