/* What the parts of the backend share. Only common/backend includes it. */
#ifndef TONEARM_BACKEND_PRIVATE_H
#define TONEARM_BACKEND_PRIVATE_H

#include "backend/backend.h"
#include "daemon/metrics.h"

struct mongo_pool;

/* A value that a key may have (technology.c). Its table's row has the calls that open it. */
struct technology {
	const char *scheme; /* "dir:" */
	const char *form;   /* as an operator writes it: "dir:/path" */
	/* rest is what stands behind the scheme */
	int (*check)(const char *rest, struct err *e);
};
/* The one that url begins with; NULL, and INVALID that names all forms. The list ends with NULL. */
const struct technology *technology_find(const char *url, const struct technology *const *all,
					 struct err *e);
/* Whether url is one of them: what its check says. */
int technology_check(const char *url, const struct technology *const *all, struct err *e);
/* A check for a scheme behind which nothing stands. */
int technology_bare(const char *rest, struct err *e);

/* Everything that one server is asked at each look of the daemon. */
#define SERVERS_MAX 4
#define PINGS_MAX 8
struct server {
	const char *name; /* as an operator says it */
	size_t count;
	struct server_ping {
		int (*ping)(void *arg, struct err *e);
		void *arg;
	} pings[PINGS_MAX];
};

struct backend {
	/* set once */
	const struct backend_config *config;
	struct backend_limits limits;
	/* opened as they are asked for */
	struct mongo_pool *mongo; /* shared by blobs and ledger */
	struct blob_store *stores[BACKEND_STORES];
	size_t store_count;
	struct ledger *ledger;
	struct publisher *publisher;
	struct consumer *consumer;
	struct server servers[SERVERS_MAX];
	size_t server_count;
	struct metric *mongo_clients;
};

/* One more thing to ask of a server (server.c). */
int backend_server(struct backend *b, const char *name, int (*ping)(void *arg, struct err *e),
		   void *arg, struct err *e);

/* The pool of MongoDB's clients (mongo.c), made when it is first needed. */
#define SERVER_MONGODB "mongodb"
int backend_mongo(struct backend *b, struct mongo_pool **ret, struct err *e);
void backend_mongo_watch(struct backend *b, struct metrics *m);
void backend_mongo_close(struct backend *b);

#endif
