#include "auth/login_limiter.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>

#include "auth/sip_hash.h"
#include "base/random.h"

#define ENTRIES 65536
#define WAYS 8
#define SETS (ENTRIES / WAYS)

struct entry {
	uint64_t id; /* keyed hash of what is counted; 0 = free */
	int64_t start_ms;
	int64_t failures;
};

struct login_limiter {
	/* set once */
	struct login_limiter_config config;
	struct sip_key key;
	/* under lock */
	pthread_mutex_t lock;
	struct entry entries[ENTRIES];
};

/* What an address counts as: IPv4 whole (also when mapped into IPv6), IPv6 by its first 64 bits. */
static size_t
limiter_address_bytes(const char *address, unsigned char ret[16])
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	unsigned char six[16];

	if (inet_pton(AF_INET, address, ret) == 1)
		return 4;
	if (inet_pton(AF_INET6, address, six) != 1)
		return 0;
	if (memcmp(six, mapped, sizeof mapped) == 0) {
		memcpy(ret, six + 12, 4);
		return 4;
	}
	memcpy(ret, six, 8);
	return 8;
}

static uint64_t
limiter_address_id(const struct login_limiter *l, const char *address)
{
	unsigned char bytes[16] = { 0 };
	size_t len = limiter_address_bytes(address, bytes);
	uint64_t id =
		len ? sip_hash(&l->key, bytes, len) : sip_hash(&l->key, address, strlen(address));

	return id ? id : 1;
}

static uint64_t
limiter_pair_id(const struct login_limiter *l, const char *user, const char *address)
{
	uint64_t parts[2] = { limiter_address_id(l, address),
			      sip_hash(&l->key, user, strlen(user)) };
	uint64_t id = sip_hash(&l->key, parts, sizeof parts);

	return id ? id : 1;
}

static bool
limiter_is_live(const struct login_limiter *l, const struct entry *entry, int64_t now)
{
	return entry->id != 0 && now - entry->start_ms < l->config.window_ms;
}

static struct entry *
limiter_find(struct login_limiter *l, uint64_t id, int64_t now)
{
	struct entry *set = &l->entries[id % SETS * WAYS];
	int i;

	for (i = 0; i < WAYS; i++)
		if (set[i].id == id && limiter_is_live(l, &set[i], now))
			return &set[i];
	return NULL;
}

static struct entry *
limiter_find_or_make(struct login_limiter *l, uint64_t id, int64_t now)
{
	struct entry *set = &l->entries[id % SETS * WAYS], *victim = set;
	struct entry *found = limiter_find(l, id, now);
	int i;

	if (found)
		return found;
	for (i = 0; i < WAYS; i++) {
		if (!limiter_is_live(l, &set[i], now)) {
			victim = &set[i];
			break;
		}
		if (set[i].failures < victim->failures)
			victim = &set[i];
	}
	*victim = (struct entry){ .id = id, .start_ms = now };
	return victim;
}

/* Milliseconds until id may try again. */
static int64_t
limiter_wait_of(struct login_limiter *l, uint64_t id, int64_t limit, int64_t now)
{
	const struct entry *entry = limiter_find(l, id, now);

	if (limit == 0 || !entry || entry->failures < limit)
		return 0;
	return entry->start_ms + l->config.window_ms - now;
}

int
login_limiter_admit(struct login_limiter *l, const char *user, const char *address,
		    enum login_limit *ret_which)
{
	int64_t now = clock_monotonic_ms(l->config.clock), wait, other;
	uint64_t pair, alone;

	if (!address)
		return 0;
	pair = limiter_pair_id(l, user, address);
	alone = limiter_address_id(l, address);
	(void)pthread_mutex_lock(&l->lock);
	wait = limiter_wait_of(l, pair, l->config.per_pair, now);
	other = limiter_wait_of(l, alone, l->config.per_address, now);
	(void)pthread_mutex_unlock(&l->lock);
	if (ret_which)
		*ret_which = other > wait ? LOGIN_LIMIT_ADDRESS : LOGIN_LIMIT_PAIR;
	if (other > wait)
		wait = other;
	return (int)((wait + 999) / 1000);
}

void
login_limiter_settle(struct login_limiter *l, const char *user, const char *address,
		     enum login_outcome outcome)
{
	int64_t now = clock_monotonic_ms(l->config.clock);
	struct entry *entry;
	uint64_t pair;

	if (!address || outcome == LOGIN_UNDECIDED)
		return;
	pair = limiter_pair_id(l, user, address);
	(void)pthread_mutex_lock(&l->lock);
	if (outcome == LOGIN_FAILED) {
		limiter_find_or_make(l, pair, now)->failures++;
		limiter_find_or_make(l, limiter_address_id(l, address), now)->failures++;
	} else if ((entry = limiter_find(l, pair, now))) {
		*entry = (struct entry){ 0 };
	}
	(void)pthread_mutex_unlock(&l->lock);
}

int
login_limiter_new(const struct login_limiter_config *config, struct login_limiter **ret,
		  struct err *e)
{
	struct login_limiter *l = calloc(1, sizeof *l);

	if (!l)
		return err_set(e, ERR_NO_MEMORY, "login limiter");
	l->config = *config;
	random_bytes(&l->key, sizeof l->key);
	(void)pthread_mutex_init(&l->lock, NULL);
	*ret = l;
	return 0;
}

void
login_limiter_free(struct login_limiter *l)
{
	if (!l)
		return;
	(void)pthread_mutex_destroy(&l->lock);
	free(l);
}
