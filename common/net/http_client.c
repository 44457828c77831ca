#include "net/http_client.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/gate.h"

#define RETRY_AFTER_MAX_S 86400

struct http_client {
	struct gate places;
	/* under lock */
	pthread_mutex_t lock;
	int kept_count; /* at most as many as the gate has places */
	CURL *kept[];   /* easy handles at rest, each with its keep-alive connection */
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static int curl_failed;

static void
client_init_curl(void)
{
	curl_failed = curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK;
}

static void
client_free_url(CURLU **url)
{
	curl_url_cleanup(*url);
}

static void
client_free_text(char **text)
{
	curl_free(*text);
}

int
http_url_check(const char *text, struct err *e)
{
	SCOPED(client_free_url) CURLU *url = curl_url();
	SCOPED(client_free_text) char *scheme = NULL, *host = NULL;
	CURLUcode failed;

	if (!url)
		return err_set(e, ERR_NO_MEMORY, "url");
	failed = curl_url_set(url, CURLUPART_URL, text, 0);
	if (failed == CURLUE_OK)
		failed = curl_url_get(url, CURLUPART_SCHEME, &scheme, 0);
	if (failed == CURLUE_OK)
		failed = curl_url_get(url, CURLUPART_HOST, &host, 0);
	if (failed != CURLUE_OK)
		return err_set(e, ERR_INVALID, "%s", curl_url_strerror(failed));
	if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
		return err_set(e, ERR_INVALID, "%.20s is neither http nor https", scheme);
	return 0;
}

int
http_client_new(int max_connections, struct http_client **ret, struct err *e)
{
	struct http_client *c;

	if (max_connections < 1)
		return err_set(e, ERR_INVALID, "http client without connections");
	(void)pthread_once(&curl_once, client_init_curl);
	c = calloc(1, sizeof *c + (size_t)max_connections * sizeof c->kept[0]);
	if (!c || curl_failed) {
		free(c);
		return err_set(e, ERR_NO_MEMORY, "http client");
	}
	(void)pthread_mutex_init(&c->lock, NULL);
	gate_init(&c->places, max_connections, GATE_LINE_OF_THREADS);
	*ret = c;
	return 0;
}

static void
client_give_back(struct http_client *c, CURL *curl)
{
	(void)pthread_mutex_lock(&c->lock);
	if (curl)
		c->kept[c->kept_count++] = curl;
	(void)pthread_mutex_unlock(&c->lock);
	gate_leave(&c->places);
}

static int
client_take_handle(struct http_client *c, int64_t deadline, CURL **ret, struct err *e)
{
	CURL *curl = NULL;

	if (gate_enter(&c->places, deadline) != GATE_IN)
		return err_set(e, ERR_TIMEOUT, "no free http connection in time");
	(void)pthread_mutex_lock(&c->lock);
	if (c->kept_count > 0)
		curl = c->kept[--c->kept_count];
	(void)pthread_mutex_unlock(&c->lock);
	if (!curl)
		curl = curl_easy_init();
	if (!curl) {
		client_give_back(c, NULL);
		return err_set(e, ERR_NO_MEMORY, "http handle");
	}
	*ret = curl;
	return 0;
}

struct answer {
	struct http_client_response *response;
	struct str body;
	int retry_after_s;
	size_t received; /* bytes of any kind: then the request was not lost */
};

static size_t
client_on_body(char *data, size_t size, size_t count, void *arg)
{
	struct answer *a = arg;

	a->received += size * count;
	str_append(&a->body, data, size * count);
	return str_error(&a->body, NULL) < 0 ? 0 : size * count;
}

static size_t
client_on_header(char *data, size_t size, size_t count, void *arg)
{
	static const char name[] = "retry-after:";
	struct answer *a = arg;
	size_t len = size * count, i = sizeof name - 1;
	int seconds = 0;

	a->received += len;
	if (len <= i || strncasecmp(data, name, i) != 0)
		return len;
	while (i < len && (data[i] == ' ' || data[i] == '\t'))
		i++;
	for (; i < len && data[i] >= '0' && data[i] <= '9' && seconds <= RETRY_AFTER_MAX_S; i++)
		seconds = seconds * 10 + (data[i] - '0');
	a->retry_after_s = seconds > RETRY_AFTER_MAX_S ? RETRY_AFTER_MAX_S : seconds;
	return len;
}

static int
client_append_header(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (!longer)
		return ERR_NO_MEMORY;
	*list = longer;
	return 0;
}

/* Expect: 100-continue is off: it would cost a round trip or a second of waiting. */
static int
client_build_headers(const struct http_client_request *request, struct curl_slist **ret)
{
	int r = client_append_header(ret, "Expect:");

	for (size_t i = 0; r == 0 && request->headers && request->headers[i]; i++)
		r = client_append_header(ret, request->headers[i]);
	return r;
}

static void
client_set_method(CURL *curl, const struct http_client_request *request)
{
	const char *method = request->method ? request->method : "GET";

	if (strcmp(method, "HEAD") == 0) {
		curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
		return;
	}
	if (strcmp(method, "GET") == 0 && !request->body) {
		curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
		return;
	}
	curl_easy_setopt(curl, CURLOPT_POST, 1L);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body ? request->body : "");
	if (strcmp(method, "POST") != 0)
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
}

static void
client_set_options(CURL *curl, const struct http_client_request *request,
		   struct curl_slist *headers, struct answer *answer)
{
	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_URL, request->url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	/* a new connection goes where the name points now */
	curl_easy_setopt(curl, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(curl, CURLOPT_MAXCONNECTS, 1L);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, client_on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, client_on_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, answer);
	client_set_method(curl, request);
}

/* A kept connection may have been closed by the server just now: nothing came back, and the request
 * goes once more over a new one. */
static bool
client_lost_kept_connection(CURL *curl, CURLcode code, const struct answer *answer)
{
	long connects = 0;

	if (answer->received > 0 ||
	    (code != CURLE_GOT_NOTHING && code != CURLE_SEND_ERROR && code != CURLE_RECV_ERROR))
		return false;
	curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &connects);
	return connects == 0;
}

static CURLcode
client_perform(CURL *curl, int64_t deadline, struct answer *answer)
{
	CURLcode code = CURLE_OPERATION_TIMEDOUT;
	int tries;

	for (tries = 0; tries < 2; tries++) {
		int left = deadline_left_ms(deadline);

		if (left == 0)
			return CURLE_OPERATION_TIMEDOUT;
		curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)left);
		curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, tries > 0 ? 1L : 0L);
		code = curl_easy_perform(curl);
		if (!client_lost_kept_connection(curl, code, answer))
			break;
	}
	return code;
}

static int
client_result(CURLcode code, const struct answer *answer, struct err *e)
{
	int r = str_error(&answer->body, e);

	if (r < 0)
		return err_prefix(e, r, "http answer");
	if (code == CURLE_OK)
		return 0;
	if (code == CURLE_OPERATION_TIMEDOUT)
		return err_set(e, ERR_TIMEOUT, "http: no answer in time");
	if (code == CURLE_OUT_OF_MEMORY)
		return err_set(e, ERR_NO_MEMORY, "http client");
	if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
		return err_set(e, ERR_INVALID, "http: %s", curl_easy_strerror(code));
	/* Not curl's own detailed text: it may quote the URL. */
	return err_set(e, ERR_UNAVAILABLE, "http: %s", curl_easy_strerror(code));
}

static void
client_fill(CURL *curl, struct answer *answer, struct http_client_response *ret)
{
	const char *type = NULL;
	long status = 0;

	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
	ret->status = (int)status;
	ret->retry_after_s = answer->retry_after_s;
	(void)snprintf(ret->content_type, sizeof ret->content_type, "%s", type ? type : "");
	str_free(&ret->body);
	ret->body = answer->body;
	answer->body = STR_MAX(0);
}

int
http_client_send(struct http_client *c, const struct http_client_request *request,
		 struct http_client_response *ret, struct err *e)
{
	int64_t deadline = now_monotonic_ms() + request->timeout_ms;
	struct answer answer = { .body = STR_MAX(ret->body.max) };
	struct curl_slist *headers = NULL;
	CURL *curl;
	int r;

	if ((r = client_take_handle(c, deadline, &curl, e)) < 0)
		return r;
	r = client_build_headers(request, &headers);
	if (r < 0) {
		err_set(e, r, "http headers");
	} else {
		client_set_options(curl, request, headers, &answer);
		r = client_result(client_perform(curl, deadline, &answer), &answer, e);
	}
	if (r == 0)
		client_fill(curl, &answer, ret);
	str_free(&answer.body);
	/* The handle must not point into this stack frame while it rests. */
	curl_easy_reset(curl);
	curl_slist_free_all(headers);
	client_give_back(c, curl);
	return r;
}

void
http_client_free(struct http_client *c)
{
	if (!c)
		return;
	for (int i = 0; i < c->kept_count; i++)
		curl_easy_cleanup(c->kept[i]);
	gate_fini(&c->places);
	(void)pthread_mutex_destroy(&c->lock);
	free(c);
}
