#include <stdio.h>
#include <string.h>
#include <time.h>

#include "auth/command.h"
#include "auth/config.h"
#include "base/clock.h"
#include "base/secret.h"
#include "base/text/str.h"
#include "wire/authorization.h"

struct task {
	const struct auth_config *config;
	struct user_store *users;
	char email[USERNAME_MAX + 1];
	bool admin; /* of a new user */
};

static int
make_hash(const struct task *t, struct password_encoded *ret, struct err *e)
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
revoke(struct task *t, struct err *e)
{
	return user_revoke_tokens(t->users, t->email, now_unix_ms() / 1000, e);
}

static int
user_add_run(struct task *t, struct err *e)
{
	struct user user = { .scheme = PASSWORD_ARGON2ID, .admin = t->admin };
	struct password_encoded hash;
	int r = user_find(t->users, t->email, &user, e);

	if (r == 0)
		return err_set(e, ERR_CONFLICT, "the address exists");
	if (r != ERR_NOT_FOUND || (r = make_hash(t, &hash, e)) < 0)
		return r;
	memcpy(user.email, t->email, sizeof user.email);
	memcpy(user.password, hash.text, sizeof user.password);
	if ((r = user_add(t->users, &user, e)) < 0)
		return r;
	printf("added %s%s\n", t->email,
	       t->admin ? "" : " (not admin: may not upload or download)");
	return 0;
}

static int
user_passwd_run(struct task *t, struct err *e)
{
	struct password_encoded hash;
	struct user user;
	int r;

	if ((r = user_find(t->users, t->email, &user, e)) < 0 || (r = make_hash(t, &hash, e)) < 0 ||
	    (r = user_set_password(t->users, user.id, hash.text, PASSWORD_ARGON2ID, NULL, e)) < 0 ||
	    (r = revoke(t, e)) < 0)
		return r;
	printf("changed the password of %s; older tokens end within 30 s\n", t->email);
	return 0;
}

static int
user_disable_run(struct task *t, struct err *e)
{
	int r;

	if ((r = user_set_disabled(t->users, t->email, true, e)) < 0 || (r = revoke(t, e)) < 0)
		return r;
	printf("disabled %s; tokens end within 30 s\n", t->email);
	return 0;
}

static int
user_enable_run(struct task *t, struct err *e)
{
	int r = user_set_disabled(t->users, t->email, false, e);

	if (r == 0)
		printf("enabled %s\n", t->email);
	return r;
}

static int
user_revoke_run(struct task *t, struct err *e)
{
	int r = revoke(t, e);

	if (r == 0)
		printf("older tokens of %s end within 30 s\n", t->email);
	return r;
}

static int
user_remove_run(struct task *t, struct err *e)
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
width_of(const char *text)
{
	int width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static int
measure(const struct user *user, void *arg, struct err *e)
{
	int *widest = arg, width = width_of(user->email);

	(void)e;
	if (width > *widest)
		*widest = width;
	return 0;
}

static int
print_user(const struct user *user, void *arg, struct err *e)
{
	const int *widest = arg;
	char after[32] = "-";
	time_t seconds = (time_t)user->tokens_valid_after_s;
	struct tm tm;

	(void)e;
	if (seconds > 0 && gmtime_r(&seconds, &tm))
		(void)strftime(after, sizeof after, "%Y-%m-%dT%H:%M:%SZ", &tm);
	printf("%6lld  %s%*s  %-5s  %-8s  %-8s  %s\n", (long long)user->id, user->email,
	       *widest - width_of(user->email), "", user->admin ? "yes" : "no",
	       user->disabled ? "disabled" : "enabled",
	       user->scheme == PASSWORD_PLAIN ? "plain" : "argon2id", after);
	return 0;
}

static int
user_list_run(struct task *t, struct err *e)
{
	int widest = (int)strlen("address"), r;

	if ((r = user_each(t->users, measure, &widest, e)) < 0)
		return r;
	printf("%6s  %-*s  %-5s  %-8s  %-8s  %s\n", "id", widest, "address", "admin", "state",
	       "password", "tokens valid after");
	return user_each(t->users, print_user, &widest, e);
}

static const struct verb {
	const char *name;
	int (*run)(struct task *, struct err *);
	bool takes_email;
	const char *flag, *help;
} verbs[] = {
	{ "add", user_add_run, true, "--no-admin", "add EMAIL [--no-admin]" },
	{ "passwd", user_passwd_run, true, NULL, "passwd EMAIL" },
	{ "list", user_list_run, false, NULL, "list" },
	{ "disable", user_disable_run, true, NULL, "disable EMAIL" },
	{ "enable", user_enable_run, true, NULL, "enable EMAIL" },
	{ "revoke", user_revoke_run, true, NULL, "revoke EMAIL" },
	{ "remove", user_remove_run, true, NULL, "remove EMAIL" },
};

static int
usage(const char *why)
{
	size_t i;

	if (why)
		(void)fprintf(stderr, "auth: %s\n", why);
	(void)fputs("usage:\n", stderr);
	for (i = 0; i < ARRAY_LEN(verbs); i++)
		(void)fprintf(stderr, "  auth user %s\n", verbs[i].help);
	(void)fputs("add and passwd ask for the password, or read one line of standard input\n",
		    stderr);
	return COMMAND_USAGE;
}

static const struct verb *
find_verb(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

/* Words of what is wrong with the arguments behind the verb, or NULL. */
static const char *
read_arguments(const struct verb *verb, int argc, char **argv, struct task *t)
{
	const char *c;
	int i;

	for (i = 0; i < argc; i++) {
		if (verb->flag && strcmp(argv[i], verb->flag) == 0)
			t->admin = false;
		else if (argv[i][0] == '-' || !verb->takes_email || t->email[0])
			return "an argument too many (a password is never one)";
		else if (address_normalise(argv[i], t->email, NULL) < 0)
			return "the address is longer than 255 bytes";
	}
	if (verb->takes_email && t->email[0] == '\0')
		return "EMAIL is missing";
	if (!utf8_valid(t->email, strlen(t->email)))
		return "the address is not UTF-8";
	for (c = t->email; *c; c++)
		if (*c == ':' || (unsigned char)*c < ' ' || *c == 0x7f)
			return "an address holds no colon and no control character";
	return NULL;
}

int
command_user(int argc, char **argv, const void *config)
{
	SCOPED(user_store_close_p) struct user_store *users = NULL;
	const struct verb *verb = argc > 1 ? find_verb(argv[1]) : NULL;
	struct task task = { .config = config, .admin = true };
	struct err e = ERR_NONE;
	const char *wrong;

	if (verb == NULL)
		return usage(argc > 1 ? "no such command" : NULL);
	if ((wrong = read_arguments(verb, argc - 2, argv + 2, &task)) != NULL)
		return usage(wrong);
	if (auth_users_new(config, &users, &e) < 0)
		return command_failed(verb->name, &e);
	task.users = users;
	return verb->run(&task, &e) < 0 ? command_failed(verb->name, &e) : COMMAND_DONE;
}
