/* Fuzz target: the first two bytes split the body; whole and split feeds must agree. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	uint64_t hash;
	int open;
};

static void
mix(struct seen *s, const void *data, size_t len)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++)
		s->hash = (s->hash ^ p[i]) * 1099511628211u;
}

static int
on_begin(void *arg, const struct multipart_part *part, struct err *e)
{
	struct seen *s = arg;

	(void)e;
	if (s->open++ != 0)
		abort();
	mix(s, part->name, strlen(part->name) + 1);
	mix(s, part->filename, strlen(part->filename) + 1);
	mix(s, part->content_type, strlen(part->content_type) + 1);
	return 0;
}

static int
on_data(void *arg, const char *data, size_t len, struct err *e)
{
	struct seen *s = arg;

	(void)e;
	if (s->open != 1 || len == 0)
		abort();
	mix(s, data, len);
	return 0;
}

static int
on_end(void *arg, struct err *e)
{
	struct seen *s = arg;

	(void)e;
	if (s->open-- != 1)
		abort();
	mix(s, ">", 1);
	return 0;
}

static int
run(const char *body, size_t len, size_t split, struct seen *seen)
{
	static const struct multipart_events events = { on_begin, on_data, on_end };
	static struct multipart m;
	int r;

	*seen = (struct seen){ 0 };
	if ((r = multipart_init(&m, "multipart/form-data; boundary=b", &events, seen, NULL)) < 0 ||
	    (r = multipart_feed(&m, body, split, NULL)) < 0 ||
	    (r = multipart_feed(&m, body + split, len - split, NULL)) < 0)
		return r;
	return multipart_finish(&m, NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct multipart m;
	struct seen whole, split;
	const char *body;
	char type[300];
	size_t len, at;

	if (size < 2)
		return 0;
	body = (const char *)data + 2;
	len = size - 2;
	at = len ? (size_t)(data[0] | data[1] << 8) % (len + 1) : 0;
	if (run(body, len, 0, &whole) != run(body, len, at, &split) || whole.hash != split.hash)
		abort();
	len = len < sizeof type - 1 ? len : sizeof type - 1;
	memcpy(type, body, len);
	type[len] = '\0';
	(void)multipart_init(&m, type, &(struct multipart_events){ on_begin, on_data, on_end },
			     &whole, NULL);
	return 0;
}
