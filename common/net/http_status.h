/* The one table from error codes to HTTP statuses and MsgQ's words. */
#ifndef TONEARM_NET_HTTP_STATUS_H
#define TONEARM_NET_HTTP_STATUS_H

int http_status_of(
	int err_code); /* INVALID 400, DENIED 403, NOT_FOUND 404, CONFLICT 409, TOO_LARGE 413, */
		       /* UNAVAILABLE and TIMEOUT and NO_MEMORY 503, else 500 */
const char *http_status_words(int status); /* "not found", "service unavailable": one plain line */

#endif
