#include "worker/output.h"

#include <string.h>

#include "worker/channel.h"

void
output_begin(struct output *o, int fd)
{
	o->fd = fd;
	o->written = o->held_at = 0;
	o->waiting_len = 0;
}

void
output_end(struct output *o)
{
	if (o->waiting_len > 0)
		channel_write(o->fd, o->waiting, o->waiting_len);
	o->waiting_len = 0;
}

void
output_write(struct output *o, const void *data, size_t len)
{
	const uint8_t *at = data;

	o->written += (int64_t)len;
	if (len > sizeof o->waiting - o->waiting_len)
		output_end(o);
	while (len > sizeof o->waiting) {
		size_t piece = len < WORKER_PAYLOAD_MAX ? len : WORKER_PAYLOAD_MAX;

		channel_write(o->fd, at, piece);
		at += piece;
		len -= piece;
	}
	memcpy(o->waiting + o->waiting_len, at, len);
	o->waiting_len += len;
}

void
output_hold(struct output *o, size_t len)
{
	output_end(o);
	o->held_at = o->written;
	channel_hold(o->fd, len);
}

void
output_patch(struct output *o, size_t at, const void *data, size_t len)
{
	output_end(o);
	channel_patch(o->fd, o->held_at + (int64_t)at, data, len);
}
