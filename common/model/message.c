#include "model/message.h"

#include <stdlib.h>
#include <string.h>

/* Of text that a copy holds: NULL stays NULL. */
static size_t
message_text_size(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

static const char *
message_put_text(char **at, const char *text)
{
	size_t size = message_text_size(text);
	char *to = *at;

	if (!text)
		return NULL;
	memcpy(to, text, size);
	*at += size;
	return to;
}

bool
message_name_is_free(const char *name)
{
	return name[0] != '\0' && strncmp(name, "x-", 2) != 0;
}

int
message_check(const struct message *m, struct err *e)
{
	if (!m->destination || m->destination[0] == '\0')
		return err_set(e, ERR_INVALID, "a message without a destination");
	if (strlen(m->destination) > MESSAGE_DESTINATION_MAX || m->len > MESSAGE_BODY_MAX ||
	    (m->key && strlen(m->key) > MESSAGE_KEY_MAX) || m->header_count > MESSAGE_HEADERS_MAX)
		return err_set(e, ERR_TOO_LARGE, "queue name or message too long");
	for (size_t i = 0; i < m->header_count; i++) {
		if (!message_name_is_free(m->headers[i].name))
			return err_set(e, ERR_INVALID, "a header may not be called \"%.63s\"",
				       m->headers[i].name);
		if (strlen(m->headers[i].name) > MESSAGE_HEADER_NAME_MAX ||
		    strlen(m->headers[i].value) > MESSAGE_HEADER_VALUE_MAX)
			return err_set(e, ERR_TOO_LARGE, "header %.63s too long",
				       m->headers[i].name);
	}
	return 0;
}

const char *
message_header(const struct message *m, const char *name)
{
	for (size_t i = 0; i < m->header_count; i++)
		if (strcmp(m->headers[i].name, name) == 0)
			return m->headers[i].value;
	return NULL;
}

/* The headers stand behind the body, where they are aligned. */
static size_t
message_headers_offset(const struct message *m)
{
	size_t align = _Alignof(struct message_header);

	return (m->len + 1 + align - 1) / align * align;
}

size_t
message_size(const struct message *m)
{
	size_t size = message_headers_offset(m) + m->header_count * sizeof *m->headers +
		      message_text_size(m->destination) + message_text_size(m->key);

	for (size_t i = 0; i < m->header_count; i++)
		size += message_text_size(m->headers[i].name) +
			message_text_size(m->headers[i].value);
	return size;
}

int
message_copy(const struct message *m, struct message *ret, char **ret_block, struct err *e)
{
	char *block = malloc(message_size(m)), *at;
	struct message_header *headers;

	if (!block)
		return err_set(e, ERR_NO_MEMORY, "message");
	if (m->body && m->len > 0)
		memcpy(block, m->body, m->len);
	block[m->len] = '\0';
	headers = (void *)(block + message_headers_offset(m));
	at = (char *)(headers + m->header_count);
	*ret = (struct message){ .destination = message_put_text(&at, m->destination),
				 .key = message_put_text(&at, m->key),
				 .headers = headers,
				 .header_count = m->header_count,
				 .body = block,
				 .len = m->len };
	for (size_t i = 0; i < m->header_count; i++) {
		headers[i].name = message_put_text(&at, m->headers[i].name);
		headers[i].value = message_put_text(&at, m->headers[i].value);
	}
	*ret_block = block;
	return 0;
}
