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
	int count, failure, retry_after_s, validations;
	enum identity_verdict verdict; /* ordered; IDENTITY_GRANTED = none */
};

static struct identity_fake *
identity_fake_of(struct identity *i)
{
	return CONTAINER_OF(i, struct identity_fake, port);
}

static void
set_reply(struct identity_reply *ret, enum identity_verdict verdict, const char *words)
{
	memset(ret, 0, sizeof *ret);
	ret->verdict = verdict;
	(void)snprintf(ret->text, sizeof ret->text, "%s", words);
}

/* True when the answer is decided already: *r, or the ordered refusal. */
static bool
identity_fake_ordered(struct identity_fake *f, struct identity_reply *ret, int *r, struct err *e)
{
	*r = 0;
	if (f->failure) {
		*r = err_set(e, f->failure, "as ordered");
		return true;
	}
	if (f->verdict != IDENTITY_GRANTED) {
		set_reply(ret, f->verdict, f->words);
		ret->retry_after_s = f->retry_after_s;
		return true;
	}
	return false;
}

static int
identity_fake_login(struct identity *i, const char *authorization,
		    const struct identity_caller *caller, struct identity_reply *ret, struct err *e)
{
	struct identity_fake *f = identity_fake_of(i);
	int r;

	pthread_mutex_lock(&f->lock);
	(void)snprintf(f->client, sizeof f->client, "%s",
		       caller && caller->address ? caller->address : "");
	if (!identity_fake_ordered(f, ret, &r, e)) {
		if (!authorization)
			set_reply(ret, IDENTITY_UNAUTHENTICATED, "missing credentials");
		else if (strcmp(authorization, f->authorization) == 0)
			set_reply(ret, IDENTITY_GRANTED, f->token);
		else
			set_reply(ret, IDENTITY_UNAUTHENTICATED, "invalid credentials");
	}
	pthread_mutex_unlock(&f->lock);
	return r;
}

static void
identity_fake_judge(struct identity_fake *f, const char *token, struct identity_reply *ret)
{
	int i;

	set_reply(ret, IDENTITY_FORBIDDEN, "not authorized");
	for (i = 0; i < f->count; i++) {
		if (strcmp(f->believed[i].token, token) != 0)
			continue;
		set_reply(ret, IDENTITY_GRANTED, "");
		ret->claims = f->believed[i].claims;
	}
}

static int
identity_fake_validate(struct identity *i, const char *authorization,
		       const struct identity_caller *caller, struct identity_reply *ret,
		       struct err *e)
{
	struct identity_fake *f = identity_fake_of(i);
	const char *token = "";
	int r;

	(void)caller;
	pthread_mutex_lock(&f->lock);
	f->validations++;
	if (!identity_fake_ordered(f, ret, &r, e)) {
		if (bearer_read(authorization, &token) == BEARER_MISSING)
			set_reply(ret, IDENTITY_UNAUTHENTICATED, "missing credentials");
		else
			identity_fake_judge(f, token, ret);
	}
	pthread_mutex_unlock(&f->lock);
	return r;
}

static int
identity_fake_ping(struct identity *i, struct err *e)
{
	struct identity_fake *f = identity_fake_of(i);
	int failure;

	pthread_mutex_lock(&f->lock);
	failure = f->failure;
	pthread_mutex_unlock(&f->lock);
	return failure ? err_set(e, failure, "as ordered") : 0;
}

static void
identity_fake_close(struct identity *i)
{
	pthread_mutex_destroy(&identity_fake_of(i)->lock);
	free(identity_fake_of(i));
}

static const struct identity_ops identity_fake_ops = {
	.login = identity_fake_login,
	.validate = identity_fake_validate,
	.ping = identity_fake_ping,
	.close = identity_fake_close,
};

void
identity_fake_believe(struct identity *i, const char *token, const struct claims *claims)
{
	struct identity_fake *f = identity_fake_of(i);

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
	pthread_mutex_lock(&identity_fake_of(i)->lock);
	identity_fake_of(i)->failure = code;
	pthread_mutex_unlock(&identity_fake_of(i)->lock);
}

void
identity_fake_refuse(struct identity *i, enum identity_verdict verdict, const char *words,
		     int retry_after_s)
{
	struct identity_fake *f = identity_fake_of(i);

	pthread_mutex_lock(&f->lock);
	f->verdict = verdict;
	f->retry_after_s = retry_after_s;
	(void)snprintf(f->words, sizeof f->words, "%s", words);
	pthread_mutex_unlock(&f->lock);
}

void
identity_fake_last_client(struct identity *i, char ret[64])
{
	pthread_mutex_lock(&identity_fake_of(i)->lock);
	memcpy(ret, identity_fake_of(i)->client, 64);
	pthread_mutex_unlock(&identity_fake_of(i)->lock);
}

int
identity_fake_validations(struct identity *i)
{
	int validations;

	pthread_mutex_lock(&identity_fake_of(i)->lock);
	validations = identity_fake_of(i)->validations;
	pthread_mutex_unlock(&identity_fake_of(i)->lock);
	return validations;
}

int
identity_fake_new(const char *authorization, const char *token, struct identity **ret,
		  struct err *e)
{
	struct identity_fake *f = calloc(1, sizeof *f);

	if (!f)
		return err_set(e, ERR_NO_MEMORY, "identity fake");
	f->port.ops = &identity_fake_ops;
	pthread_mutex_init(&f->lock, NULL);
	(void)snprintf(f->authorization, sizeof f->authorization, "%s", authorization);
	(void)snprintf(f->token, sizeof f->token, "%s", token);
	*ret = &f->port;
	return 0;
}
