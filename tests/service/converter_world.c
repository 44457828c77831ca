#include "service/converter_world.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

#include "converter/permit.h"
#include "flow/job_routes.h"

struct shelf_reader {
	struct bytes_reader inner;
	struct blob_reader port;
	struct shelf *shelf;
};
struct shelf_writer {
	struct blob_writer port;
	struct shelf *shelf;
	struct shelf_blob blob;
};

static int
shelf_read(struct blob_reader *port, void *to, size_t size, size_t *ret_got, struct err *e)
{
	struct shelf_reader *r = CONTAINER_OF(port, struct shelf_reader, port);

	return blob_read(&r->inner.port, to, size, ret_got, e);
}

static int
shelf_seek(struct blob_reader *port, int64_t offset, struct err *e)
{
	return blob_seek(&CONTAINER_OF(port, struct shelf_reader, port)->inner.port, offset, e);
}

static void
shelf_reader_close(struct blob_reader *port)
{
	struct shelf_reader *r = CONTAINER_OF(port, struct shelf_reader, port);

	r->shelf->open--;
	free(r);
}

static int
shelf_write(struct blob_writer *port, const void *data, size_t len, struct err *e)
{
	struct shelf_writer *w = CONTAINER_OF(port, struct shelf_writer, port);

	(void)e;
	assert_true(len <= sizeof w->blob.bytes - w->blob.len);
	memcpy(w->blob.bytes + w->blob.len, data, len);
	w->blob.len += len;
	return 0;
}

static int
shelf_patch(struct blob_writer *port, int64_t offset, const void *data, size_t len, struct err *e)
{
	(void)port;
	(void)offset;
	(void)data;
	(void)len;
	return err_set(e, ERR_INTERNAL, "nothing here patches");
}

static int
shelf_commit(struct blob_writer *port, struct err *e)
{
	struct shelf_writer *w = CONTAINER_OF(port, struct shelf_writer, port);
	struct shelf *s = w->shelf;
	int fail = s->fail_commit;

	s->fail_commit = 0;
	if (fail)
		return err_set(e, fail, "the commit fails as ordered");
	if (!blob_id_is_none(&s->rival)) {
		(void)world_shelve(s, "rival", &w->blob.meta.video_fid);
		s->blobs[s->count - 1].id = s->rival;
		s->rival = (struct blob_id){ "" };
		if (s->one_per_video)
			return err_set(e, ERR_CONFLICT, "a rival was faster");
	}
	s->blobs[s->count++] = w->blob;
	return 0;
}

static void
shelf_writer_close(struct blob_writer *port)
{
	struct shelf_writer *w = CONTAINER_OF(port, struct shelf_writer, port);

	w->shelf->open--;
	free(w);
}

static const struct blob_reader_ops reader_ops = { shelf_read, shelf_seek, shelf_reader_close };
static const struct blob_writer_ops writer_ops = {
	.write = shelf_write,
	.patch = shelf_patch,
	.commit = shelf_commit,
	.close = shelf_writer_close,
};

static int
shelf_open(struct blob_store *port, const struct blob_id *id, struct blob_reader **ret,
	   struct err *e)
{
	struct shelf *s = CONTAINER_OF(port, struct shelf, port);
	struct shelf_reader *r;

	if (s->fail)
		return err_set(e, s->fail, "the store fails as ordered");
	for (int i = 0; i < s->count; i++) {
		if (!blob_id_equal(&s->blobs[i].id, id))
			continue;
		r = calloc(1, sizeof *r);
		assert_non_null(r);
		r->inner = bytes_reader_over(s->blobs[i].bytes, s->blobs[i].len);
		r->port = (struct blob_reader){ .ops = &reader_ops, .info = r->inner.port.info };
		r->port.info.length = (int64_t)s->blobs[i].len;
		r->shelf = s;
		s->open++;
		*ret = &r->port;
		return 0;
	}
	return err_set(e, ERR_NOT_FOUND, "no such blob");
}

static int
shelf_create(struct blob_store *port, const struct blob_id *id, const struct blob_meta *meta,
	     struct blob_writer **ret, struct err *e)
{
	struct shelf *s = CONTAINER_OF(port, struct shelf, port);
	struct shelf_writer *w;

	if (s->fail)
		return err_set(e, s->fail, "the store fails as ordered");
	w = calloc(1, sizeof *w);
	assert_non_null(w);
	w->port = (struct blob_writer){ .ops = &writer_ops, .id = *id };
	w->blob.id = *id;
	w->blob.meta = *meta;
	w->shelf = s;
	s->open++;
	*ret = &w->port;
	return 0;
}

static int
shelf_remove(struct blob_store *port, const struct blob_id *id, struct err *e)
{
	struct shelf *s = CONTAINER_OF(port, struct shelf, port);

	if (s->fail)
		return err_set(e, s->fail, "the store fails as ordered");
	for (int i = 0; i < s->count; i++)
		if (blob_id_equal(&s->blobs[i].id, id))
			s->blobs[i] = s->blobs[--s->count];
	return 0;
}

static int
shelf_ping(struct blob_store *port, struct err *e)
{
	struct shelf *s = CONTAINER_OF(port, struct shelf, port);

	(void)e;
	(void)atomic_fetch_add(&s->pings, 1);
	return s->fail;
}

static void
shelf_close(struct blob_store *port)
{
	(void)port;
}

static const struct blob_store_ops shelf_ops = { .open = shelf_open,
						 .create = shelf_create,
						 .remove = shelf_remove,
						 .ping = shelf_ping,
						 .close = shelf_close };

static int
note_publish(struct publisher *port, const struct message *m, struct err *e)
{
	struct spoken *s = CONTAINER_OF(port, struct spoken, publisher);

	if (s->fail_publish)
		return err_set(e, s->fail_publish, "the broker is away as ordered");
	s->published++;
	(void)snprintf(s->queue, sizeof s->queue, "%s", m->destination);
	(void)snprintf(s->body, sizeof s->body, "%.*s", (int)m->len, m->body);
	return 0;
}

static int
note_ack(struct consumer *port, const struct queue_delivery *d, struct err *e)
{
	(void)d;
	(void)e;
	CONTAINER_OF(port, struct spoken, consumer)->acked++;
	return 0;
}

static int
note_requeue(struct consumer *port, const struct queue_delivery *d, struct err *e)
{
	(void)d;
	(void)e;
	CONTAINER_OF(port, struct spoken, consumer)->requeued++;
	return 0;
}

static int
note_bury(struct consumer *port, const struct queue_delivery *d, const char *reason, struct err *e)
{
	struct spoken *s = CONTAINER_OF(port, struct spoken, consumer);

	(void)d;
	(void)e;
	s->buried++;
	(void)snprintf(s->reason, sizeof s->reason, "%s", reason);
	return 0;
}

static const struct publisher_ops publisher_ops = { .publish = note_publish };
static const struct consumer_ops consumer_ops = { .ack = note_ack,
						  .requeue = note_requeue,
						  .bury = note_bury };

static void
note_end(void *arg, const char *result, int64_t duration_ms)
{
	struct world *w = arg;

	assert_true(duration_ms >= 0);
	(void)snprintf(w->result, sizeof w->result, "%s", result);
}

struct world *
world_new(void)
{
	struct world *w = calloc(1, sizeof *w);
	struct converter *c;

	assert_non_null(w);
	c = &w->converter;
	w->videos.port.ops = w->mp3s.port.ops = &shelf_ops;
	w->spoken.publisher.ops = &publisher_ops;
	w->spoken.consumer.ops = &consumer_ops;
	assert_int_equal(job_fake_new(NULL, &w->ledger, NULL), 0);
	c->jobs = &w->ledger->life;
	fair_init(&w->fair);
	c->fair = &w->fair;
	assert_int_equal(encoder_fake_new(&c->encoder, NULL), 0);
	w->video = world_shelve(&w->videos, "a film with sound", NULL);
	c->videos = &w->videos.port;
	c->mp3s = &w->mp3s.port;
	w->routes[0] = job_route_mp3("mp3");
	w->routes[1] = job_route_failed("failed");
	w->outbox = (struct outbox){ &w->ledger->outbox, w->routes, ARRAY_LEN(w->routes) };
	c->announcer =
		(struct relay_announcer){ .outbox = &w->outbox, .publisher = &w->spoken.publisher };
	c->owner = "test/1";
	c->lease_ms = 60000;
	c->hand_back = &w->hand_back;
	c->on_end = note_end;
	c->on_end_arg = w;
	return w;
}

void
world_free(struct world *w)
{
	if (!w)
		return;
	assert_int_equal(w->videos.open, 0);
	assert_int_equal(w->mp3s.open, 0);
	encoder_close(w->converter.encoder);
	ledger_close(w->ledger);
	fair_fini(&w->fair);
	free(w);
}

struct blob_id
world_shelve(struct shelf *s, const char *text, const struct blob_id *video)
{
	struct shelf_blob *blob = &s->blobs[s->count++];

	assert_true(s->count <= SHELF_MAX);
	blob->id = blob_id_new();
	if (video)
		blob->meta.video_fid = *video;
	blob->len = strlen(text);
	memcpy(blob->bytes, text, blob->len);
	return blob->id;
}

struct job
world_lease(struct world *w)
{
	struct job job = { .video_fid = w->video,
			   .username = "user@example.org",
			   .state = JOB_QUEUED,
			   .source = { .filename = "my film.mp4" } };
	struct job leased;

	assert_int_equal(job_create(w->converter.jobs, &job, NULL), 0);
	assert_int_equal(job_lease_oldest(w->converter.jobs,
					  &(struct job_lease_terms){ "test/1", 60000 }, NULL, 0,
					  &leased, NULL),
			 0);
	return leased;
}

struct job
world_lease_again(struct world *w, struct blob_id *ret_earlier)
{
	const struct job_lease_terms terms = { "test/1", 60000 };
	struct job job = world_lease(w), again;

	*ret_earlier = job.lease.output;
	assert_int_equal(job_hand_back(w->converter.jobs, &job.lease, NULL, NULL), 0);
	assert_int_equal(job_lease_one(w->converter.jobs, &terms, &w->video, &again, NULL), 0);
	return again;
}

struct job
world_job(struct world *w)
{
	struct job job;

	assert_int_equal(job_get(w->converter.jobs, &w->video, &job, NULL), 0);
	return job;
}

int
world_take(struct world *w, const char *body, struct job *ret_job)
{
	char copy[1024];
	struct queue_delivery d = {
		.message = { .destination = "video", .body = copy, .len = strlen(body) }
	};

	(void)snprintf(copy, sizeof copy, "%s", body);
	return (int)permit_take(&w->converter, &w->spoken.consumer, &d, ret_job);
}
