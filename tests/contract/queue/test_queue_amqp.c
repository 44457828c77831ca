/* The suite on a real RabbitMQ; what the port cannot say goes over a connection of the test's. */
#include "contract/queue/dead_suite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <amqp.h>
#include <amqp_tcp_socket.h>

#include "adapter/amqp/amqp.h"
#include "base/clock.h"
#include "base/random.h"

static const char *url;
static amqp_connection_state_t conn;

static const struct queue_amqp_config *
config(void)
{
	static struct queue_amqp_config c;

	c = (struct queue_amqp_config){
		.url = url, .heartbeat_s = 2, .deadline_ms = 3000, .max_waiting = 1024
	};
	return &c;
}

static struct publisher *
open_publisher(void)
{
	struct publisher *p = NULL;

	return publisher_amqp_new(config(), &p, NULL) < 0 ? NULL : p;
}

static struct consumer *
open_consumer(const char *const *queues, size_t count, int prefetch)
{
	struct consumer *c = NULL;

	return consumer_amqp_new(config(), queues, count, prefetch, &c, NULL) < 0 ? NULL : c;
}

static struct dead_letters *
open_dead(void)
{
	struct dead_letters *d = NULL;

	return dead_letters_amqp_new(config(), &d, NULL) < 0 ? NULL : d;
}

static void
connect_own(void)
{
	char copy[512];
	struct amqp_connection_info info;
	amqp_socket_t *socket;

	(void)snprintf(copy, sizeof copy, "%s", url);
	conn = amqp_new_connection();
	socket = amqp_tcp_socket_new(conn);
	if (amqp_parse_url(copy, &info) != AMQP_STATUS_OK ||
	    amqp_socket_open(socket, info.host, info.port) != AMQP_STATUS_OK ||
	    amqp_login(conn, *info.vhost ? info.vhost : "/", 0, 131072, 0, AMQP_SASL_METHOD_PLAIN,
		       info.user, info.password)
			    .reply_type != AMQP_RESPONSE_NORMAL ||
	    amqp_channel_open(conn, 1) == NULL) {
		fputs("the test's own connection failed\n", stderr);
		exit(1);
	}
}

static void
put_foreign(const char *queue, const char *body, size_t len)
{
	amqp_bytes_t bytes = amqp_bytes_malloc(len);

	memcpy(bytes.bytes, body, len);
	assert_int_equal(amqp_basic_publish(conn, 1, amqp_empty_bytes, amqp_cstring_bytes(queue), 0,
					    0, NULL, bytes),
			 0);
	amqp_bytes_free(bytes);
}

static void
remove_queue(const char *queue)
{
	assert_non_null(amqp_queue_delete(conn, 1, amqp_cstring_bytes(queue), 0, 0));
	amqp_maybe_release_buffers(conn);
}

/* A miss closes the channel by the protocol's rule. */
static int
ready(const char *queue)
{
	amqp_channel_close_ok_t ok = { 0 };
	const amqp_queue_declare_ok_t *found = amqp_queue_declare(
		conn, 1, amqp_cstring_bytes(queue), 1, 0, 0, 0, amqp_empty_table);

	amqp_maybe_release_buffers(conn);
	if (found)
		return (int)found->message_count;
	assert_int_equal(amqp_send_method(conn, 1, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok), 0);
	assert_non_null(amqp_channel_open(conn, 1));
	return -1;
}

static bool
take(const char *queue, char **ret_body, size_t *ret_len, char reason[240])
{
	amqp_message_t m;
	const amqp_table_t *h = &m.properties.headers;

	if (amqp_basic_get(conn, 1, amqp_cstring_bytes(queue), 1).reply.id !=
		    AMQP_BASIC_GET_OK_METHOD ||
	    amqp_read_message(conn, 1, &m, 0).reply_type != AMQP_RESPONSE_NORMAL)
		return false;
	*ret_len = m.body.len;
	*ret_body = malloc(m.body.len + 1);
	assert_non_null(*ret_body);
	memcpy(*ret_body, m.body.bytes, m.body.len);
	assert_int_equal(h->num_entries, 1);
	(void)snprintf(reason, 240, "%.*s", (int)h->entries[0].value.value.bytes.len,
		       (const char *)h->entries[0].value.value.bytes.bytes);
	assert_int_equal(m.properties.delivery_mode, AMQP_DELIVERY_PERSISTENT);
	amqp_destroy_message(&m);
	return true;
}

static void
a_queue_of_other_arguments_is_used_as_it_is(void **state)
{
	SCOPED(publisher_close_p) struct publisher *p = open_publisher();
	SCOPED(consumer_close_p) struct consumer *c = NULL;
	amqp_table_entry_t quorum = { .key = amqp_cstring_bytes("x-queue-type") };
	struct queue_delivery d = { 0 };
	char name[32] = "tonearm_test_", id[9];
	const char *const names[] = { name };

	(void)state;
	random_hex(id, 8);
	memcpy(name + 13, id, sizeof id);
	quorum.value.kind = AMQP_FIELD_KIND_UTF8;
	quorum.value.value.bytes = amqp_cstring_bytes("quorum");
	assert_non_null(amqp_queue_declare(conn, 1, amqp_cstring_bytes(name), 0, 1, 0, 0,
					   (amqp_table_t){ 1, &quorum }));
	c = open_consumer(names, 1, 1);
	assert_int_equal(queue_put(p, name, "q", 1, NULL), 0);
	assert_int_equal(queue_next(c, 10000, &d, NULL), 0);
	assert_string_equal(d.message.body, "q");
	assert_int_equal(queue_ack(c, &d, NULL), 0);
	queue_delivery_free(&d);
	consumer_close(TAKE(c));
	remove_queue(name);
}

static amqp_table_entry_t
text_entry(const char *name, const char *value, size_t len)
{
	amqp_table_entry_t entry = { .key = amqp_cstring_bytes(name) };
	union {
		const char *in;
		void *out;
	} bytes = { .in = value };

	entry.value.kind = AMQP_FIELD_KIND_UTF8;
	entry.value.value.bytes = (amqp_bytes_t){ len, bytes.out };
	return entry;
}

/* Of a foreign producer's headers those come through that a message may hold, at most so many. */
static void
foreign_properties_are_cut_to_what_a_message_may_hold(void **state)
{
	static char long_text[4096];
	SCOPED(publisher_close_p) struct publisher *p = open_publisher();
	SCOPED(consumer_close_p) struct consumer *c = NULL;
	amqp_basic_properties_t odd = { ._flags = AMQP_BASIC_HEADERS_FLAG |
						  AMQP_BASIC_CORRELATION_ID_FLAG };
	amqp_table_entry_t entries[MESSAGE_HEADERS_MAX + 8];
	char name[32] = "tonearm_test_", id[9];
	const char *const names[] = { name };
	struct queue_delivery d = { 0 };
	int n = 0;

	(void)state;
	random_hex(id, 8);
	memcpy(name + 13, id, sizeof id);
	memset(long_text, 'h', sizeof long_text - 1);
	entries[n++] = text_entry("x-death", "broker's", 8);
	entries[n++] = text_entry("", "nameless", 8);
	entries[n++] = text_entry("long", long_text, sizeof long_text - 1);
	entries[n++] = text_entry(long_text + sizeof long_text - 100, "long", 4);
	entries[n++] = text_entry("nul", "a\0b", 3);
	entries[n] = text_entry("number", "", 0);
	entries[n].value.kind = AMQP_FIELD_KIND_I32;
	entries[n++].value.value.i32 = 7;
	while (n < (int)ARRAY_LEN(entries))
		entries[n++] = text_entry("kept", "1", 1);
	odd.headers = (amqp_table_t){ n, entries };
	odd.correlation_id = (amqp_bytes_t){ 3, (char[]){ 'a', '\0', 'b' } };
	assert_int_equal(queue_put(p, name, "first", 5, NULL), 0); /* makes the queue */
	assert_int_equal(amqp_basic_publish(conn, 1, amqp_empty_bytes, amqp_cstring_bytes(name), 0,
					    0, &odd, amqp_cstring_bytes("odd")),
			 0);
	c = open_consumer(names, 1, 2);
	assert_int_equal(queue_next(c, 10000, &d, NULL), 0);
	queue_delivery_free(&d);
	assert_int_equal(queue_next(c, 10000, &d, NULL), 0);
	assert_string_equal(d.message.body, "odd");
	assert_null(d.message.key);
	assert_int_equal(d.message.header_count, MESSAGE_HEADERS_MAX);
	for (int i = 0; i < MESSAGE_HEADERS_MAX; i++)
		assert_string_equal(d.message.headers[i].name, "kept");
	queue_delivery_free(&d);
	consumer_close(TAKE(c));
	remove_queue(name);
}

static int
look_at(void *arg, const struct dead_letter *letter, struct err *e)
{
	int *seen = arg;

	(void)e;
	assert_string_equal(letter->message.body, "precious");
	(*seen)++;
	return DEAD_KEEP;
}

/* Past its limit the broker drops what comes back. */
static void
looking_often_loses_nothing_to_a_delivery_limit(void **state)
{
	SCOPED(dead_letters_close_p) struct dead_letters *d = open_dead();
	char name[32] = "tonearm_test_", dead[40], id[9];
	amqp_table_entry_t args[2] = { { .key = amqp_cstring_bytes("x-queue-type") },
				       { .key = amqp_cstring_bytes("x-delivery-limit") } };
	int seen;

	(void)state;
	random_hex(id, 8);
	memcpy(name + 13, id, sizeof id);
	(void)snprintf(dead, sizeof dead, "%s.dead", name);
	args[0].value.kind = AMQP_FIELD_KIND_UTF8;
	args[0].value.value.bytes = amqp_cstring_bytes("quorum");
	args[1].value.kind = AMQP_FIELD_KIND_I32;
	args[1].value.value.i32 = 20;
	assert_non_null(amqp_queue_declare(conn, 1, amqp_cstring_bytes(dead), 0, 1, 0, 0,
					   (amqp_table_t){ 2, args }));
	put_foreign(dead, "precious", 8);
	for (int i = 0; i < 25; i++) {
		int64_t until = now_monotonic_ms() + 10000;

		/* what was given back may take a moment to be ready again */
		for (seen = 0; seen == 0 && deadline_left_ms(until) > 0;)
			assert_int_equal(dead_letters_visit(d, name, 5, look_at, &seen, NULL), 0);
		assert_int_equal(seen, 1);
	}
	remove_queue(dead);
}

struct missing {
	const char *queue;
	int calls, result;
};

static int
on_missing(void *arg, const char *queue, struct err *e)
{
	struct missing *m = arg;

	assert_string_equal(queue, m->queue);
	assert_int_equal(ready(queue), -1);
	m->calls++;
	return m->result < 0 ? err_set(e, m->result, "not now") : 0;
}

static void
a_missing_queue_is_told_of_before_it_is_declared(void **state)
{
	char name[32] = "tonearm_test_", id[9];
	struct missing m = { .queue = name, .result = ERR_UNAVAILABLE };
	struct queue_amqp_config c = *config();
	SCOPED(publisher_close_p) struct publisher *p = NULL;
	int64_t until = now_monotonic_ms() + 10000;
	struct err e = ERR_NONE;

	(void)state;
	random_hex(id, 8);
	memcpy(name + 13, id, sizeof id);
	c.on_missing = on_missing;
	c.on_missing_arg = &m;
	assert_int_equal(publisher_amqp_new(&c, &p, NULL), 0);
	assert_int_equal(queue_put(p, name, "x", 1, &e), ERR_UNAVAILABLE);
	assert_non_null(strstr(e.text, "not now"));
	assert_int_equal(m.calls, 1);
	assert_int_equal(ready(name), -1);
	m.result = 0;
	while (queue_put(p, name, "x", 1, &e) < 0)
		if (deadline_left_ms(until) == 0)
			fail_msg("no publish: %s", e.text);
	assert_int_equal(m.calls, 2);
	assert_int_equal(queue_put(p, name, "y", 1, NULL), 0);
	assert_int_equal(m.calls, 2);
	remove_queue(name);
}

static void
a_refused_login_is_told_without_the_password(void **state)
{
	char wrong[] = "amqp://guest:sesame-42@127.0.0.1:00000/";
	struct queue_amqp_config c = *config();
	SCOPED(publisher_close_p) struct publisher *p = NULL;
	struct err e = ERR_NONE;

	(void)state;
	memcpy(strstr(wrong, "00000"), strrchr(url, ':') + 1, 5);
	c.url = wrong;
	assert_int_equal(publisher_amqp_new(&c, &p, NULL), 0);
	assert_int_equal(queue_put(p, "x", "y", 1, &e), ERR_UNAVAILABLE);
	assert_non_null(strstr(e.text, "refused"));
	assert_null(strstr(e.text, "sesame"));
	assert_int_equal(publisher_ping(p, &e), ERR_UNAVAILABLE);
	assert_null(strstr(e.text, "sesame"));
}

static void
an_absent_broker_is_told_at_once(void **state)
{
	struct queue_amqp_config c = *config();
	SCOPED(publisher_close_p) struct publisher *p = NULL;
	struct err e = ERR_NONE;

	(void)state;
	c.url = "amqp://guest:sesame-42@127.0.0.1:1/";
	assert_int_equal(publisher_amqp_new(&c, &p, NULL), 0);
	assert_int_equal(queue_put(p, "x", "y", 1, &e), ERR_UNAVAILABLE);
	assert_non_null(strstr(e.text, "connect"));
	assert_null(strstr(e.text, "sesame"));
}

int
main(void)
{
	const struct CMUnitTest own[] = {
		cmocka_unit_test(a_queue_of_other_arguments_is_used_as_it_is),
		cmocka_unit_test(foreign_properties_are_cut_to_what_a_message_may_hold),
		cmocka_unit_test(looking_often_loses_nothing_to_a_delivery_limit),
		cmocka_unit_test(a_missing_queue_is_told_of_before_it_is_declared),
		cmocka_unit_test(a_refused_login_is_told_without_the_password),
		cmocka_unit_test(an_absent_broker_is_told_at_once),
	};
	const struct queue_suite_server server = { open_publisher, open_consumer, put_foreign,
						   remove_queue,   ready,         take };
	int failed;

	if ((url = getenv("TONEARM_TEST_AMQP_URL")) == NULL || *url == '\0') {
		puts("skipped: TONEARM_TEST_AMQP_URL is not set");
		return 77;
	}
	connect_own();
	failed = queue_suite_run("queues on RabbitMQ", &server);
	failed += dead_suite_run("dead letters on RabbitMQ", &server, open_dead);
	failed += cmocka_run_group_tests_name("RabbitMQ", own, NULL, NULL);
	(void)amqp_destroy_connection(conn);
	return failed;
}
