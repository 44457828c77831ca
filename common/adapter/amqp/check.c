#include <stdio.h>
#include <string.h>

#include "adapter/amqp/private.h"
#include "base/scope.h"
#include "base/text/str.h"

#define DEAD_SUFFIX ".dead"

int
amqp_url_split(char *url, struct amqp_connection_info *ret_info, struct err *e)
{
	if (amqp_parse_url(url, ret_info) != AMQP_STATUS_OK)
		return err_set(e, ERR_INVALID,
			       "is not of the form amqp://user:password@host:port/vhost");
	if (ret_info->ssl)
		return err_set(e, ERR_INVALID, "amqps is not supported, use amqp");
	return 0;
}

int
amqp_name_dead(const char *queue, char ret[QUEUE_NAME_MAX + 1], struct err *e)
{
	char dead[QUEUE_NAME_MAX + sizeof DEAD_SUFFIX];

	(void)snprintf(dead, sizeof dead, "%s" DEAD_SUFFIX, queue);
	return str_copy(ret, QUEUE_NAME_MAX + 1, dead, e);
}

int
queue_amqp_check(const char *url, struct err *e)
{
	SCOPED_FREE char *copy = strdup(url);
	struct amqp_connection_info info;

	return copy ? amqp_url_split(copy, &info, e) : err_set(e, ERR_NO_MEMORY, "queue");
}

int
queue_amqp_name_check(const char *name, struct err *e)
{
	size_t len = strlen(name), dead = strlen(DEAD_SUFFIX);
	char named[QUEUE_NAME_MAX + 1];

	if (amqp_name_dead(name, named, NULL) < 0)
		return err_set(e, ERR_INVALID, "is longer than %zu bytes", QUEUE_NAME_MAX - dead);
	if (strncmp(name, "amq.", 4) == 0)
		return err_set(e, ERR_INVALID, "\"%.40s\": names with amq. are the broker's own",
			       name);
	if (len >= dead && strcmp(name + len - dead, DEAD_SUFFIX) == 0)
		return err_set(e, ERR_INVALID,
			       "\"%.40s\": names that end with .dead are of dead letters", name);
	return 0;
}
