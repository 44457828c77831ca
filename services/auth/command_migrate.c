#include <stdio.h>

#include "auth/command.h"
#include "auth/config.h"

struct migrate_upgrade {
	struct user_store *users;
	struct password_hasher *passwords;
	int hashed, already, empty;
};

static int
migrate_upgrade_user(const struct user *user, void *arg, struct err *e)
{
	struct migrate_upgrade *u = arg;
	struct password_encoded hash;
	int r;

	if (user->scheme != PASSWORD_PLAIN) {
		u->already++;
		return 0;
	}
	if (user->password[0] == '\0') {
		u->empty++;
		return 0;
	}
	r = password_hash(u->passwords, user->password, strlen(user->password), &hash, e);
	if (r == 0)
		r = user_set_password(u->users, user->id, hash.text, PASSWORD_ARGON2ID,
				      user->password, e);
	if (r == ERR_CONFLICT) /* changed or hashed by a login meanwhile */
		return 0;
	if (r < 0)
		return err_prefix(e, r, "user %lld", (long long)user->id);
	u->hashed++;
	return 0;
}

static int
migrate_all(const struct auth_config *config, struct err *e)
{
	SCOPED(user_store_close_p) struct user_store *users = NULL;
	SCOPED(password_hasher_close_p) struct password_hasher *passwords = NULL;
	struct migrate_upgrade u = { 0 };
	int r, applied = 0;

	if ((r = auth_users_new(config, &users, e)) < 0 ||
	    (r = auth_passwords_new(config, &passwords, e)) < 0 ||
	    (r = auth_users_migrate(users, &applied, e)) < 0)
		return r;
	printf("schema: %d change%s applied%s\n", applied, applied == 1 ? "" : "s",
	       applied ? "" : ", it was up to date");
	u = (struct migrate_upgrade){ .users = users, .passwords = passwords };
	r = user_each(users, migrate_upgrade_user, &u, e);
	printf("passwords: %d hashed, %d hashed before\n", u.hashed, u.already);
	if (u.empty > 0)
		printf("passwords: %d empty (these users cannot log in; see `auth user passwd`)\n",
		       u.empty);
	return r;
}

static int
migrate_run(const struct command_call *call)
{
	struct err e = ERR_NONE;

	return migrate_all(call->config, &e) < 0 ? auth_failed(call, &e) : COMMAND_DONE;
}

static const struct command_verb migrate_verbs[] = {
	{ .help = "Applies the changes of the schema that are missing, and hashes passwords that "
		  "are\n"
		  "stored as text. It may run at any time and as often as you like.",
	  .run = migrate_run },
	{ 0 },
};

const struct command command_migrate = {
	.name = "migrate",
	.summary = "bring the schema up to date and hash plain passwords",
	.verbs = migrate_verbs,
};
