/* Gateway, relay, converter and notification over one ledger, one broker and two blob stores in
 * memory, every port of theirs faulty on one counter. Time is the test's own. */
#ifndef TONEARM_SERVICE_CHAIN_WORLD_H
#define TONEARM_SERVICE_CHAIN_WORLD_H

#include "base/clock.h"
#include "converter/converter.h"
#include "fake/faulty/faulty.h"
#include "gateway/gateway.h"
#include "net/http_client.h"
#include "notification/notify.h"

#define CHAIN_USER "ann@example.org"

struct chain_clock {
	struct clock port;
	atomic_llong unix_ms;
};

struct chain {
	struct faults faults;
	struct chain_clock clock;
	/* what the checks look at: these never fail */
	struct blob_store *videos, *mp3s;
	struct ledger *jobs;
	struct queue_broker *broker;
	struct encoder *encoder;
	/* what the services work with */
	struct ledger *ledger; /* jobs, faulty */
	struct fair fair;
	struct outbox_route routes[3];
	struct outbox outbox;
	struct gateway gateway;
	struct converter converter;
	struct notifier notifier;
	struct consumer *permits;
	atomic_bool hand_back;
	struct http_client_response answer;
};

/* The server and the client of all chains of a process; -1 when they do not start. */
int chain_net_start(void);
void chain_net_stop(void);

struct chain *chain_new(void);
void chain_free(struct chain *c);
SCOPE_DEFINE(struct chain, chain_free)
/* The status of an answer by the gateway, once it is done with the request; 0 when there was none.
 * body NULL = GET. */
int chain_ask(struct chain *c, const char *path, const char *authorization, const char *body);
/* Lets relay, converter and notification work, a minute of the test's time per round, until nothing
 * is left to do. */
void chain_settle(struct chain *c);
/* While it is, no malloc of ours succeeds. */
void chain_short_of_memory(bool is_short);
/* Lines that were said so far; how often this one is among them. */
int chain_lines(void);
int chain_said(const char *line);
int64_t chain_jobs(struct chain *c, enum job_state state);

#endif
