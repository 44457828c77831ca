#include "fake/encoder_fake.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct encoder_fake {
	struct encoder port;
	pthread_mutex_t lock;
	/* under lock */
	int fail, held, begun;
	struct job_error why;
	struct media_spec spec;
	bool hold;
};

static struct encoder_fake *
self_of(struct encoder *port)
{
	return CONTAINER_OF(port, struct encoder_fake, port);
}

static int
progress(const struct encode_watch *watch, double fraction, struct err *e)
{
	return watch && watch->progress
		       ? watch->progress(watch->arg, &(struct encode_progress){ fraction, 1 }, e)
		       : 0;
}

static bool
is_held(struct encoder_fake *f)
{
	bool hold;

	pthread_mutex_lock(&f->lock);
	hold = f->hold;
	pthread_mutex_unlock(&f->lock);
	return hold;
}

static void
count_held(struct encoder_fake *f, int by)
{
	pthread_mutex_lock(&f->lock);
	f->held += by;
	pthread_mutex_unlock(&f->lock);
}

static int
wait_while_held(struct encoder_fake *f, const struct encode_watch *watch, struct err *e)
{
	int r;

	count_held(f, 1);
	while ((r = progress(watch, 0.5, e)) == 0 && is_held(f))
		(void)nanosleep(&(struct timespec){ 0, 2000000 }, NULL);
	count_held(f, -1);
	return r;
}

static int
copy(struct blob_reader *in, struct blob_writer *out, int64_t *ret_bytes, struct err *e)
{
	char buffer[4096];
	size_t got;
	int r;

	*ret_bytes = 0;
	while ((r = blob_read(in, buffer, sizeof buffer, &got, e)) == 0 && got > 0) {
		if ((r = blob_write(out, buffer, got, e)) < 0)
			return r;
		*ret_bytes += (int64_t)got;
	}
	return r;
}

static int
encoder_fake_encode(struct encoder *port, const struct encode_order *order,
		    struct encode_report *ret, struct job_error *ret_why, struct err *e)
{
	struct encoder_fake *f = self_of(port);
	int64_t bytes;
	int fail, r;

	pthread_mutex_lock(&f->lock);
	f->begun++;
	fail = f->fail;
	f->spec = *order->spec;
	*ret_why = fail ? f->why : (struct job_error){ 0 };
	pthread_mutex_unlock(&f->lock);
	if (fail)
		return err_set(e, fail, "the encoder fails as ordered");
	if (order->in->info.length == 0) {
		*ret_why = (struct job_error){ "empty", "the file is empty" };
		return err_set(e, ERR_INVALID, "0 bytes");
	}
	if ((r = wait_while_held(f, order->watch, e)) < 0 ||
	    (r = copy(order->in, order->out, &bytes, e)) < 0)
		return r;
	*ret = (struct encode_report){
		.duration_s = (double)bytes / order->spec->sample_rate,
		.samples = bytes,
		.bytes_written = bytes,
		.bytes_read = order->in->fetched,
		.loudness = { true, true, true, -14.5, 6.25, -1 },
		.warnings = { 1, { { WARNING_GAP_FILLED, 1500, 250, 1 } } },
		.tracks = { 1, { { .codec = "aac", .channels = 2, .taken = true } } },
	};
	return 0;
}

static void
encoder_fake_close(struct encoder *port)
{
	struct encoder_fake *f = self_of(port);

	(void)pthread_mutex_destroy(&f->lock);
	free(f);
}

static const struct encoder_ops ops = { encoder_fake_encode, encoder_fake_close };

int
encoder_fake_new(struct encoder **ret, struct err *e)
{
	struct encoder_fake *f = calloc(1, sizeof *f);

	if (!f)
		return err_set(e, ERR_NO_MEMORY, "encoder: no memory");
	(void)pthread_mutex_init(&f->lock, NULL);
	f->port.ops = &ops;
	*ret = &f->port;
	return 0;
}

void
encoder_fake_fail(struct encoder *port, int code, const struct job_error *why)
{
	struct encoder_fake *f = self_of(port);

	pthread_mutex_lock(&f->lock);
	f->fail = code;
	f->why = why ? *why : (struct job_error){ 0 };
	pthread_mutex_unlock(&f->lock);
}

void
encoder_fake_hold(struct encoder *port, bool hold)
{
	struct encoder_fake *f = self_of(port);

	pthread_mutex_lock(&f->lock);
	f->hold = hold;
	pthread_mutex_unlock(&f->lock);
}

int
encoder_fake_held(struct encoder *port)
{
	struct encoder_fake *f = self_of(port);
	int held;

	pthread_mutex_lock(&f->lock);
	held = f->hold ? f->held : 0;
	pthread_mutex_unlock(&f->lock);
	return held;
}

int
encoder_fake_begun(struct encoder *port)
{
	struct encoder_fake *f = self_of(port);
	int begun;

	pthread_mutex_lock(&f->lock);
	begun = f->begun;
	pthread_mutex_unlock(&f->lock);
	return begun;
}

struct media_spec
encoder_fake_spec(struct encoder *port)
{
	struct encoder_fake *f = self_of(port);
	struct media_spec spec;

	pthread_mutex_lock(&f->lock);
	spec = f->spec;
	pthread_mutex_unlock(&f->lock);
	return spec;
}
