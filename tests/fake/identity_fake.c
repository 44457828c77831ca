#include "fake/identity_fake.h"

#include <pthread.h>
#include <stdio.h>

#include "wire/authorization.h"

#define TOKENS_MAX 16
#define TEXT_MAX 2048

struct believed {
	char token[TEXT_MAX];
	struct claims claims;
};

struct identity_fake {
	struct identity port;
	/* under lock */
	pthread_mutex_t lock;
	char authorization[TEXT_MAX], token[TEXT_MAX], client[64], words[128];
	struct believed believed[TOKENS_MAX];
	int count, failure, status, retry_after_s, validations;
};

static struct identity_fake *
self_of(struct identity *i)
{
	return CONTAINER_OF(i, struct identity_fake, port);
}

static void
answer(struct identity_reply *ret, int status, const char *words)
{
	memset(ret, 0, sizeof *ret);
	ret->status = status;
	(void)snprintf(ret->text, sizeof ret->text, "%s", words);
}

/* True when the answer is decided already: *r, or the ordered refusal. */
static bool
ordered(struct identity_fake *f, struct identity_reply *ret, int *r, struct err *e)
{
	*r = 0;
	if (f->failure) {
		*r = err_set(e, f->failure, "as ordered");
		return true;
	}
	if (f->status) {
		answer(ret, f->status, f->words);
		ret->retry_after_s = f->retry_after_s;
		return true;
	}
	return false;
}

static int
fake_login(struct identity *i, const char *authorization, const struct identity_caller *caller,
	   struct identity_reply *ret, struct err *e)
{
	struct identity_fake *f = self_of(i);
	int r;

	pthread_mutex_lock(&f->lock);
	(void)snprintf(f->client, sizeof f->client, "%s",
		       caller && caller->address ? caller->address : "");
	if (!ordered(f, ret, &r, e)) {
		if (authorization == NULL)
			answer(ret, 401, "missing credentials");
		else if (strcmp(authorization, f->authorization) == 0)
			answer(ret, 200, f->token);
		else
			answer(ret, 401, "invalid credentials");
	}
	pthread_mutex_unlock(&f->lock);
	return r;
}

static void
judge(struct identity_fake *f, const char *token, struct identity_reply *ret)
{
	int i;

	answer(ret, 403, "not authorized");
	for (i = 0; i < f->count; i++) {
		if (strcmp(f->believed[i].token, token) != 0)
			continue;
		answer(ret, 200, "");
		ret->claims = f->believed[i].claims;
	}
}

static int
fake_validate(struct identity *i, const char *authorization, const struct identity_caller *caller,
	      struct identity_reply *ret, struct err *e)
{
	struct identity_fake *f = self_of(i);
	const char *token = "";
	int r;

	(void)caller;
	pthread_mutex_lock(&f->lock);
	f->validations++;
	if (!ordered(f, ret, &r, e)) {
		if (bearer_read(authorization, &token) == BEARER_MISSING)
			answer(ret, 401, "missing credentials");
		else
			judge(f, token, ret);
	}
	pthread_mutex_unlock(&f->lock);
	return r;
}

static int
fake_ping(struct identity *i, struct err *e)
{
	struct identity_fake *f = self_of(i);
	int failure;

	pthread_mutex_lock(&f->lock);
	failure = f->failure;
	pthread_mutex_unlock(&f->lock);
	return failure ? err_set(e, failure, "as ordered") : 0;
}

static void
fake_close(struct identity *i)
{
	pthread_mutex_destroy(&self_of(i)->lock);
	free(self_of(i));
}

static const struct identity_ops fake_ops = {
	.login = fake_login,
	.validate = fake_validate,
	.ping = fake_ping,
	.close = fake_close,
};

void
identity_fake_believe(struct identity *i, const char *token, const struct claims *claims)
{
	struct identity_fake *f = self_of(i);

	pthread_mutex_lock(&f->lock);
	if (f->count < TOKENS_MAX) {
		struct believed *b = &f->believed[f->count++];

		(void)snprintf(b->token, sizeof b->token, "%s", token);
		b->claims = *claims;
	}
	pthread_mutex_unlock(&f->lock);
}

void
identity_fake_fail(struct identity *i, int code)
{
	pthread_mutex_lock(&self_of(i)->lock);
	self_of(i)->failure = code;
	pthread_mutex_unlock(&self_of(i)->lock);
}

void
identity_fake_refuse(struct identity *i, int status, const char *words, int retry_after_s)
{
	struct identity_fake *f = self_of(i);

	pthread_mutex_lock(&f->lock);
	f->status = status;
	f->retry_after_s = retry_after_s;
	(void)snprintf(f->words, sizeof f->words, "%s", words);
	pthread_mutex_unlock(&f->lock);
}

void
identity_fake_last_client(struct identity *i, char ret[64])
{
	pthread_mutex_lock(&self_of(i)->lock);
	memcpy(ret, self_of(i)->client, 64);
	pthread_mutex_unlock(&self_of(i)->lock);
}

int
identity_fake_validations(struct identity *i)
{
	int validations;

	pthread_mutex_lock(&self_of(i)->lock);
	validations = self_of(i)->validations;
	pthread_mutex_unlock(&self_of(i)->lock);
	return validations;
}

int
identity_fake_new(const char *authorization, const char *token, struct identity **ret,
		  struct err *e)
{
	struct identity_fake *f = calloc(1, sizeof *f);

	if (f == NULL)
		return err_set(e, ERR_NO_MEMORY, "identity fake");
	f->port.ops = &fake_ops;
	pthread_mutex_init(&f->lock, NULL);
	(void)snprintf(f->authorization, sizeof f->authorization, "%s", authorization);
	(void)snprintf(f->token, sizeof f->token, "%s", token);
	*ret = &f->port;
	return 0;
}
