/* A converter among fakes: two small blob stores in memory, the ledger's and the encoder's fakes,
 * and queues that note what was said to them. */
#ifndef TONEARM_SERVICE_CONVERTER_WORLD_H
#define TONEARM_SERVICE_CONVERTER_WORLD_H

#include "converter/converter.h"
#include "fake/bytes_blob.h"
#include "fake/encoder_fake.h"
#include "fake/job/job_fake.h"

#define SHELF_MAX 8

struct shelf_blob {
	struct blob_id id;
	struct blob_meta meta;
	char bytes[256];
	size_t len;
};
/* A blob store that holds a few small blobs. */
struct shelf {
	struct blob_store port;
	struct shelf_blob blobs[SHELF_MAX];
	int count;
	atomic_int fail; /* every call answers this code; 0 = none */
	atomic_int pings;
	int fail_commit;      /* the next commit answers this code, once */
	struct blob_id rival; /* is there, with a rival's output, just before the next commit */
	bool one_per_video;   /* then that commit is a conflict */
	int open;             /* readers and writers that were not closed */
};

struct spoken {
	struct publisher publisher;
	struct consumer consumer;
	int fail_publish;
	int published, acked, requeued, buried;
	char queue[64], body[1024]; /* of the last publish */
	char reason[256];           /* of the last burial */
};

struct world {
	struct converter converter;
	struct outbox_route routes[2];
	struct outbox outbox;
	struct ledger *ledger;
	struct fair fair;
	struct shelf videos, mp3s;
	struct spoken spoken;
	struct blob_id video;
	atomic_bool hand_back;
	char result[32]; /* of the last attempt that ended */
};

/* One user, one stored video, nothing queued. */
struct world *world_new(void);
void world_free(struct world *w);
SCOPE_DEFINE(struct world, world_free)
/* Queues a job for the video and leases it. */
struct job world_lease(struct world *w);
/* The same, the second time: *ret_earlier is what the first attempt registered for its output. */
struct job world_lease_again(struct world *w, struct blob_id *ret_earlier);
struct job world_job(struct world *w);
struct blob_id world_shelve(struct shelf *s, const char *text, const struct blob_id *video);
/* What permit_take makes of a message of these words. */
int world_take(struct world *w, const char *body, struct job *ret_job);

#endif
