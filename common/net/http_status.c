#include "net/http_status.h"

#include <stddef.h>

#include "base/err.h"
#include "base/scope.h"

int
http_status_of(int err_code)
{
	switch (err_code) {
	case ERR_INVALID:
		return 400;
	case ERR_DENIED:
		return 403;
	case ERR_NOT_FOUND:
		return 404;
	case ERR_CONFLICT:
		return 409;
	case ERR_TOO_LARGE:
		return 413;
	case ERR_UNAVAILABLE:
	case ERR_TIMEOUT:
	case ERR_NO_MEMORY:
		return 503;
	default:
		return 500;
	}
}

const char *
http_status_words(int status)
{
	static const struct {
		int status;
		const char *words;
	} table[] = {
		{ 200, "ok" },
		{ 400, "bad request" },
		{ 401, "unauthorized" },
		{ 403, "not authorized" },
		{ 404, "not found" },
		{ 405, "method not allowed" },
		{ 408, "request timeout" },
		{ 409, "conflict" },
		{ 413, "request entity too large" },
		{ 416, "range not satisfiable" },
		{ 429, "too many requests" },
		{ 431, "request header fields too large" },
		{ 500, "internal server error" },
		{ 503, "service unavailable" },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (table[i].status == status)
			return table[i].words;
	return status >= 500 ? "internal server error" : "bad request";
}
