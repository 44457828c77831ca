#include "gateway/gateway.h"

#include "base/scope.h"

const struct http_route gateway_routes[] = {
	{ HTTP_POST, "/login", gateway_login, NULL, NULL },
	{ HTTP_POST, "/upload", gateway_upload_begin, gateway_upload_body, gateway_upload_end },
	{ HTTP_GET, "/download", gateway_download, NULL, NULL },
	{ HTTP_GET, "/jobs/*", gateway_job, NULL, NULL },
};
const size_t gateway_route_count = ARRAY_LEN(gateway_routes);
