#include <string.h>

#include "base/scope.h"
#include "daemon/life.h"

#define TEXT_MAX (4 * 1024 * 1024)
#define ADMIN_CONNECTIONS 64

static void
admin_answer(struct http_request *req, int status, const char *type, const struct str *text)
{
	struct http_reply reply = {
		.status = status, .content_type = type, .body = str_text(text), .len = text->len
	};

	if (str_error(text, NULL) < 0)
		http_reply_text(req, 500, "internal server error");
	else
		http_reply(req, &reply);
}

static void
admin_healthz(struct http_request *req, void *service)
{
	(void)service;
	http_reply(req, &(struct http_reply){ .status = 200,
					      .content_type = "text/plain; charset=utf-8",
					      .body = "ok" });
}

static bool
admin_is_ready(const struct daemon *d)
{
	return atomic_load(&d->watching) && health_reached(d->health) &&
	       !stop_requested(&d->stop) && !stop_requested(&d->finished);
}

static void
admin_readyz(struct http_request *req, void *service)
{
	SCOPED(str_free) struct str text = STR_MAX(TEXT_MAX);
	struct daemon *d = service;
	bool ready = admin_is_ready(d);

	if (!http_query(req, "verbose")) {
		str_puts(&text, ready ? "ready" : "not ready");
	} else {
		health_describe(d->health, &text);
		if (stop_requested(&d->stop))
			str_puts(&text, "draining\n");
	}
	admin_answer(req, ready ? 200 : 503, "text/plain; charset=utf-8", &text);
}

static void
admin_metrics(struct http_request *req, void *service)
{
	SCOPED(str_free) struct str text = STR_MAX(TEXT_MAX);
	struct daemon *d = service;

	process_metrics_refresh(d);
	(void)metrics_write(d->metrics, &text, NULL);
	admin_answer(req, 200, "text/plain; version=0.0.4", &text);
}

int
admin_start(struct daemon *d, struct err *e)
{
	static const struct http_route routes[] = {
		{ .method = HTTP_GET, .path = "/healthz", .begin = admin_healthz },
		{ .method = HTTP_GET, .path = "/readyz", .begin = admin_readyz },
		{ .method = HTTP_GET, .path = "/metrics", .begin = admin_metrics },
	};
	struct http_server_config c = http_server_defaults();

	c.address = d->config->listen_address;
	c.port = (int)d->config->admin_port;
	c.routes = routes;
	c.route_count = ARRAY_LEN(routes);
	c.service = d;
	c.max_connections = ADMIN_CONNECTIONS;
	c.observer = NULL;
	return http_server_start(&c, &d->admin, e);
}
