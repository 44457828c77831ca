#include "adapter/amqp/private.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <amqp_tcp_socket.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/text/str.h"

#define FRAME_MAX 131072
#define STUCK_MS 10000
#define BACKOFF_FIRST_MS 200
#define BACKOFF_MAX_MS 5000

static char default_vhost[] = "/";

int
link_amqp_init(struct link_amqp *l, const struct queue_amqp_config *config, struct err *e)
{
	int r;

	if (!(l->url = strdup(config->url)))
		return err_set(e, ERR_NO_MEMORY, "queue");
	if ((r = amqp_url_split(l->url, &l->info, e)) < 0)
		return err_prefix(e, r, "AMQP_URL");
	/* "…:5672/" means the default virtual host to every operator, though the URI's rule says an
	 * empty name */
	if (l->info.vhost[0] == '\0')
		l->info.vhost = default_vhost;
	l->heartbeat_s = config->heartbeat_s;
	l->deadline_ms = config->deadline_ms;
	l->on_missing = config->on_missing;
	l->on_missing_arg = config->on_missing_arg;
	l->fd = -1;
	return 0;
}

void
link_amqp_fini(struct link_amqp *l)
{
	link_amqp_drop(l);
	if (l->url)
		free(l->url);
	l->url = NULL;
}

int
link_amqp_status(int status, const char *what, struct err *e)
{
	if (status >= 0)
		return 0;
	return err_set(e, status == AMQP_STATUS_TIMEOUT ? ERR_TIMEOUT : ERR_UNAVAILABLE,
		       "rabbitmq: %s: %s", what, amqp_error_string2(status));
}

int
link_amqp_check(amqp_rpc_reply_t reply, const char *what, struct err *e)
{
	if (reply.reply_type == AMQP_RESPONSE_NORMAL)
		return 0;
	if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION)
		return link_amqp_status(reply.library_error, what, e);
	if (reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD) {
		const amqp_connection_close_t *m = reply.reply.decoded;

		return err_set(e, ERR_UNAVAILABLE, "rabbitmq: %s: %.*s", what,
			       (int)m->reply_text.len, (const char *)m->reply_text.bytes);
	}
	if (reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD) {
		const amqp_channel_close_t *m = reply.reply.decoded;

		return err_set(e, m->reply_code == 404 ? ERR_NOT_FOUND : ERR_DENIED,
			       "rabbitmq: %s: %.*s", what, (int)m->reply_text.len,
			       (const char *)m->reply_text.bytes);
	}
	return err_set(e, ERR_UNAVAILABLE, "rabbitmq: %s: connection lost", what);
}

static int
link_login(struct link_amqp *l, struct err *e)
{
	amqp_table_entry_t capabilities[2] = { 0 }, entries[1] = { 0 };
	amqp_table_t properties = { 1, entries };
	static char blocked[] = "connection.blocked", cancel[] = "consumer_cancel_notify",
		    key[] = "capabilities";

	capabilities[0].key = amqp_cstring_bytes(blocked);
	capabilities[0].value.kind = AMQP_FIELD_KIND_BOOLEAN;
	capabilities[0].value.value.boolean = 1;
	capabilities[1].key = amqp_cstring_bytes(cancel);
	capabilities[1].value.kind = AMQP_FIELD_KIND_BOOLEAN;
	capabilities[1].value.value.boolean = 1;
	entries[0].key = amqp_cstring_bytes(key);
	entries[0].value.kind = AMQP_FIELD_KIND_TABLE;
	entries[0].value.value.table = (amqp_table_t){ 2, capabilities };
	return link_amqp_check(amqp_login_with_properties(l->conn, l->info.vhost, 0, FRAME_MAX,
							  l->heartbeat_s, &properties,
							  AMQP_SASL_METHOD_PLAIN, l->info.user,
							  l->info.password),
			       "log in", e);
}

static int
link_open_channel(struct link_amqp *l, amqp_channel_t channel, struct err *e)
{
	(void)amqp_channel_open(l->conn, channel);
	return link_amqp_check(amqp_get_rpc_reply(l->conn), "open channel", e);
}

static int
link_connect(struct link_amqp *l, struct err *e)
{
	unsigned int stuck_ms = STUCK_MS;
	struct timeval limit = { .tv_sec = l->deadline_ms / 1000,
				 .tv_usec = l->deadline_ms % 1000 * 1000 };
	amqp_socket_t *socket;
	int r;

	if (!(l->conn = amqp_new_connection()) || !(socket = amqp_tcp_socket_new(l->conn)))
		return err_set(e, ERR_NO_MEMORY, "rabbitmq connection");
	(void)amqp_set_handshake_timeout(l->conn, &limit);
	(void)amqp_set_rpc_timeout(l->conn, &limit);
	if ((r = link_amqp_status(
		     amqp_socket_open_noblock(socket, l->info.host, l->info.port, &limit),
		     "connect", e)) < 0 ||
	    (r = link_login(l, e)) < 0)
		return r;
	if ((r = link_open_channel(l, CHANNEL_WORK, e)) < 0 ||
	    (r = link_open_channel(l, CHANNEL_DECLARE, e)) < 0 ||
	    (r = link_open_channel(l, CHANNEL_BURY, e)) < 0)
		return r;
	l->fd = amqp_get_sockfd(l->conn);
	/* rabbitmq-c sends without a limit: a frozen broker whose window is full must not hold the
	 * thread for ever */
	(void)setsockopt(l->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &stuck_ms, sizeof stuck_ms);
	return 0;
}

int
link_amqp_open(struct link_amqp *l, struct err *e)
{
	int r = link_connect(l, e);

	if (r == 0)
		l->failures = 0;
	return r;
}

void
link_amqp_close(struct link_amqp *l)
{
	/* without a goodbye, unread deliveries reset the connection: acks under way are lost */
	if (l->conn)
		(void)amqp_connection_close(l->conn, AMQP_REPLY_SUCCESS);
	link_amqp_drop(l);
}

void
link_amqp_drop(struct link_amqp *l)
{
	int64_t backoff = BACKOFF_FIRST_MS << (l->failures < 5 ? l->failures : 5);
	uint16_t jitter;

	if (l->conn)
		(void)amqp_destroy_connection(l->conn);
	l->conn = NULL;
	l->fd = -1;
	l->blocked = false;
	l->known_count = 0;
	l->failures++;
	if (backoff > BACKOFF_MAX_MS)
		backoff = BACKOFF_MAX_MS;
	/* replicas that lost the same broker do not come back in step */
	random_bytes(&jitter, sizeof jitter);
	l->retry_at_ms = now_monotonic_ms() + backoff / 2 + jitter % (backoff / 2);
}

int
link_amqp_wait_ms(const struct link_amqp *l)
{
	return deadline_left_ms(l->retry_at_ms);
}

static bool
link_is_known(const struct link_amqp *l, const char *queue)
{
	for (int i = 0; i < l->known_count; i++)
		if (strcmp(l->known[i], queue) == 0)
			return true;
	return false;
}

void
link_amqp_forget_queue(struct link_amqp *l, const char *queue)
{
	for (int i = 0; i < l->known_count; i++)
		if (strcmp(l->known[i], queue) == 0)
			memmove(l->known[i], l->known[--l->known_count], sizeof l->known[i]);
}

/* A miss closed the channel by the protocol's rule: confirm that and open it again. */
static int
link_reopen_declare(struct link_amqp *l, struct err *e)
{
	amqp_channel_close_ok_t ok = { 0 };
	int r;

	if ((r = link_amqp_status(
		     amqp_send_method(l->conn, CHANNEL_DECLARE, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok),
		     "close channel", e)) < 0)
		return r;
	return link_open_channel(l, CHANNEL_DECLARE, e);
}

/* What was in the queue is given up first: once it is there again, nobody can tell. */
static int
link_declare_anew(struct link_amqp *l, const char *queue, struct err *e)
{
	int r;

	if ((r = link_reopen_declare(l, e)) < 0 ||
	    (l->on_missing && (r = l->on_missing(l->on_missing_arg, queue, e)) < 0))
		return r;
	(void)amqp_queue_declare(l->conn, CHANNEL_DECLARE, amqp_cstring_bytes(queue), 0, 1, 0, 0,
				 amqp_empty_table);
	return link_amqp_check(amqp_get_rpc_reply(l->conn), queue, e);
}

int
link_amqp_ensure_queue(struct link_amqp *l, const char *queue, struct err *e)
{
	amqp_bytes_t name = amqp_cstring_bytes(queue);
	int r, again;

	if (link_is_known(l, queue))
		return 0;
	(void)amqp_queue_declare(l->conn, CHANNEL_DECLARE, name, 1, 1, 0, 0, amqp_empty_table);
	r = link_amqp_check(amqp_get_rpc_reply(l->conn), queue, e);
	if (r == ERR_NOT_FOUND)
		r = link_declare_anew(l, queue, e);
	if (r == ERR_DENIED && (again = link_reopen_declare(l, NULL)) < 0)
		return again;
	if (r < 0)
		return r;
	if (l->known_count < LINK_QUEUES &&
	    str_copy(l->known[l->known_count], sizeof l->known[0], queue, NULL) == 0)
		l->known_count++;
	return 0;
}

int
link_amqp_confirm_select(struct link_amqp *l, amqp_channel_t channel, struct err *e)
{
	(void)amqp_confirm_select(l->conn, channel);
	return link_amqp_check(amqp_get_rpc_reply(l->conn), "confirm.select", e);
}

/* The broker's own words are the operator's best hint. */
static int
link_check_close(const amqp_frame_t *frame, struct err *e)
{
	amqp_bytes_t text = { 0 };

	if (frame->payload.method.id == AMQP_CONNECTION_CLOSE_METHOD)
		text = ((const amqp_connection_close_t *)frame->payload.method.decoded)->reply_text;
	else if (frame->payload.method.id == AMQP_CHANNEL_CLOSE_METHOD)
		text = ((const amqp_channel_close_t *)frame->payload.method.decoded)->reply_text;
	else
		return 0;
	return err_set(e, ERR_UNAVAILABLE, "rabbitmq: the broker closed the connection: %.*s",
		       (int)text.len, (const char *)text.bytes);
}

int
link_amqp_next_frame(struct link_amqp *l, amqp_frame_t *ret, struct err *e)
{
	struct timeval none = { 0, 0 };
	int status;

	amqp_maybe_release_buffers(l->conn);
	status = amqp_simple_wait_frame_noblock(l->conn, ret, &none);
	if (status == AMQP_STATUS_TIMEOUT)
		return 0;
	if (status < 0)
		return link_amqp_status(status, "read", e);
	if (ret->frame_type == AMQP_FRAME_METHOD) {
		if ((status = link_check_close(ret, e)) < 0)
			return status;
		if (ret->payload.method.id == AMQP_CONNECTION_BLOCKED_METHOD)
			l->blocked = true;
		if (ret->payload.method.id == AMQP_CONNECTION_UNBLOCKED_METHOD)
			l->blocked = false;
	}
	return 1;
}

void
link_amqp_poll(const struct link_amqp *l, int wake_fd, int ms)
{
	struct pollfd fds[2] = { { .fd = wake_fd, .events = POLLIN },
				 { .fd = l->fd, .events = POLLIN } };
	uint64_t count;

	if (l->conn && (amqp_frames_enqueued(l->conn) || amqp_data_in_buffer(l->conn)))
		ms = 0;
	if (poll(fds, l->conn ? 2 : 1, ms) > 0 && (fds[0].revents & POLLIN))
		(void)!read(wake_fd, &count, sizeof count);
}

static amqp_table_entry_t
link_header(const char *name, const char *value)
{
	amqp_table_entry_t entry = { .key = amqp_cstring_bytes(name) };

	entry.value.kind = AMQP_FIELD_KIND_UTF8;
	entry.value.value.bytes = amqp_cstring_bytes(value);
	return entry;
}

/* The message's headers, and why it is buried where it is. */
static amqp_table_t
link_headers(const struct link_amqp_message *m, amqp_table_entry_t to[MESSAGE_HEADERS_MAX + 1])
{
	const struct message *message = m->message;
	int n = 0;

	for (size_t i = 0; i < message->header_count; i++)
		to[n++] = link_header(message->headers[i].name, message->headers[i].value);
	if (m->reason)
		to[n++] = link_header("x-reason", m->reason);
	return (amqp_table_t){ n, to };
}

int
link_amqp_publish(struct link_amqp *l, const struct link_amqp_message *m, struct err *e)
{
	const struct message *message = m->message;
	amqp_table_entry_t entries[MESSAGE_HEADERS_MAX + 1];
	amqp_basic_properties_t properties = { 0 };
	char id[24];
	union {
		const char *in;
		void *out;
	} bytes = { .in = message->body };

	(void)snprintf(id, sizeof id, "%llu", (unsigned long long)m->tag);
	properties._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG |
			    AMQP_BASIC_MESSAGE_ID_FLAG;
	properties.content_type = amqp_cstring_bytes("application/json");
	properties.delivery_mode = AMQP_DELIVERY_PERSISTENT;
	properties.message_id = amqp_cstring_bytes(id);
	if (message->key) {
		properties.correlation_id = amqp_cstring_bytes(message->key);
		properties._flags |= AMQP_BASIC_CORRELATION_ID_FLAG;
	}
	properties.headers = link_headers(m, entries);
	if (properties.headers.num_entries > 0)
		properties._flags |= AMQP_BASIC_HEADERS_FLAG;
	return link_amqp_status(amqp_basic_publish(l->conn, m->channel, amqp_empty_bytes,
						   amqp_cstring_bytes(message->destination), 1, 0,
						   &properties,
						   (amqp_bytes_t){ message->len, bytes.out }),
				"publish", e);
}
