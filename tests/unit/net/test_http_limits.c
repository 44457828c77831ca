/* The HTTP server on a real socket: refused bodies, slow and lost clients, connection limit, drain.
 */
#include "unit/net/http_fixture.h"

static void
a_refused_body_is_read_and_the_refusal_seen(void **state)
{
	struct http_server_config config = test_config();
	SCOPED(http_server_close_p) struct http_server *s = start(&config);
	const size_t size = (size_t)37 << 20;
	SCOPED_FREE char *data = calloc(1, size);
	char head[128];

	(void)state;
	snprintf(head, sizeof head,
		 "POST /upload HTTP/1.1\r\n" HOST CLOSE "Content-Length: %zu\r\n\r\n", size);
	for (int i = 0; i < 10; i++) {
		int fd = dial(s);

		say_text(fd, head);
		say(fd, data, size);
		SCOPED_FREE char *got = hear(fd);
		assert_non_null(strstr(got, "401 Unauthorized"));
		assert_non_null(strstr(got, "missing credentials"));
	}
}

static void
a_refusal_past_the_limits_is_sent_and_closed(void **state)
{
	struct http_server_config config = test_config();
	int fd;

	(void)state;
	config.discard_bytes = 1000;
	config.discard_ms = 200;
	SCOPED(http_server_close_p) struct http_server *s = start(&config);
	static char data[100000];
	fd = dial(s);
	say_text(fd, "POST /upload HTTP/1.1\r\n" HOST "Content-Length: 1000000\r\n\r\n");
	say(fd, data, sizeof data);
	SCOPED_FREE char *by_bytes = hear(fd);
	assert_non_null(strstr(by_bytes, " 401 "));
	assert_non_null(strstr(by_bytes, "\r\n\r\nmissing credentials"));
	assert_non_null(strstr(by_bytes, "Connection: close"));
	fd = dial(s);
	say_text(fd, "POST /upload HTTP/1.1\r\n" HOST "Content-Length: 1000000\r\n\r\nabc");
	SCOPED_FREE char *by_time = hear(fd);
	assert_non_null(strstr(by_time, "\r\n\r\nmissing credentials"));
}

static void
expect_100_continue_is_refused_at_once_or_continued(void **state)
{
	struct http_server_config config = test_config();
	SCOPED(http_server_close_p) struct http_server *s = start(&config);
	char line[64] = "";
	int fd;

	(void)state;
	EXPECT(s,
	       "POST /upload HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 9\r\n\r\n",
	       "401", "missing credentials");
	fd = dial(s);
	say_text(fd, "POST /upload HTTP/1.1\r\n" HOST CLOSE
		     "Authorization: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
	assert_true(recv(fd, line, 25, MSG_WAITALL) == 25);
	assert_string_equal(line, "HTTP/1.1 100 Continue\r\n\r\n");
	say_text(fd, "abc");
	SCOPED_FREE char *got = hear(fd);
	assert_non_null(strstr(got, "\r\n\r\n3"));
}

static void
an_answer_in_mid_body_stops_the_handler(void **state)
{
	struct http_server_config config = test_config();
	SCOPED(http_server_close_p) struct http_server *s = start(&config);

	(void)state;
	EXPECT(s,
	       "POST /upload HTTP/1.1\r\n" HOST CLOSE
	       "Authorization: x\r\nContent-Length: 6\r\n\r\nab!cde",
	       "503", "Retry-After: 7\r\n");
}

static void
a_client_that_goes_away_frees_the_state_once(void **state)
{
	static const char request[] = "POST /upload HTTP/1.1\r\n" HOST
				      "Authorization: x\r\nContent-Length: 9\r\n\r\nabcdefgh";
	struct http_server_config config = test_config();
	struct http_server *s = start(&config);
	int made = states_made;

	(void)state;
	for (size_t n = 1; n < sizeof request; n++) {
		int fd = dial(s);

		say(fd, request, n);
		close(fd);
	}
	await(&states_made, made + 9); /* as many as have a whole head */
	await(&states_freed, made + 9);
	http_server_drain(s, 0, WAIT_MS);
	assert_int_equal(http_server_connections(s), 0);
	http_server_close(s);
	assert_int_equal(states_freed, states_made);
	assert_int_equal(last_status, 0);
}

static void
connections_past_the_limit_get_503(void **state)
{
	struct http_server_config config = test_config();

	(void)state;
	config.max_connections = 2;
	SCOPED(http_server_close_p) struct http_server *s = start(&config);
	hold = true;
	held = 0;
	int first = dial(s), second = dial(s);
	say_text(first, "GET /hold HTTP/1.1\r\n" HOST CLOSE "\r\n");
	say_text(second, "GET /hold HTTP/1.1\r\n" HOST CLOSE "\r\n");
	await(&held, 2);
	EXPECT(s, "POST /login HTTP/1.1\r\n" HOST "\r\n", "503", "Retry-After: 1\r\n");
	assert_int_equal(http_server_connections(s), 2);
	pthread_mutex_lock(&lock);
	hold = false;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	free(hear(first));
	free(hear(second));
}

static void
slow_clients_are_shut(void **state)
{
	static const char *const slow[] = {
		"",
		"POST /upload HTTP/1.1\r\nHos",
		"POST /upload HTTP/1.1\r\n" HOST "Authorization: x\r\nContent-Length: 9\r\n\r\nabc",
		"POST /login HTTP/1.1\r\n" HOST "\r\n",
		"POST /login HTTP/1.1\r\n" HOST "\r\nPOST /login HTT",
	};
	struct http_server_config config = test_config();

	(void)state;
	config.head_timeout_ms = 200;
	config.idle_timeout_ms = 200;
	SCOPED(http_server_close_p) struct http_server *s = start(&config);
	for (size_t i = 0; i < ARRAY_LEN(slow); i++) {
		SCOPED_FREE char *got = ask_bytes(s, slow[i], strlen(slow[i]));

		assert_true((strstr(got, "200 OK") != NULL) == (i >= 3));
	}
}

static void
a_client_that_does_not_read_is_shut(void **state)
{
	struct http_server_config config = test_config();
	int freed = streams_freed, fd;

	(void)state;
	config.idle_timeout_ms = 300;
	SCOPED(http_server_close_p) struct http_server *s = start(&config);
	fd = dial(s);
	say_text(fd, "GET /stream?n=1000000000 HTTP/1.1\r\n" HOST "\r\n");
	await(&streams_freed, freed + 1);
	close(fd);
}

static void
a_client_that_does_not_take_what_is_lent_is_shut(void **state)
{
	struct http_server_config config = test_config();
	int freed = streams_freed, fd;

	(void)state;
	config.idle_timeout_ms = 300;
	SCOPED(http_server_close_p) struct http_server *s = start(&config);
	fd = dial(s);
	say_text(fd, "GET /lent?n=1000000000 HTTP/1.1\r\n" HOST "\r\n");
	await(&streams_freed, freed + 1);
	close(fd);
}

static void
a_client_that_does_not_read_a_file_is_shut(void **state)
{
	struct http_server_config config = test_config();
	int before = observed, fd;

	(void)state;
	config.idle_timeout_ms = 300;
	SCOPED(http_server_close_p) struct http_server *s = start(&config);
	fd = dial(s);
	say_text(fd, "GET /file?n=12000000 HTTP/1.1\r\n" HOST "\r\n");
	await(&observed, before + 1);
	assert_in_range(last_bytes_out, 1, 11000000);
	close(fd);
}

static void *
drain(void *s)
{
	http_server_drain(s, 0, WAIT_MS);
	return NULL;
}

static void
a_drain_closes_idle_connections_and_waits_for_busy_ones(void **state)
{
	struct http_server_config config = test_config();
	SCOPED(http_server_close_p) struct http_server *s = start(&config);
	int idle = dial(s), busy = dial(s);
	pthread_t thread;
	char byte;

	(void)state;
	hold = true;
	held = 0;
	say_text(busy, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
	await(&held, 1);
	pthread_create(&thread, NULL, drain, s);
	assert_int_equal(recv(idle, &byte, 1, 0), 0);
	close(idle);
	pthread_mutex_lock(&lock);
	hold = false;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	SCOPED_FREE char *got = hear(busy);
	assert_non_null(strstr(got, "\r\n\r\nheld"));
	assert_non_null(strstr(got, "Connection: close"));
	pthread_join(thread, NULL);
	assert_int_equal(http_server_connections(s), 0);
}

#define LINGER_MS 500

static void *
drain_late(void *s)
{
	http_server_drain(s, LINGER_MS, WAIT_MS);
	return NULL;
}

/* One answer over a connection of its own that the client would keep: whether the server keeps it.
 */
static bool
answers_and_keeps(struct http_server *s)
{
	char got[1024] = "";
	size_t len = 0;
	int fd = dial(s);

	say_text(fd, "GET /nowhere HTTP/1.1\r\n" HOST "\r\n");
	while (strstr(got, "\r\n\r\nnot found") == NULL) {
		ssize_t n = recv(fd, got + len, sizeof got - 1 - len, 0);

		assert_true(n > 0);
		len += (size_t)n;
		got[len] = '\0';
	}
	close(fd);
	return strstr(got, "Connection: close") == NULL;
}

static void
a_lingering_drain_takes_connections_and_closes_each(void **state)
{
	struct http_server_config config = test_config();
	SCOPED(http_server_close_p) struct http_server *s = start(&config);
	pthread_t thread;

	(void)state;
	assert_true(answers_and_keeps(s));
	pthread_create(&thread, NULL, drain_late, s);
	while (answers_and_keeps(s))
		; /* a connection that is refused fails the test */
	pthread_join(thread, NULL);
	assert_int_equal(http_server_connections(s), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refused_body_is_read_and_the_refusal_seen),
		cmocka_unit_test(a_refusal_past_the_limits_is_sent_and_closed),
		cmocka_unit_test(expect_100_continue_is_refused_at_once_or_continued),
		cmocka_unit_test(an_answer_in_mid_body_stops_the_handler),
		cmocka_unit_test(a_client_that_goes_away_frees_the_state_once),
		cmocka_unit_test(connections_past_the_limit_get_503),
		cmocka_unit_test(slow_clients_are_shut),
		cmocka_unit_test(a_client_that_does_not_take_what_is_lent_is_shut),
		cmocka_unit_test(a_client_that_does_not_read_is_shut),
		cmocka_unit_test(a_client_that_does_not_read_a_file_is_shut),
		cmocka_unit_test(a_drain_closes_idle_connections_and_waits_for_busy_ones),
		cmocka_unit_test(a_lingering_drain_takes_connections_and_closes_each),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
