#include <stdio.h>
#include <string.h>

#include "auth/command.h"
#include "auth/config.h"
#include "base/clock.h"
#include "base/scope.h"
#include "base/secret.h"
#include "base/text/str.h"
#include "wire/authorization.h"

struct user_task {
	const struct command_call *call;
	const struct auth_config *config;
	struct user_store *users;
	char email[USERNAME_MAX + 1]; /* "" for list */
};

static int
user_make_hash(const struct user_task *t, struct password_encoded *ret, struct err *e)
{
	SCOPED(password_hasher_close_p) struct password_hasher *passwords = NULL;
	char text[PASSWORD_TEXT_MAX + 1] = "";
	int r;

	if ((r = auth_passwords_new(t->config, &passwords, e)) < 0 ||
	    (r = password_prompt(text, e)) < 0)
		return r;
	r = password_hash(passwords, text, strlen(text), ret, e);
	memory_wipe(text, sizeof text);
	return r;
}

static int
user_revoke(struct user_task *t, struct err *e)
{
	return user_revoke_tokens(t->users, t->email, now_unix_ms() / 1000, e);
}

static int
user_add_task(struct user_task *t, struct err *e)
{
	bool admin = !command_given(t->call, "no-admin");
	struct user user = { .scheme = PASSWORD_ARGON2ID, .admin = admin };
	struct password_encoded hash;
	int r = user_find(t->users, t->email, &user, e);

	if (r == 0)
		return err_set(e, ERR_CONFLICT, "the address exists");
	if (r != ERR_NOT_FOUND || (r = user_make_hash(t, &hash, e)) < 0)
		return r;
	memcpy(user.email, t->email, sizeof user.email);
	memcpy(user.password, hash.text, sizeof user.password);
	if ((r = user_add(t->users, &user, e)) < 0)
		return r;
	printf("added %s%s\n", t->email, admin ? "" : " (not admin: may not upload or download)");
	return 0;
}

static int
user_passwd_task(struct user_task *t, struct err *e)
{
	struct password_encoded hash;
	struct user user;
	int r;

	if ((r = user_find(t->users, t->email, &user, e)) < 0 ||
	    (r = user_make_hash(t, &hash, e)) < 0 ||
	    (r = user_set_password(t->users, user.id, hash.text, PASSWORD_ARGON2ID, NULL, e)) < 0 ||
	    (r = user_revoke(t, e)) < 0)
		return r;
	printf("changed the password of %s; older tokens end within 30 s\n", t->email);
	return 0;
}

static int
user_disable_task(struct user_task *t, struct err *e)
{
	int r;

	if ((r = user_set_disabled(t->users, t->email, true, e)) < 0 || (r = user_revoke(t, e)) < 0)
		return r;
	printf("disabled %s; tokens end within 30 s\n", t->email);
	return 0;
}

static int
user_enable_task(struct user_task *t, struct err *e)
{
	int r = user_set_disabled(t->users, t->email, false, e);

	if (r == 0)
		printf("enabled %s\n", t->email);
	return r;
}

static int
user_revoke_task(struct user_task *t, struct err *e)
{
	int r = user_revoke(t, e);

	if (r == 0)
		printf("older tokens of %s end within 30 s\n", t->email);
	return r;
}

static int
user_remove_task(struct user_task *t, struct err *e)
{
	int r = user_remove(t->users, t->email, e);

	if (r == 0)
		printf("removed %s; a token given before stays good until it expires (24 h at "
		       "most): "
		       "disable first, remove a day later, where that matters\n",
		       t->email);
	return r;
}

/* Characters, not bytes: printf pads by bytes. */
static int
user_width(const char *text)
{
	int width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static int
user_measure(const struct user *user, void *arg, struct err *e)
{
	int *widest = arg, width = user_width(user->email);

	(void)e;
	if (width > *widest)
		*widest = width;
	return 0;
}

static int
user_print(const struct user *user, void *arg, struct err *e)
{
	const int *widest = arg;
	char after[CLOCK_TEXT_SIZE];

	(void)e;
	clock_text(after, user->tokens_valid_after_s * 1000);
	printf("%6lld  %s%*s  %-5s  %-8s  %-8s  %s\n", (long long)user->id, user->email,
	       *widest - user_width(user->email), "", user->admin ? "yes" : "no",
	       user->disabled ? "disabled" : "enabled",
	       user->scheme == PASSWORD_PLAIN ? "plain" : "argon2id", after);
	return 0;
}

static int
user_list_task(struct user_task *t, struct err *e)
{
	int widest = (int)strlen("address"), r;

	if ((r = user_each(t->users, user_measure, &widest, e)) < 0)
		return r;
	printf("%6s  %-*s  %-5s  %-8s  %-8s  %s\n", "id", widest, "address", "admin", "state",
	       "password", "tokens valid after");
	return user_each(t->users, user_print, &widest, e);
}

/* Words of what is wrong with the address, or NULL. */
static const char *
user_read_address(const char *text, char to[USERNAME_MAX + 1])
{
	if (address_normalise(text, to, NULL) < 0)
		return "the address is longer than 255 bytes";
	if (to[0] == '\0')
		return "EMAIL is missing";
	if (!utf8_valid(to, strlen(to)))
		return "the address is not UTF-8";
	for (const char *c = to; *c; c++)
		if (*c == ':' || (unsigned char)*c < ' ' || *c == 0x7f)
			return "an address holds no colon and no control character";
	return NULL;
}

static int
user_run(const struct command_call *call, int (*work)(struct user_task *, struct err *))
{
	SCOPED(user_store_close_p) struct user_store *users = NULL;
	struct user_task task = { .call = call, .config = call->config };
	struct err e = ERR_NONE;
	const char *wrong;

	if (call->operand_count > 0 && (wrong = user_read_address(call->operands[0], task.email)))
		return command_wrong(call, "%s", wrong);
	if (auth_users_new(call->config, &users, &e) < 0)
		return auth_failed(call, &e);
	task.users = users;
	return work(&task, &e) < 0 ? auth_failed(call, &e) : COMMAND_DONE;
}

static int
user_run_add(const struct command_call *call)
{
	return user_run(call, user_add_task);
}

static int
user_run_passwd(const struct command_call *call)
{
	return user_run(call, user_passwd_task);
}

static int
user_run_list(const struct command_call *call)
{
	return user_run(call, user_list_task);
}

static int
user_run_disable(const struct command_call *call)
{
	return user_run(call, user_disable_task);
}

static int
user_run_enable(const struct command_call *call)
{
	return user_run(call, user_enable_task);
}

static int
user_run_revoke(const struct command_call *call)
{
	return user_run(call, user_revoke_task);
}

static int
user_run_remove(const struct command_call *call)
{
	return user_run(call, user_remove_task);
}

static const struct command_option user_add_options[] = {
	{ .name = "no-admin", .help = "a user who may log in, but neither upload nor download" },
	{ 0 },
};
static const struct command_verb user_verbs[] = {
	{ "add", "EMAIL", user_add_options,
	  "Adds a user; asks for the password, or reads one line of standard input.",
	  user_run_add },
	{ "passwd", "EMAIL", NULL,
	  "Changes the password; asks for it, or reads one line of standard input.\nTokens given "
	  "before end within 30 s.",
	  user_run_passwd },
	{ "list", NULL, NULL, "Lists all users.", user_run_list },
	{ "disable", "EMAIL", NULL, "Bars a user from logging in. Tokens end within 30 s.",
	  user_run_disable },
	{ "enable", "EMAIL", NULL, "Lets a disabled user log in again.", user_run_enable },
	{ "revoke", "EMAIL", NULL, "Ends the tokens given so far, within 30 s.", user_run_revoke },
	{ "remove", "EMAIL", NULL,
	  "Removes a user. A token given before stays good until it expires (24 h at most):\n"
	  "disable first, remove a day later, where that matters.",
	  user_run_remove },
	{ 0 },
};

const struct command command_user = {
	.name = "user",
	.summary = "add, passwd, list, disable, enable, revoke or remove users",
	.verbs = user_verbs,
	.no_more = "a password is never one",
};
