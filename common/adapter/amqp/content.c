#include "adapter/amqp/private.h"

#include <stdlib.h>
#include <string.h>

void
content_amqp_reset(struct content_amqp *c)
{
	free(c->block);
	*c = (struct content_amqp){ 0 };
}

static void
content_read_message_id(struct content_amqp *c, const amqp_basic_properties_t *p)
{
	char text[24];

	if (!p || !(p->_flags & AMQP_BASIC_MESSAGE_ID_FLAG) || p->message_id.len >= sizeof text)
		return;
	memcpy(text, p->message_id.bytes, p->message_id.len);
	text[p->message_id.len] = '\0';
	c->message_id = strtoull(text, NULL, 10);
}

/* Text of the wire; false where it is none, or longer than max. */
static bool
content_read_text(const amqp_bytes_t *bytes, char *to, size_t max)
{
	if (bytes->len > max || (bytes->len > 0 && memchr(bytes->bytes, '\0', bytes->len)))
		return false;
	if (bytes->len > 0)
		memcpy(to, bytes->bytes, bytes->len);
	to[bytes->len] = '\0';
	return true;
}

/* A message's key and headers on their way from the wire into its block. */
struct content_texts {
	char key[MESSAGE_KEY_MAX + 1];
	char names[MESSAGE_HEADERS_MAX][MESSAGE_HEADER_NAME_MAX + 1];
	char values[MESSAGE_HEADERS_MAX][MESSAGE_HEADER_VALUE_MAX + 1];
	struct message_header headers[MESSAGE_HEADERS_MAX];
};

/* What is no text, too long, one too many or the broker's own is left out. */
static size_t
content_read_headers(const amqp_table_t *table, struct content_texts *t)
{
	size_t n = 0;

	for (int i = 0; i < table->num_entries && n < MESSAGE_HEADERS_MAX; i++) {
		const amqp_table_entry_t *h = &table->entries[i];

		if (h->value.kind != AMQP_FIELD_KIND_UTF8 ||
		    !content_read_text(&h->key, t->names[n], MESSAGE_HEADER_NAME_MAX) ||
		    !message_name_is_free(t->names[n]) ||
		    !content_read_text(&h->value.value.bytes, t->values[n],
				       MESSAGE_HEADER_VALUE_MAX))
			continue;
		t->headers[n] = (struct message_header){ t->names[n], t->values[n] };
		n++;
	}
	return n;
}

static int
content_begin(struct content_amqp *c, const amqp_frame_t *frame, struct err *e)
{
	const amqp_basic_properties_t *p = frame->payload.properties.decoded;
	struct message m = { .destination = "" };
	struct content_texts texts;
	int r;

	content_amqp_reset(c);
	c->open = true;
	c->size = frame->payload.properties.body_size;
	content_read_message_id(c, p);
	/* what is longer than any message of ours is cut: it cannot be read, and is buried */
	c->room = m.len = c->size < MESSAGE_BODY_MAX ? (size_t)c->size : MESSAGE_BODY_MAX;
	if (p && (p->_flags & AMQP_BASIC_CORRELATION_ID_FLAG) && p->correlation_id.len > 0 &&
	    content_read_text(&p->correlation_id, texts.key, MESSAGE_KEY_MAX))
		m.key = texts.key;
	if (p && (p->_flags & AMQP_BASIC_HEADERS_FLAG))
		m.header_count = content_read_headers(&p->headers, &texts);
	m.headers = texts.headers;
	if ((r = message_copy(&m, &c->message, &c->block, e)) < 0)
		return r;
	c->message.len = 0;
	c->block[0] = '\0';
	return c->size == 0;
}

int
content_amqp_take(struct content_amqp *c, const amqp_frame_t *frame, struct err *e)
{
	size_t n;

	if (frame->frame_type == AMQP_FRAME_HEADER)
		return content_begin(c, frame, e);
	if (!c->open)
		return 0;
	n = frame->payload.body_fragment.len;
	c->seen += n;
	if (n > c->room - c->message.len)
		n = c->room - c->message.len;
	memcpy(c->block + c->message.len, frame->payload.body_fragment.bytes, n);
	c->message.len += n;
	c->block[c->message.len] = '\0';
	return c->seen >= c->size;
}
