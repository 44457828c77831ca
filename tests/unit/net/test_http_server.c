/* The HTTP server on a real socket: routes, framing, heads, streams, addresses. */
#include "unit/net/http_fixture.h"

static void
routes_answer_as_the_contract_says(void **state)
{
	struct http_server_config config = test_config();
	SCOPED(http_server_close_p) struct http_server *s = start(&config);

	(void)state;
	EXPECT(s, "POST /login HTTP/1.1\r\n" HOST CLOSE "\r\n", "200", "\r\n\r\ntoken");
	EXPECT(s, "POST ///login HTTP/1.1\r\n" HOST CLOSE "\r\n", "200", "Content-Length: 5\r\n");
	EXPECT(s, "POST http://a/login HTTP/1.1\r\n" HOST CLOSE "\r\n", "200", NULL);
	EXPECT(s, "POST /login/ HTTP/1.1\r\n" HOST CLOSE "\r\n", "404", "\r\n\r\nnot found");
	EXPECT(s, "GET /LOGIN HTTP/1.1\r\n" HOST CLOSE "\r\n", "404", "text/html; charset=utf-8");
	EXPECT(s, "GET /login HTTP/1.1\r\n" HOST CLOSE "\r\n", "405", "Allow: OPTIONS, POST");
	EXPECT(s, "FOO //login HTTP/1.1\r\n" HOST CLOSE "\r\n", "405", "method not allowed");
	EXPECT(s, "FOO /nope HTTP/1.1\r\n" HOST CLOSE "\r\n", "404", NULL);
	EXPECT(s, "HEAD /login HTTP/1.1\r\n" HOST CLOSE "\r\n", "405", "Content-Length: 0");
	EXPECT(s, "OPTIONS /echo HTTP/1.1\r\n" HOST CLOSE "\r\n", "200",
	       "Allow: OPTIONS, GET, HEAD");
	EXPECT(s, "GET /jobs/a%62c HTTP/1.1\r\n" HOST CLOSE "\r\n", "200", "127.0.0.1 abc");
	EXPECT(s, "GET /jobs/ HTTP/1.1\r\n" HOST CLOSE "\r\n", "404", NULL);
	EXPECT(s, "GET /jobs/a/b HTTP/1.1\r\n" HOST CLOSE "\r\n", "404", NULL);
	EXPECT(s, "GET /echo?a=%31&a=2 HTTP/1.1\r\n" HOST CLOSE "\r\n", "200", "[1] 0");
	EXPECT(s, "GET /echo?A=1 HTTP/1.1\r\n" HOST CLOSE "\r\n", "200", "[none] 0");
	EXPECT(s, "GET /echo?a HTTP/1.1\r\n" HOST CLOSE "\r\n", "200", "[] 0");
	EXPECT(s, "GET /echo?a=x%00y HTTP/1.1\r\n" HOST CLOSE "\r\n", "200", "[x] 1");
	EXPECT(s, "GET /echo HTTP/1.0\r\n\r\n", "200", NULL);
	EXPECT(s, "GET /echo HTTP/1.1\r\n" HOST CLOSE "X-Request-Id: a.B-9_\r\n\r\n", "200",
	       "X-Request-Id: a.B-9_\r\n");
	EXPECT(s, "GET /echo HTTP/1.1\r\n" HOST CLOSE "X-Request-Id: a b\r\n\r\n", "200",
	       "X-Request-Id: ");
}

static void
doubtful_heads_are_refused_and_closed(void **state)
{
	static const struct {
		const char *lines;
		size_t len;
	} rows[] = {
#define ROW(text) { text, sizeof(text) - 1 }
		ROW("POST /login HTTP/1.1\r\n\r\n"),
		ROW("POST /login HTTP/1.1\r\n" HOST HOST "\r\n"),
		ROW("POST /login HTTP/1.1\r\n" HOST "Authorization: a\r\nauthorization: a\r\n\r\n"),
		ROW("POST /login HTTP/1.1\r\n" HOST
		    "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx"),
		ROW("POST /login HTTP/1.1\r\n" HOST
		    "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
		ROW("POST /login HTTP/1.1\r\n" HOST
		    "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
		ROW("POST /login HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
		ROW("POST /login HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\nx"),
		ROW("POST /login HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\nx"),
		ROW("POST /login HTTP/1.1\r\n" HOST "Content-Length: \r\n\r\nx"),
		ROW("POST /login HTTP/1.1\r\n" HOST
		    "Content-Length: 18446744073709551615\r\n\r\nx"),
		ROW("POST /login HTTP/1.1\r\n" HOST "X: a\rY: b\r\n\r\n"),
		ROW("POST /login HTTP/1.1\r\n" HOST "X: a\nY: b\r\n\r\n"),
		ROW("POST /login HTTP/1.1\r\n" HOST "X : a\r\n\r\n"),
		ROW("POST /login HTTP/1.1\r\n" HOST "Content-Length : 1\r\n\r\nx"),
		ROW("POST /login HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n"),
		ROW("POST /login HTTP/1.1\r\nHost: a\r\n\tb\r\n\r\n"),
		ROW("POST /login HTTP/1.1\r\n" HOST "X: a\r\n \r\nY: b\r\n\r\n"),
		ROW("POST /login HTTP/1.1\r\n" HOST "no colon\r\n\r\n"),
		ROW("POST /login HTTP/1.1\r\n" HOST ": a\r\nX: y\r\n\r\n"),
		ROW("POST /login HTTP/1.1\r\n" HOST ":\r\nGET /echo HTTP/1.1\r\n" HOST "\r\n"),
		ROW("POST /login HTTP/1.1\r\n" HOST "X: a\0b\r\n\r\n"),
		ROW("POST /login HTTP/1.1\r\nX: a\0b\r\n" HOST "\r\n"),
		ROW("POST /login\0 HTTP/1.1\r\n" HOST "\r\n"),
		ROW("POST /login%00 HTTP/1.1\r\n" HOST "\r\n"),
		ROW("POST /lo gin HTTP/1.1\r\n" HOST "\r\n"),
		ROW("POST  /login HTTP/1.1\r\n" HOST "\r\n"),
	};
	struct http_server_config config = test_config();
	SCOPED(http_server_close_p) struct http_server *s = start(&config);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		expect(s, rows[i].lines, rows[i].len, "400", NULL);
}

#define CHUNKED                                                                                    \
	"POST /upload HTTP/1.1\r\n" HOST CLOSE                                                     \
	"Authorization: x\r\nTransfer-Encoding: chunked\r\n\r\n"

static void
chunked_bodies_are_read_and_bad_ones_refused(void **state)
{
	struct http_server_config config = test_config();
	SCOPED(http_server_close_p) struct http_server *s = start(&config);

	(void)state;
	EXPECT(s, CHUNKED "5;x=y\r\nabcde\r\nA\r\n0123456789\r\n0\r\nT: z\r\n\r\n", "200",
	       "\r\n\r\n15");
	EXPECT(s, CHUNKED "10000000000000005\r\nabcde\r\n0\r\n\r\n", "413", NULL);
	EXPECT(s, CHUNKED "xyz\r\nabcde\r\n0\r\n\r\n", "400", NULL);
	EXPECT(s, CHUNKED "-5\r\nabcde\r\n0\r\n\r\n", "400", NULL);
	EXPECT(s, CHUNKED "0x5\r\nabcde\r\n0\r\n\r\n", "400", NULL);
	EXPECT(s, CHUNKED "5\r\nabcdeX\r\n0\r\n\r\n", "400", NULL);
	await(&states_freed, states_made);
	assert_int_equal(states_freed, states_made);
}

static void
heads_of_16_kib_pass_and_over_32_kib_are_431(void **state)
{
	struct http_server_config config = test_config();
	SCOPED(http_server_close_p) struct http_server *s = start(&config);
	static const size_t sizes[] = { 16000, 32000, 33000, 50000, 100000 };
	static const char *const want[] = { "200", "200", "431", "431", "431" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		static const char start_line[] = "POST /login HTTP/1.1\r\n" HOST CLOSE "X: ";
		SCOPED_FREE char *request = malloc(sizes[i] + 200);

		memcpy(request, start_line, sizeof start_line - 1);
		memset(request + sizeof start_line - 1, 'a', sizes[i]);
		memcpy(request + sizeof start_line - 1 + sizes[i], "\r\n\r\n", 5);
		expect(s, request, sizeof start_line - 1 + sizes[i] + 4, want[i], NULL);
	}
}

static void
keep_alive_serves_pipelined_requests_in_order(void **state)
{
	struct http_server_config config = test_config();
	SCOPED(http_server_close_p) struct http_server *s = start(&config);
	static const char requests[] =
		"POST /login HTTP/1.1\r\n" HOST
		"Content-Length: 4\r\n\r\nbodyPOST /upload HTTP/1.1\r\n" HOST
		"Authorization: x\r\nContent-Length: 3\r\n\r\nabcGET /echo?a=z HTTP/1.1\r\n" HOST
			CLOSE "\r\n";
	SCOPED_FREE char *got = ask_bytes(s, requests, sizeof requests - 1);
	const char *first = strstr(got, "\r\n\r\ntoken"), *second = strstr(got, "\r\n\r\n3");

	(void)state;
	assert_non_null(first);
	assert_non_null(second);
	assert_true(first < second);
	assert_non_null(strstr(second, "[z]"));
}

static void
streams_have_their_length_and_break_visibly(void **state)
{
	struct http_server_config config = test_config();
	SCOPED(http_server_close_p) struct http_server *s = start(&config);
	int freed = streams_freed;
	SCOPED_FREE char *whole = NULL;
	SCOPED_FREE char *cut = NULL;

	(void)state;
	whole = ask_bytes(s, "GET /stream?n=700000 HTTP/1.0\r\n\r\n", 33);
	assert_non_null(strstr(whole, "Content-Length: 700000\r\n"));
	assert_int_equal(strlen(strstr(whole, "\r\n\r\n") + 4), 700000);
	EXPECT(s, "HEAD /stream?n=700000 HTTP/1.1\r\n" HOST CLOSE "\r\n", "200",
	       "Content-Length: 700000\r\n");
	cut = ask_bytes(s, "GET /stream HTTP/1.0\r\n\r\n", 24);
	assert_null(strchr(cut, 'x') ? strstr(cut, "xxxx") : NULL);
	await(&streams_freed, freed + 3);
}

/* So a second request behind it is not served. */
static void
what_is_lent_is_whole_and_ends_the_connection(void **state)
{
	static const char two[] = "GET /lent?n=3000000 HTTP/1.1\r\n" HOST "\r\n"
				  "GET /lent?n=1 HTTP/1.1\r\n" HOST "\r\n";
	static const char short_of_one[] = "GET /lent?n=500000&lack=1 HTTP/1.0\r\n\r\n";
	struct http_server_config config = test_config();
	SCOPED(http_server_close_p) struct http_server *s = start(&config);
	int freed = streams_freed;
	SCOPED_FREE char *whole = NULL;
	SCOPED_FREE char *cut = NULL;

	(void)state;
	whole = ask_bytes(s, two, sizeof two - 1);
	assert_non_null(strstr(whole, "Content-Length: 3000000\r\n"));
	assert_non_null(strstr(whole, "Connection: close\r\n"));
	assert_int_equal(strspn(strstr(whole, "\r\n\r\n") + 4, "x"), 3000000);
	assert_int_equal(strlen(strstr(whole, "\r\n\r\n") + 4), 3000000);
	EXPECT(s, "HEAD /lent?n=3000000 HTTP/1.1\r\n" HOST CLOSE "\r\n", "200",
	       "Content-Length: 3000000\r\n");
	cut = ask_bytes(s, short_of_one, sizeof short_of_one - 1);
	assert_int_equal(strlen(strstr(cut, "\r\n\r\n") + 4), 499999);
	await(&streams_freed, freed + 3);
}

static void
files_are_sent_from_an_offset_on(void **state)
{
	struct http_server_config config = test_config();
	SCOPED(http_server_close_p) struct http_server *s = start(&config);
	SCOPED_FREE char *got = NULL;
	const char *body;

	(void)state;
	got = ask_bytes(s, "GET /file?n=700001&at=3 HTTP/1.0\r\n\r\n", 36);
	assert_non_null(strstr(got, "206 Partial Content"));
	assert_non_null(strstr(got, "Content-Length: 700001\r\n"));
	body = strstr(got, "\r\n\r\n") + 4;
	assert_int_equal(strlen(body), 700001);
	for (int i = 0; i < 700001; i++)
		if (body[i] != 'a' + (i + 3) % 26)
			fail_msg("byte %d differs", i);
	EXPECT(s, "HEAD /file?n=700001 HTTP/1.1\r\n" HOST CLOSE "\r\n", "206",
	       "Content-Length: 700001\r\n");
}

static void
bytes_of_a_file_are_counted_as_they_went_out(void **state)
{
	static const struct {
		const char *request;
		int64_t least, most;
	} rows[] = {
		{ "GET /file?n=700001 HTTP/1.1\r\n" HOST CLOSE "\r\n", 700001, 700001 },
		{ "HEAD /file?n=700001 HTTP/1.1\r\n" HOST CLOSE "\r\n", 0, 0 },
		{ "GET /file?n=700001&lack=300000 HTTP/1.1\r\n" HOST CLOSE "\r\n", 1, 401000 },
	};
	struct http_server_config config = test_config();

	(void)state;
	config.idle_timeout_ms = 300;
	SCOPED(http_server_close_p) struct http_server *s = start(&config);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int before = observed;

		free(ask_bytes(s, rows[i].request, strlen(rows[i].request)));
		await(&observed, before + 1);
		assert_in_range(last_bytes_out, rows[i].least, rows[i].most);
	}
}

static void
forwarded_addresses_are_believed_from_trusted_proxies_only(void **state)
{
	static const struct {
		const char *trusted, *forwarded, *want;
	} rows[] = {
		{ "", "X-Forwarded-For: 203.0.113.9\r\n", " 127.0.0.1 " },
		{ "10.0.0.0/8", "X-Forwarded-For: 203.0.113.9\r\n", " 127.0.0.1 " },
		{ "127.0.0.0/8", "X-Forwarded-For: 203.0.113.9\r\n", " 203.0.113.9 " },
		{ "127.0.0.1, 10.0.0.0/8", "X-Forwarded-For: 6.6.6.6, 203.0.113.9, 10.1.2.3\r\n",
		  " 203.0.113.9 " },
		{ "127.0.0.1,10.0.0.0/8",
		  "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 10.9.9.9\r\n",
		  " 203.0.113.9 " },
		{ "127.0.0.1", "X-Forwarded-For: 6.6.6.6, nonsense\r\n", " 127.0.0.1 " },
		{ "127.0.0.1,2001:db8::/32", "X-Forwarded-For: 2001:db9::1, [2001:db8::2]:80\r\n",
		  " 2001:db9::1 " },
		{ "127.0.0.1", "", " 127.0.0.1 " },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct http_server_config config = test_config();
		char request[512];

		config.trusted_proxies = rows[i].trusted;
		SCOPED(http_server_close_p) struct http_server *s = start(&config);
		int n = snprintf(request, sizeof request,
				 "GET /echo HTTP/1.1\r\n" HOST CLOSE "%s\r\n", rows[i].forwarded);
		expect(s, request, (size_t)n, "200", rows[i].want);
	}
}

static void
bad_configurations_are_refused_with_words(void **state)
{
	struct http_server_config config = test_config();
	SCOPED(http_server_close_p) struct http_server *s = start(&config);
	struct http_server *untouched = NULL;
	struct err e = ERR_NONE;

	(void)state;
	config.port = http_server_port(s);
	assert_int_equal(http_server_start(&config, &untouched, &e), ERR_UNAVAILABLE);
	assert_non_null(strstr(e.text, "127.0.0.1 port "));
	config.port = 0;
	config.trusted_proxies = "10.0.0.0/33";
	assert_int_equal(http_server_start(&config, &untouched, &e), ERR_INVALID);
	config.trusted_proxies = "";
	config.address = "no address";
	assert_int_equal(http_server_start(&config, &untouched, &e), ERR_INVALID);
	assert_null(untouched);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes_answer_as_the_contract_says),
		cmocka_unit_test(doubtful_heads_are_refused_and_closed),
		cmocka_unit_test(chunked_bodies_are_read_and_bad_ones_refused),
		cmocka_unit_test(heads_of_16_kib_pass_and_over_32_kib_are_431),
		cmocka_unit_test(keep_alive_serves_pipelined_requests_in_order),
		cmocka_unit_test(streams_have_their_length_and_break_visibly),
		cmocka_unit_test(what_is_lent_is_whole_and_ends_the_connection),
		cmocka_unit_test(files_are_sent_from_an_offset_on),
		cmocka_unit_test(bytes_of_a_file_are_counted_as_they_went_out),
		cmocka_unit_test(forwarded_addresses_are_believed_from_trusted_proxies_only),
		cmocka_unit_test(bad_configurations_are_refused_with_words),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
