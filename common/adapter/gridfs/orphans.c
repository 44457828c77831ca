/* Chunks of writers that ended without a commit. In memory only: what a process that dies
 * leaves behind, the janitor finds by the ledger. */
#include "adapter/gridfs/private.h"

#include <string.h>

#include "base/clock.h"
#include "base/wait.h"

#define ORPHANS_MAX 16384 /* as many uploads may be cut at once */
#define ROUND_MS 1000
#define LAST_ROUND_MS 20000
#define SECOND_PASS_MS 6000 /* longer than any insert of ours can still be under way */

struct orphan {
	struct blob_id id;
	int64_t due_ms; /* monotonic */
	enum orphan_care care;
	bool second; /* the server answered once already */
};

struct gridfs_orphans {
	/* set once */
	struct blob_gridfs *store;
	pthread_t thread;
	pthread_cond_t changed;
	/* under lock */
	pthread_mutex_t lock;
	struct orphan list[ORPHANS_MAX];
	size_t count;
	bool stopping;
};

/* Takes the first one that is due; false when there is none. */
static bool
orphans_take_due(struct gridfs_orphans *o, struct orphan *ret)
{
	int64_t now = now_monotonic_ms();

	for (size_t i = 0; i < o->count; i++) {
		if (o->list[i].due_ms > now)
			continue;
		*ret = o->list[i];
		o->list[i] = o->list[--o->count];
		return true;
	}
	return false;
}

/* A full list drops the newcomer: the janitor's work then. */
static void
orphans_put(struct gridfs_orphans *o, struct orphan orphan)
{
	if (o->count < ORPHANS_MAX)
		o->list[o->count++] = orphan;
}

static void
orphans_wait_round(struct gridfs_orphans *o)
{
	if (o->count == 0)
		(void)pthread_cond_wait(&o->changed, &o->lock);
	else
		(void)cond_wait_until(&o->changed, &o->lock, now_monotonic_ms() + ROUND_MS);
}

/* One pass over the server's side: 0 = done, 1 = worth another pass, negative = failed. */
static int
orphan_pass(struct blob_gridfs *g, const struct orphan *orphan)
{
	int r;

	if (orphan->care == ORPHAN_TRIM)
		return gridfs_trim(g, &orphan->id, NULL);
	if (orphan->care == ORPHAN_UNLESS_COMMITTED) {
		if ((r = gridfs_is_committed(g, &orphan->id, NULL)) != 0)
			return r < 0 ? r : 0;
		if (!orphan->second)
			return 1;
	}
	if ((r = gridfs_delete_chunks(g, &orphan->id, NULL)) < 0)
		return r;
	return orphan->care == ORPHAN_DELETE_TWICE && !orphan->second;
}

static void
orphan_clear(struct gridfs_orphans *o, struct orphan orphan)
{
	int r;

	(void)pthread_mutex_unlock(&o->lock);
	r = orphan_pass(o->store, &orphan);
	(void)pthread_mutex_lock(&o->lock);
	if (r == 0)
		return;
	orphan.second |= r > 0;
	orphan.due_ms = now_monotonic_ms() + (r > 0 ? SECOND_PASS_MS : ROUND_MS);
	orphans_put(o, orphan);
}

/* A store that closes tries each once more, due or not; a server that is away ends it. */
static void
orphans_last_round(struct gridfs_orphans *o)
{
	int64_t until = now_monotonic_ms() + LAST_ROUND_MS;

	while (o->count > 0 && now_monotonic_ms() < until)
		if (orphan_pass(o->store, &o->list[--o->count]) < 0)
			return;
}

static void *
orphans_work(void *arg)
{
	struct gridfs_orphans *o = arg;
	struct orphan due;

	(void)pthread_mutex_lock(&o->lock);
	while (!o->stopping) {
		if (orphans_take_due(o, &due))
			orphan_clear(o, due);
		else
			orphans_wait_round(o);
	}
	orphans_last_round(o);
	(void)pthread_mutex_unlock(&o->lock);
	return NULL;
}

int
gridfs_orphans_start(struct blob_gridfs *g, struct gridfs_orphans **ret, struct err *e)
{
	struct gridfs_orphans *o = calloc(1, sizeof *o);

	if (!o)
		return err_set(e, ERR_NO_MEMORY, "list of orphans");
	o->store = g;
	(void)pthread_mutex_init(&o->lock, NULL);
	cond_init(&o->changed);
	if (pthread_create(&o->thread, NULL, orphans_work, o) != 0) {
		free(o);
		return err_set(e, ERR_NO_MEMORY, "thread for orphans");
	}
	*ret = o;
	return 0;
}

void
gridfs_orphans_add(struct gridfs_orphans *o, const struct blob_id *id, enum orphan_care care)
{
	(void)pthread_mutex_lock(&o->lock);
	orphans_put(o, (struct orphan){ *id, now_monotonic_ms(), care, false });
	(void)pthread_cond_signal(&o->changed);
	(void)pthread_mutex_unlock(&o->lock);
}

void
gridfs_orphans_stop(struct gridfs_orphans *o)
{
	if (!o)
		return;
	(void)pthread_mutex_lock(&o->lock);
	o->stopping = true;
	(void)pthread_cond_signal(&o->changed);
	(void)pthread_mutex_unlock(&o->lock);
	(void)pthread_join(o->thread, NULL);
	(void)pthread_cond_destroy(&o->changed);
	(void)pthread_mutex_destroy(&o->lock);
	free(o);
}
