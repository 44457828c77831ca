#include "auth/login.h"

#include <stdint.h>

#include "base/log/log.h"
#include "wire/authorization.h"

static const struct {
	int status;
	const char *words, *label;
} results[LOGIN_RESULTS] = {
	[LOGIN_GRANTED] = { 200, "", "granted" },
	[LOGIN_MISSING] = { 401, "missing credentials", "missing" },
	[LOGIN_INVALID] = { 401, "invalid credentials", "invalid" },
	[LOGIN_LIMITED] = { 429, "too many failed logins", "limited" },
	[LOGIN_BUSY] = { 503, "service unavailable", "busy" },
	[LOGIN_AWAY] = { 503, "service unavailable", "unavailable" },
	[LOGIN_BROKEN] = { 500, "internal server error", "error" },
};

int
login_status(enum login_result result)
{
	return results[result].status;
}

const char *
login_words(enum login_result result)
{
	return results[result].words;
}

const char *
login_label(enum login_result result)
{
	return results[result].label;
}

static bool
login_same_text(const char *stored, const char *given, size_t len)
{
	size_t stored_len = strlen(stored), i;
	volatile unsigned char difference = stored_len != len;

	for (i = 0; i < len; i++)
		difference |= (unsigned char)(stored[stored_len ? i % stored_len : 0] ^ given[i]);
	return difference == 0;
}

static int
login_check_plain(struct login *l, const struct user *user, const struct credentials *c,
		  struct password_encoded *ret_new, struct err *e)
{
	int r;

	if (login_same_text(user->password, c->password, c->password_len))
		return password_hash(l->passwords, c->password, c->password_len, ret_new, e);
	r = password_burn(l->passwords, c->password, c->password_len, e);
	return r < 0 ? r : err_set(e, ERR_DENIED, "wrong password");
}

static int
login_check_hash(struct login *l, const struct user *user, const struct credentials *c,
		 struct password_encoded *ret_new, struct err *e)
{
	int r = password_verify(l->passwords, user->password, c->password, c->password_len, e);

	if (r == ERR_CORRUPT) {
		r = password_burn(l->passwords, c->password, c->password_len, e);
		return r < 0 ? r
			     : err_set(e, ERR_DENIED, "no readable hash; run `auth user passwd`");
	}
	if (r < 0 || password_is_current(l->passwords, user->password))
		return r;
	/* Made with other parameters: the second hash is seen only by who knows the password. */
	return password_hash(l->passwords, c->password, c->password_len, ret_new, e);
}

/* user NULL = there is none. *ret_new is what the row should hold from now on, "" = as it is. */
static int
login_check_password(struct login *l, const struct user *user, const struct credentials *c,
		     struct password_encoded *ret_new, struct err *e)
{
	int r;

	if (!user || c->password_len == 0) {
		r = password_burn(l->passwords, c->password, c->password_len, e);
		return r < 0 ? r : err_set(e, ERR_DENIED, user ? "empty password" : "no such user");
	}
	r = user->scheme == PASSWORD_PLAIN ? login_check_plain(l, user, c, ret_new, e)
					   : login_check_hash(l, user, c, ret_new, e);
	if (r == 0 && user->disabled)
		return err_set(e, ERR_DENIED, "the user is disabled");
	return r;
}

/* The login is good whatever happens here; the next one tries again. */
static void
login_store_hash(struct login *l, const struct user *user, const struct password_encoded *hash)
{
	struct err e = ERR_NONE;
	int r;

	if (hash->text[0] == '\0')
		return;
	r = user_set_password(l->users, user->id, hash->text, PASSWORD_ARGON2ID, user->password,
			      &e);
	if (r < 0 && r != ERR_CONFLICT)
		log_warn(LOG_EVENT("password_not_upgraded"), LOG_STR("user", user->email),
			 LOG_ERR(&e));
}

static enum login_result
login_result_of(int r)
{
	if (r == 0)
		return LOGIN_GRANTED;
	if (r == ERR_DENIED)
		return LOGIN_INVALID;
	return err_is_transient(r) ? LOGIN_AWAY : LOGIN_BROKEN;
}

static enum login_result
login_grant(struct login *l, const struct user *user, struct str *ret, struct err *e)
{
	struct claims claims = { .admin = user->admin, .iat = clock_unix_ms(l->clock) / 1000 };

	claims.exp = claims.iat + CLAIMS_LIFETIME_S;
	memcpy(claims.username, user->email, sizeof claims.username);
	return login_result_of(token_sign(l->tokens, &claims, ret, e));
}

static enum login_result
login_decide(struct login *l, const struct credentials *c, struct login_answer *ret, struct err *e)
{
	struct password_encoded hash = { { 0 } };
	struct user user;
	int found = ERR_NOT_FOUND, r;

	if (!hash_gate_has_room(l->gate)) {
		err_set(e, ERR_UNAVAILABLE, "too many logins are waiting");
		return LOGIN_BUSY;
	}
	if (c->user[0] != '\0')
		found = user_find(l->users, c->user, &user, e);
	if (found < 0 && found != ERR_NOT_FOUND)
		return login_result_of(found);
	if (found == 0)
		memcpy(ret->user, user.email, sizeof ret->user);
	if (hash_gate_enter(l->gate, e) < 0)
		return LOGIN_BUSY;
	r = login_check_password(l, found == 0 ? &user : NULL, c, &hash, e);
	hash_gate_leave(l->gate);
	if (r < 0)
		return login_result_of(r);
	login_store_hash(l, &user, &hash);
	return login_grant(l, &user, &ret->token, e);
}

static enum login_outcome
login_outcome_of(enum login_result result)
{
	if (result == LOGIN_GRANTED)
		return LOGIN_SUCCEEDED;
	return result == LOGIN_INVALID ? LOGIN_FAILED : LOGIN_UNDECIDED;
}

/* Whether there is such a user is not looked up: that would cost what a limit is to save. */
static void
login_name_limit(const struct credentials *c, enum login_limit limit, struct login_answer *ret,
		 struct err *e)
{
	ret->result = LOGIN_LIMITED;
	(void)str_copy(ret->user, sizeof ret->user, c->user, NULL);
	(void)err_set(e, ERR_DENIED, "%s is reached",
		      limit == LOGIN_LIMIT_PAIR ? "LOGIN_FAILURES_PER_USER_AND_ADDRESS"
						: "LOGIN_FAILURES_PER_ADDRESS");
}

void
login_attempt(struct login *l, const char *header, const char *client, struct login_answer *ret,
	      struct err *e)
{
	SCOPED(credentials_clear) struct credentials c = { { 0 }, NULL, 0 };
	enum credentials_kind kind = credentials_read(header, &c);
	enum login_limit limit;

	ret->retry_after_s = 0;
	ret->user[0] = '\0';
	if (kind == CREDENTIALS_NO_MEMORY) {
		err_set(e, ERR_NO_MEMORY, "credentials");
		ret->result = LOGIN_AWAY;
		ret->retry_after_s = 1;
		return;
	}
	if (kind != CREDENTIALS_GIVEN) {
		err_set(e, ERR_DENIED, "no Basic credentials");
		ret->result = kind == CREDENTIALS_REFUSED ? LOGIN_INVALID : LOGIN_MISSING;
		return;
	}
	ret->retry_after_s = login_limiter_admit(l->limiter, c.user, client, &limit);
	if (ret->retry_after_s > 0) {
		login_name_limit(&c, limit, ret, e);
		return;
	}
	ret->result = login_decide(l, &c, ret, e);
	login_limiter_settle(l->limiter, c.user, client, login_outcome_of(ret->result));
	if (login_status(ret->result) == 503)
		ret->retry_after_s = 1;
}
