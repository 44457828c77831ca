#include "adapter/amqp/private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
content_reset(struct content *c)
{
	free(c->body);
	*c = (struct content){ 0 };
}

static void
read_message_id(struct content *c, const amqp_basic_properties_t *p)
{
	char text[24];

	if (p == NULL || !(p->_flags & AMQP_BASIC_MESSAGE_ID_FLAG) ||
	    p->message_id.len >= sizeof text)
		return;
	memcpy(text, p->message_id.bytes, p->message_id.len);
	text[p->message_id.len] = '\0';
	c->message_id = strtoull(text, NULL, 10);
}

static int
begin(struct content *c, const amqp_frame_t *frame, struct err *e)
{
	size_t keep;

	content_reset(c);
	c->open = true;
	c->size = frame->payload.properties.body_size;
	read_message_id(c, frame->payload.properties.decoded);
	/* what is longer than any message of ours is cut: it cannot be read, and is buried */
	keep = c->size < CONTENT_MAX ? (size_t)c->size : CONTENT_MAX;
	if ((c->body = malloc(keep + 1)) == NULL)
		return err_set(e, ERR_NO_MEMORY, "message");
	c->body[0] = '\0';
	return c->size == 0;
}

int
content_take(struct content *c, const amqp_frame_t *frame, struct err *e)
{
	size_t n;

	if (frame->frame_type == AMQP_FRAME_HEADER)
		return begin(c, frame, e);
	if (!c->open)
		return 0;
	n = frame->payload.body_fragment.len;
	c->seen += n;
	if (n > CONTENT_MAX - c->len)
		n = CONTENT_MAX - c->len;
	memcpy(c->body + c->len, frame->payload.body_fragment.bytes, n);
	c->len += n;
	c->body[c->len] = '\0';
	return c->seen >= c->size;
}
