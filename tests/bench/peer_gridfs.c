/* The peer of the upload and download figures: mongo-c-driver's own GridFS, as its users call it.
 *   peer_gridfs URI upload BYTES PARALLEL      -> prints "id seconds-in-total"
 *   peer_gridfs URI download ID PARALLEL       -> prints "bytes seconds-in-total"
 * Write concern majority; ours waits for the journal too, with its files document. The bytes are
 * the same pseudo-random megabyte repeated. */
#include <mongoc/mongoc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PIECE (1024 * 1024)

struct task {
	mongoc_client_pool_t *pool;
	int64_t bytes;
	bson_oid_t id;
	int upload, failed;
	pthread_t thread;
};

static double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
fill(char *piece)
{
	uint64_t x = 88172645463325252ULL;

	for (size_t i = 0; i < PIECE; i += sizeof x) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(piece + i, &x, sizeof x);
	}
}

static void
upload(struct task *t, mongoc_gridfs_bucket_t *bucket, char *piece)
{
	mongoc_stream_t *out;
	bson_value_t id;
	bson_error_t e;

	out = mongoc_gridfs_bucket_open_upload_stream(bucket, "bench", NULL, &id, &e);
	t->failed = out == NULL;
	for (int64_t left = t->bytes; !t->failed && left > 0;) {
		size_t n = left < PIECE ? (size_t)left : PIECE;

		t->failed = mongoc_stream_write(out, piece, n, 0) != (ssize_t)n;
		left -= (int64_t)n;
	}
	if (out) {
		t->failed |= mongoc_stream_close(out) != 0;
		mongoc_stream_destroy(out);
		t->id = id.value.v_oid;
		bson_value_destroy(&id);
	}
}

static void
download(struct task *t, mongoc_gridfs_bucket_t *bucket, char *piece)
{
	bson_value_t id = { .value_type = BSON_TYPE_OID };
	mongoc_stream_t *in;
	bson_error_t e;
	ssize_t n;

	id.value.v_oid = t->id;
	in = mongoc_gridfs_bucket_open_download_stream(bucket, &id, &e);
	t->failed = in == NULL;
	while (in && (n = mongoc_stream_read(in, piece, PIECE, 1, 0)) > 0)
		t->bytes += n;
	if (in)
		mongoc_stream_destroy(in);
}

static void *
work(void *arg)
{
	struct task *t = arg;
	mongoc_client_t *client = mongoc_client_pool_pop(t->pool);
	mongoc_database_t *db = mongoc_client_get_database(client, "peer");
	mongoc_write_concern_t *wc = mongoc_write_concern_new();
	bson_t opts = BSON_INITIALIZER;
	mongoc_gridfs_bucket_t *bucket;
	char *piece = malloc(PIECE);
	bson_error_t e;

	mongoc_write_concern_set_w(wc, MONGOC_WRITE_CONCERN_W_MAJORITY);
	(void)mongoc_write_concern_append(wc, &opts);
	bucket = mongoc_gridfs_bucket_new(db, &opts, NULL, &e);
	fill(piece);
	if (t->upload)
		upload(t, bucket, piece);
	else
		download(t, bucket, piece);
	free(piece);
	mongoc_gridfs_bucket_destroy(bucket);
	bson_destroy(&opts);
	mongoc_write_concern_destroy(wc);
	mongoc_database_destroy(db);
	mongoc_client_pool_push(t->pool, client);
	return NULL;
}

int
main(int argc, char **argv)
{
	struct task tasks[64] = { 0 };
	mongoc_client_pool_t *pool;
	mongoc_uri_t *uri;
	int parallel, failed = 0;
	double start;

	if (argc != 5 || (parallel = (int)strtol(argv[4], NULL, 10)) < 1 || parallel > 64) {
		(void)fprintf(stderr, "usage: peer_gridfs URI upload BYTES PARALLEL | URI download "
				      "ID PARALLEL\n");
		return 2;
	}
	mongoc_init();
	uri = mongoc_uri_new(argv[1]);
	pool = mongoc_client_pool_new(uri);
	start = now();
	for (int i = 0; i < parallel; i++) {
		tasks[i].pool = pool;
		tasks[i].upload = strcmp(argv[2], "upload") == 0;
		if (tasks[i].upload)
			tasks[i].bytes = strtoll(argv[3], NULL, 10);
		else
			bson_oid_init_from_string(&tasks[i].id, argv[3]);
		(void)pthread_create(&tasks[i].thread, NULL, work, &tasks[i]);
	}
	for (int i = 0; i < parallel; i++) {
		(void)pthread_join(tasks[i].thread, NULL);
		failed |= tasks[i].failed;
	}
	if (tasks[0].upload) {
		char hex[25];

		bson_oid_to_string(&tasks[0].id, hex);
		(void)printf("%s %.4f\n", hex, now() - start);
	} else {
		(void)printf("%lld %.4f\n", (long long)tasks[0].bytes, now() - start);
	}
	mongoc_client_pool_destroy(pool);
	mongoc_uri_destroy(uri);
	mongoc_cleanup();
	return failed;
}
