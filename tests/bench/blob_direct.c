/* Ours without the gateway, to be compared with peer_gridfs: the same arguments, the same lines.
 *   blob_direct URI upload BYTES PARALLEL | URI download ID PARALLEL | URI slow ID PARALLEL
 * slow pauses between reads, as a client behind a thin line. The last word is the peak RSS in KiB
 * above the start. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "adapter/blob_gridfs.h"
#include "base/clock.h"

#define PIECE (64 * 1024)
#define TASKS_MAX 64

struct task {
	struct blob_store *store;
	struct blob_id id;
	int64_t bytes;
	long pause_ns;
	int result;
	pthread_t thread;
};

static long
peak_kib(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[128];
	long kib = 0;

	while (f && fgets(line, sizeof line, f))
		if (strncmp(line, "VmHWM:", 6) == 0)
			kib = strtol(line + 6, NULL, 10);
	if (f)
		(void)fclose(f);
	return kib;
}

static void *
upload(void *arg)
{
	static const char piece[PIECE] = { 1 };
	SCOPED(blob_writer_close_p) struct blob_writer *w = NULL;
	struct task *t = arg;
	struct err e = ERR_NONE;

	t->id = blob_id_new();
	t->result =
		blob_create(t->store, &t->id, &(struct blob_meta){ 0 }, BLOB_HEAD_STREAMED, &w, &e);
	for (int64_t left = t->bytes; t->result == 0 && left > 0; left -= PIECE)
		t->result = blob_write(w, piece, left < PIECE ? (size_t)left : PIECE, &e);
	if (t->result == 0)
		t->result = blob_commit(w, &e);
	if (t->result < 0)
		(void)fprintf(stderr, "%s\n", e.text);
	return NULL;
}

static void *
download(void *arg)
{
	SCOPED(blob_reader_close_p) struct blob_reader *r = NULL;
	struct timespec pause = { 0 };
	struct task *t = arg;
	struct err e = ERR_NONE;
	char piece[PIECE];
	size_t got = 1;

	pause.tv_nsec = t->pause_ns;
	t->result = blob_open(t->store, &t->id, &r, &e);
	while (t->result == 0 && got > 0) {
		t->result = blob_read(r, piece, sizeof piece, &got, &e);
		t->bytes += t->result == 0 ? (int64_t)got : 0;
		if (t->pause_ns)
			(void)nanosleep(&pause, NULL);
	}
	if (t->result < 0)
		(void)fprintf(stderr, "%s\n", e.text);
	return NULL;
}

static int
run(struct blob_store *s, char **argv, int parallel)
{
	int uploading = strcmp(argv[2], "upload") == 0, failed = 0;
	int64_t began = now_monotonic_ms();
	struct task tasks[TASKS_MAX] = { 0 };
	long before = peak_kib();

	for (int i = 0; i < parallel; i++) {
		tasks[i] = (struct task){ .store = s,
					  .pause_ns = strcmp(argv[2], "slow") ? 0 : 1000000 };
		if (uploading)
			tasks[i].bytes = strtoll(argv[3], NULL, 10);
		else
			(void)blob_id_parse(argv[3], &tasks[i].id);
		(void)pthread_create(&tasks[i].thread, NULL, uploading ? upload : download,
				     &tasks[i]);
	}
	for (int i = 0; i < parallel; i++) {
		(void)pthread_join(tasks[i].thread, NULL);
		failed |= tasks[i].result < 0;
	}
	if (uploading)
		(void)printf("%s", tasks[0].id.hex);
	else
		(void)printf("%lld", (long long)tasks[0].bytes);
	(void)printf(" %.3f %ld\n", (double)(now_monotonic_ms() - began) / 1e3,
		     peak_kib() - before);
	return failed;
}

int
main(int argc, char **argv)
{
	SCOPED(mongo_pool_free_p) struct mongo_pool *pool = NULL;
	SCOPED(blob_store_close_p) struct blob_store *s = NULL;
	int parallel = argc == 5 ? (int)strtol(argv[4], NULL, 10) : 0;
	struct err e = ERR_NONE;

	if (parallel < 1 || parallel > TASKS_MAX)
		return 2;
	if (mongo_pool_new(&(struct mongo_pool_config){ argv[1], 64, 3000 }, &pool, &e) < 0 ||
	    blob_gridfs_new(pool, "peer", &s, &e) < 0 || blob_store_ping(s, &e) < 0) {
		(void)fprintf(stderr, "%s\n", e.text);
		return 1;
	}
	return run(s, argv, parallel);
}
