/* What the daemons stand on, each chosen by a URL: blobs (BLOBS), the ledger (LEDGER), the queues
 * (QUEUE). A new technology is a folder under adapter/ and a line in one of the tables of blobs.c,
 * ledgers.c, queues.c.
 *
 * Ownership  what a backend gives out is borrowed until backend_close, which closes all of it in
 *            reverse order; config is borrowed as long.
 * Threads    open, watch and close from one thread; what was opened as its port says.
 * Time       no call connects. */
#ifndef TONEARM_BACKEND_BACKEND_H
#define TONEARM_BACKEND_BACKEND_H

#include "base/config/config.h"
#include "base/scope.h"
#include "base/secret.h"
#include "port/blob_store.h"
#include "port/dead_letters.h"
#include "port/ledger.h"
#include "port/queue.h"

struct daemon;

/* A member of the daemon's configuration, filled by the rows below. */
struct backend_config {
	char blobs[1024], ledger[256], queue[256];
	struct secret mongodb_uri, amqp_url;
};

/* The keys of a role: rows for the table of struct s, whose member m is a backend_config. */
#define BACKEND_BLOB_KEYS(s, m)                                                                    \
	CONFIG_KEY_TEXT_CHECKED(                                                                   \
		s, m.blobs, "BLOBS", "gridfs:", backend_check_blobs,                               \
		"where videos and mp3s are: gridfs: (by MONGODB_URI) or dir:/path")
#define BACKEND_LEDGER_KEYS(s, m)                                                                  \
	CONFIG_KEY_TEXT_CHECKED(s, m.ledger, "LEDGER", "mongodb:", backend_check_ledger,           \
				"where jobs are: mongodb: (by MONGODB_URI)"),                      \
		CONFIG_KEY_SECRET_CHECKED(s, m.mongodb_uri, "MONGODB_URI",                         \
					  "mongodb://host.minikube.internal:27017",                \
					  backend_check_mongodb_uri, "MongoDB connection string")
#define BACKEND_QUEUE_KEYS(s, m)                                                                   \
	CONFIG_KEY_TEXT_CHECKED(s, m.queue, "QUEUE", "amqp:", backend_check_queue,                 \
				"where messages are: amqp: (by AMQP_URL)"),                        \
		CONFIG_KEY_SECRET_CHECKED(s, m.amqp_url, "AMQP_URL",                               \
					  "amqp://guest:guest@rabbitmq:5672/",                     \
					  backend_check_amqp_url, "RabbitMQ connection string")
/* The name of a queue, in a char[256] of the daemon's own. */
#define BACKEND_QUEUE_NAME_KEY(s, m, n, d, h)                                                      \
	{                                                                                          \
		.name = n, .type = CONFIG_TEXT, .offset = offsetof(s, m),                          \
		.size = sizeof(((s *)0)->m), .fallback = d, .check = backend_check_queue_name,     \
		.apart = "queue", .help = h                                                        \
	}

/* What the rows above ask, each of its key's text: INVALID says what it may be. */
int backend_check_blobs(const char *url, struct err *e);
int backend_check_ledger(const char *url, struct err *e);
int backend_check_mongodb_uri(const char *uri, struct err *e);
int backend_check_queue(const char *url, struct err *e);
int backend_check_amqp_url(const char *url, struct err *e);
int backend_check_queue_name(const char *name, struct err *e);

struct backend_limits {
	int connections;     /* to one server at most, where it has a pool of them */
	int64_t deadline_ms; /* of any call */
};
struct backend;
int backend_new(const struct backend_config *config, const struct backend_limits *limits,
		struct backend **ret, struct err *e);
void backend_close(struct backend *b);
SCOPE_DEFINE(struct backend, backend_close)

/* At most BACKEND_STORES of them. name: "videos" or "mp3s". */
#define BACKEND_STORES 4
int backend_blobs(struct backend *b, const char *name, struct blob_store **ret, struct err *e);
int backend_ledger(struct backend *b, struct ledger **ret, struct err *e);

struct backend_queue {
	int64_t deadline_ms; /* of a connect or a confirm; 0 = the backend's */
	size_t max_waiting;  /* publishes at once */
	/* See queue_amqp_config. */
	int (*on_missing)(void *arg, const char *queue, struct err *e);
	void *on_missing_arg;
};
/* Each once. */
int backend_publisher(struct backend *b, const struct backend_queue *q, struct publisher **ret,
		      struct err *e);
struct queue_sources {
	const char *const *queues; /* copied */
	size_t count;
	int prefetch; /* messages of each queue at once */
};
int backend_consumer(struct backend *b, const struct backend_queue *q,
		     const struct queue_sources *from, struct consumer **ret, struct err *e);

/* For a command: owned by the caller, and needs nothing else. */
int backend_dead_letters_new(const struct backend_config *config, int64_t deadline_ms,
			     struct dead_letters **ret, struct err *e);

/* Registers what was opened with the daemon: a dependency for each server, and the gauges of its
 * connections. Before daemon_watch; the daemon must have stopped watching before backend_close. */
void backend_watch(struct backend *b, struct daemon *d);

#endif
