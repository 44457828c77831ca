#include "auth/restrictions.h"

#include <pthread.h>

#include "auth/sip_hash.h"
#include "base/random.h"

#define ENTRIES_MAX 1000000
#define ENTRIES_FIRST 64

struct restriction {
	uint64_t id;           /* keyed hash of the address */
	int64_t valid_after_s; /* INT64_MAX = disabled */
};

struct table {
	struct restriction *entries; /* by id */
	size_t count, cap;
};

struct restrictions {
	/* set once */
	const struct clock *clock;
	struct sip_key key;
	/* under lock */
	pthread_rwlock_t lock;
	struct table table;
	bool loaded;
};

struct loading {
	const struct restrictions *owner;
	struct table table;
	int64_t oldest_s; /* no living token is older */
};

static int
restrictions_by_id(const void *a, const void *b)
{
	const struct restriction *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static int
restrictions_grow(struct table *t, struct err *e)
{
	size_t cap = t->cap ? t->cap * 2 : ENTRIES_FIRST;
	struct restriction *entries;

	if (t->count >= ENTRIES_MAX)
		return err_set(e, ERR_TOO_LARGE, "more than %d restricted users", ENTRIES_MAX);
	entries = realloc(t->entries, cap * sizeof *entries);
	if (!entries)
		return err_set(e, ERR_NO_MEMORY, "restricted users");
	t->entries = entries;
	t->cap = cap;
	return 0;
}

static int
restrictions_add(const struct user *user, void *arg, struct err *e)
{
	struct loading *loading = arg;
	struct table *t = &loading->table;
	int r;

	if (!user->disabled && user->tokens_valid_after_s < loading->oldest_s)
		return 0;
	if (t->count == t->cap && (r = restrictions_grow(t, e)) < 0)
		return r;
	t->entries[t->count++] = (struct restriction){
		.id = sip_hash(&loading->owner->key, user->email, strlen(user->email)),
		.valid_after_s = user->disabled ? INT64_MAX : user->tokens_valid_after_s,
	};
	return 0;
}

int
restrictions_refresh(struct restrictions *r, struct user_store *users, struct err *e)
{
	struct loading loading = { .owner = r,
				   .oldest_s = clock_unix_ms(r->clock) / 1000 - CLAIMS_LIFETIME_S };
	struct restriction *old;
	int result = user_each_restricted(users, restrictions_add, &loading, e);

	if (result < 0) {
		free(loading.table.entries);
		return err_prefix(e, result, "restricted users");
	}
	if (loading.table.count > 0)
		qsort(loading.table.entries, loading.table.count, sizeof *old, restrictions_by_id);
	(void)pthread_rwlock_wrlock(&r->lock);
	old = r->table.entries;
	r->table = loading.table;
	r->loaded = true;
	(void)pthread_rwlock_unlock(&r->lock);
	free(old);
	return 0;
}

bool
restrictions_loaded(struct restrictions *r)
{
	bool loaded;

	(void)pthread_rwlock_rdlock(&r->lock);
	loaded = r->loaded;
	(void)pthread_rwlock_unlock(&r->lock);
	return loaded;
}

int
restrictions_check(struct restrictions *r, const struct claims *claims, struct err *e)
{
	struct restriction key = { .id = sip_hash(&r->key, claims->username,
						  strlen(claims->username)) };
	const struct restriction *found = NULL;
	int64_t after = 0;

	(void)pthread_rwlock_rdlock(&r->lock);
	if (r->table.count > 0)
		found = bsearch(&key, r->table.entries, r->table.count, sizeof key,
				restrictions_by_id);
	if (found)
		after = found->valid_after_s;
	(void)pthread_rwlock_unlock(&r->lock);
	if (after == INT64_MAX)
		return err_set(e, ERR_DENIED, "the user is disabled");
	if (claims->iat < after)
		return err_set(e, ERR_DENIED, "the token was revoked");
	return 0;
}

int
restrictions_new(const struct clock *clock, struct restrictions **ret, struct err *e)
{
	struct restrictions *r = calloc(1, sizeof *r);

	if (!r)
		return err_set(e, ERR_NO_MEMORY, "restrictions");
	r->clock = clock;
	random_bytes(&r->key, sizeof r->key);
	(void)pthread_rwlock_init(&r->lock, NULL);
	*ret = r;
	return 0;
}

void
restrictions_free(struct restrictions *r)
{
	if (!r)
		return;
	(void)pthread_rwlock_destroy(&r->lock);
	free(r->table.entries);
	free(r);
}
