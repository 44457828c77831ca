/* The fairest job: of the users with the fewest running, the one who was served longest ago (see
 * mongo_jobs_turns.c), and of those who never were, the one whose oldest job is oldest.
 *
 * One look at who waits (an index is skipped through, whatever the length of the queue) and at how
 * many each has running; then, from the fewest running up, take the oldest due job of these users.
 * Choosing and taking a job are one step of the server; between the looks and that step others may
 * be faster, which costs a little fairness and never a job. Expired leases are the relay's
 * business. */
#include "adapter/mongo_jobs/private.h"

#include <stdio.h>

#include "base/random.h"

/* A round that takes nothing though jobs are due was overtaken by others who took them all. */
#define ROUNDS_MAX 8
#define USERS_MAX 10000
#define TRIES_MAX 8 /* users asked one by one */

struct waiting {
	char username[USERNAME_MAX + 1];
	int64_t running;
	uint64_t turn; /* when it was served last; 0 = never */
};

struct crowd {
	struct waiting *users;
	size_t count;
};

static void
crowd_free(struct crowd *c)
{
	free(c->users);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct waiting *)a)->username, ((const struct waiting *)b)->username);
}

static int
by_fairness(const void *a, const void *b)
{
	const struct waiting *x = a, *y = b;

	if (x->running != y->running)
		return x->running < y->running ? -1 : 1;
	return (x->turn > y->turn) - (x->turn < y->turn);
}

static int
crowd_fill(bson_iter_t *values, struct crowd *crowd, struct err *e)
{
	size_t room = 0;

	while (bson_iter_next(values) && crowd->count < USERS_MAX) {
		if (!BSON_ITER_HOLDS_UTF8(values))
			continue;
		if (crowd->count == room) {
			struct waiting *more;

			room = room ? room * 2 : 16;
			more = realloc(crowd->users, room * sizeof *more);
			if (more == NULL)
				return err_set(e, ERR_NO_MEMORY, "waiting users");
			crowd->users = more;
		}
		crowd->users[crowd->count] = (struct waiting){ 0 };
		(void)snprintf(crowd->users[crowd->count].username,
			       sizeof crowd->users[crowd->count].username, "%s",
			       bson_iter_utf8(values, NULL));
		crowd->count++;
	}
	if (crowd->count)
		qsort(crowd->users, crowd->count, sizeof *crowd->users, by_name);
	return 0;
}

static int
look_waiting(struct mongo_jobs_session *session, struct crowd *crowd, struct err *e)
{
	SCOPED(mongo_jobs_bson_free)
	bson_t *command =
		BCON_NEW("distinct", BCON_UTF8(mongoc_collection_get_name(session->jobs)), "key",
			 BCON_UTF8("username"), "query", "{", "state", BCON_UTF8("queued"), "}");
	bson_iter_t it, values;
	bson_error_t error;
	bson_t reply;
	int r = 0;

	if (!mongoc_collection_read_command_with_opts(session->jobs, command, NULL, NULL, &reply,
						      &error))
		r = mongo_jobs_err(e, &error, "list waiting users");
	else if (bson_iter_init_find(&it, &reply, "values") && bson_iter_recurse(&it, &values))
		r = crowd_fill(&values, crowd, e);
	bson_destroy(&reply);
	return r;
}

static struct waiting *
find_waiting(struct crowd *crowd, const char *username)
{
	struct waiting key = { 0 };

	(void)snprintf(key.username, sizeof key.username, "%s", username);
	return bsearch(&key, crowd->users, crowd->count, sizeof key, by_name);
}

static void
set_turn(void *arg, const char *username, uint64_t number)
{
	struct waiting *found = find_waiting(arg, username);

	if (found)
		found->turn = number;
}

static void
set_running(struct crowd *crowd, const bson_t *group)
{
	struct waiting *found;
	bson_iter_t it;

	if (!bson_iter_init_find(&it, group, "_id") || !BSON_ITER_HOLDS_UTF8(&it))
		return;
	found = find_waiting(crowd, bson_iter_utf8(&it, NULL));
	if (found && bson_iter_init_find(&it, group, "running"))
		found->running = bson_iter_as_int64(&it);
}

static int
look_running(struct mongo_jobs_session *session, struct crowd *crowd, struct err *e)
{
	SCOPED(mongo_jobs_bson_free)
	bson_t *pipeline =
		BCON_NEW("pipeline", "[", "{", "$match", "{", "state", BCON_UTF8("leased"), "}",
			 "}", "{", "$group", "{", "_id", BCON_UTF8("$username"), "running", "{",
			 "$sum", BCON_INT32(1), "}", "}", "}", "]");
	SCOPED(mongo_jobs_cursor_free) mongoc_cursor_t *cursor = NULL;
	const bson_t *group;
	bson_error_t error;

	if (crowd->count < 2)
		return 0;
	cursor =
		mongoc_collection_aggregate(session->jobs, MONGOC_QUERY_NONE, pipeline, NULL, NULL);
	while (mongoc_cursor_next(cursor, &group))
		set_running(crowd, group);
	if (mongoc_cursor_error(cursor, &error))
		return mongo_jobs_err(e, &error, "count running jobs");
	return 0;
}

static int
look(struct mongo_jobs *m, struct crowd *crowd, struct err *e)
{
	SCOPED(mongo_jobs_session_end) struct mongo_jobs_session session = { 0 };
	int r;

	if ((r = mongo_jobs_session_begin(m, &session, e)) < 0 ||
	    (r = look_waiting(&session, crowd, e)) < 0 ||
	    (r = look_running(&session, crowd, e)) < 0 || crowd->count < 2)
		return r;
	turns_each(&m->turns, set_turn, crowd);
	qsort(crowd->users, crowd->count, sizeof *crowd->users, by_fairness);
	return 0;
}

static bson_t *
leasing(const char *owner, const char *token, int64_t ms)
{
	struct blob_id fresh = blob_id_new();
	char name[LEASE_OWNER_MAX + 1];
	bson_oid_t output;

	bson_oid_init_from_string(&output, fresh.hex);
	mongo_jobs_text(name, sizeof name, owner);
	return BCON_NEW("0", "{", "$set", "{", "state", BCON_UTF8("leased"), "attempts", "{",
			"$add", "[", "{", "$ifNull", "[", BCON_UTF8("$attempts"), BCON_INT32(0),
			"]", "}", BCON_INT32(1), "]", "}", "progress", BCON_DOUBLE(0), "lease", "{",
			"owner", JOB_TEXT(name), "token", JOB_TEXT(token), "until", "{", "$add",
			"[", JOB_NOW, BCON_INT64(ms), "]", "}", "output", BCON_OID(&output),
			"speed", BCON_UTF8("$$REMOVE"), "remaining_s", BCON_UTF8("$$REMOVE"), "}",
			"outputs", "{", "$slice", "[", "{", "$concatArrays", "[", JOB_OUTPUTS, "[",
			BCON_OID(&output), "]", "]", "}", BCON_INT32(-JOB_OUTPUTS_MAX), "]", "}",
			"updated_at", JOB_NOW, "}", "}");
}

/* Takes the oldest due job of users[0 .. count). */
static int
take_of(struct mongo_jobs *m, const struct waiting *users, size_t count, const bson_t *lease,
	struct job *ret, struct err *e)
{
	SCOPED(mongo_jobs_bson_free)
	bson_t *filter = BCON_NEW("state", BCON_UTF8("queued"), JOB_DUE);
	SCOPED(mongo_jobs_bson_free) bson_t *sort = BCON_NEW("created_at", BCON_INT32(1));
	bson_t username, in;

	BSON_APPEND_DOCUMENT_BEGIN(filter, "username", &username);
	BSON_APPEND_ARRAY_BEGIN(&username, "$in", &in);
	for (size_t i = 0; i < count; i++) {
		char buffer[16];
		const char *key;
		size_t len = bson_uint32_to_string((uint32_t)i, &key, buffer, sizeof buffer);

		bson_append_utf8(&in, key, (int)len, users[i].username, -1);
	}
	bson_append_array_end(&username, &in);
	bson_append_document_end(filter, &username);
	return mongo_jobs_change(m, &(struct mongo_jobs_change){ filter, lease, sort }, ret, e);
}

/* The end of the users that are asked for together: those with the same right. After a few that had
 * nothing due, all with as many running, so that a crowd that waits for its retries costs little.
 */
static size_t
equals_end(const struct crowd *crowd, size_t from, int tries)
{
	const struct waiting *first = &crowd->users[from];
	size_t to = from + 1;

	while (to < crowd->count && crowd->users[to].running == first->running &&
	       (tries > TRIES_MAX || crowd->users[to].turn == first->turn))
		to++;
	return to;
}

/* *ret_users is 0 when nobody waits. */
static int
take_fairest(struct mongo_jobs *m, const bson_t *lease, struct job *ret, size_t *ret_users,
	     struct err *e)
{
	SCOPED(crowd_free) struct crowd crowd = { 0 };
	size_t from = 0, to;
	int r, tries = 0;

	if ((r = look(m, &crowd, e)) < 0)
		return r;
	*ret_users = crowd.count;
	for (; from < crowd.count; from = to) {
		to = equals_end(&crowd, from, ++tries);
		r = take_of(m, crowd.users + from, to - from, lease, ret, e);
		if (r != ERR_NOT_FOUND)
			return r;
	}
	return ERR_NOT_FOUND;
}

static int
any_due(struct mongo_jobs *m, struct err *e)
{
	SCOPED(mongo_jobs_bson_free)
	bson_t *filter = BCON_NEW("state", BCON_UTF8("queued"), JOB_DUE);
	struct job job;

	return mongo_jobs_find_one(m, filter, &job, e);
}

static int
lease_fairest(struct mongo_jobs *m, const bson_t *lease, struct job *ret, struct err *e)
{
	int r = ERR_NOT_FOUND;

	for (int i = 0; i < ROUNDS_MAX && r == ERR_NOT_FOUND; i++) {
		size_t users = 0;

		r = take_fairest(m, lease, ret, &users, e);
		if (r != ERR_NOT_FOUND || users == 0)
			return r;
		if ((r = any_due(m, e)) < 0)
			return r;
		r = ERR_NOT_FOUND;
	}
	return r;
}

int
mongo_jobs_lease_next(struct job_life *s, const char *owner, int64_t ms, const struct blob_id *only,
		      struct job *ret, struct err *e)
{
	SCOPED(mongo_jobs_bson_free) bson_t *lease = NULL;
	SCOPED(mongo_jobs_bson_free) bson_t *filter = NULL;
	struct mongo_jobs *m = mongo_jobs_of_life(s);
	char token[LEASE_TOKEN_DIGITS + 1];
	bson_oid_t id;
	int r;

	random_hex(token, LEASE_TOKEN_DIGITS);
	lease = leasing(owner, token, ms);
	if (only == NULL) {
		if ((r = lease_fairest(m, lease, ret, e)) == 0)
			turns_note(&m->turns, ret->username);
	} else {
		if ((r = mongo_jobs_oid(only, &id, e)) < 0)
			return r;
		filter = BCON_NEW("_id", BCON_OID(&id), "state", BCON_UTF8("queued"), JOB_DUE);
		r = mongo_jobs_change(m, &(struct mongo_jobs_change){ filter, lease, NULL }, ret,
				      e);
	}
	return r == ERR_NOT_FOUND ? err_set(e, r, "no job is due") : r;
}
