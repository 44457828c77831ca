#include "support/auth_world.h"

#include <stdio.h>

#include "adapter/password_sodium.h"
#include "adapter/token_jwt.h"
#include "fake/user_fake.h"

static int
add_user(struct user_store *users, struct err *e)
{
	struct user user = { .email = "user@example.org",
			     .password = "Admin123",
			     .scheme = PASSWORD_PLAIN,
			     .admin = true };

	return user_add(users, &user, e);
}

static int
make_parts(struct auth_world *w, int64_t failures, struct err *e)
{
	static const struct secret none;
	struct secret secret = { .len = sizeof AUTH_WORLD_SECRET - 1, .bytes = AUTH_WORLD_SECRET };
	int r;

	if ((r = user_fake_new(&w->users, e)) < 0 || (r = add_user(w->users, e)) < 0 ||
	    (r = token_jwt_new(&secret, &none, clock_system(), &w->tokens, e)) < 0 ||
	    (r = password_sodium_new(&(struct password_sodium_config){ 8192, 1 }, &w->passwords,
				     e)) < 0 ||
	    (r = hash_gate_new(2, 8, 2000, &w->gate, e)) < 0 ||
	    (r = restrictions_new(clock_system(), &w->restrictions, e)) < 0)
		return r;
	return login_limiter_new(
		&(struct login_limiter_config){ failures, 200, 900000, clock_system() },
		&w->limiter, e);
}

int
auth_world_start(struct auth_world *w, int64_t failures)
{
	struct http_server_config http = http_server_defaults();
	struct err e = ERR_NONE;
	int r = make_parts(w, failures, &e);

	w->service = (struct auth_service){
		.login = { w->users, w->tokens, w->passwords, w->gate, w->limiter, clock_system() },
		.restrictions = w->restrictions,
	};
	http.address = "127.0.0.1";
	http.port = 0;
	http.routes = auth_routes;
	http.route_count = auth_route_count;
	http.service = &w->service;
	http.trusted_proxies = "127.0.0.0/8";
	if (r == 0)
		r = http_server_start(&http, &w->server, &e);
	if (r < 0) {
		(void)fprintf(stderr, "auth world: %s\n", e.text);
		return -1;
	}
	(void)snprintf(w->url, sizeof w->url, "http://127.0.0.1:%d", http_server_port(w->server));
	return 0;
}

void
auth_world_stop(struct auth_world *w)
{
	http_server_close(w->server);
	restrictions_free(w->restrictions);
	login_limiter_free(w->limiter);
	hash_gate_free(w->gate);
	password_hasher_close(w->passwords);
	token_service_close(w->tokens);
	user_store_close(w->users);
}

void
auth_world_token(struct auth_world *w, const struct claims *claims, char ret[2048])
{
	SCOPED(str_free) struct str token = STR_MAX(2047);

	ret[0] = '\0';
	if (token_sign(w->tokens, claims, &token, NULL) == 0)
		(void)snprintf(ret, 2048, "%s", token.data);
}
