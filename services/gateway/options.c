#include "gateway/options.h"

#include <string.h>

int
upload_options_query(struct upload_options *o, const struct http_request *req, struct err *e)
{
	for (int i = 0; i < MEDIA_OPTIONS; i++) {
		enum media_option option = (enum media_option)i;
		const char *name = media_option_name(option), *value = http_query(req, name);
		int r;

		if (!value)
			continue;
		if (http_query_has_nul(req, name))
			value = "";
		if ((r = media_option_set(&o->spec, option, value, e)) < 0)
			return r;
	}
	return 0;
}

void
upload_options_begin(struct upload_options *o, const char *name)
{
	o->in_field = media_option_named(name, &o->option) == 0;
	o->len = 0;
}

void
upload_options_data(struct upload_options *o, const char *data, size_t len)
{
	size_t room = sizeof o->value - 1 - o->len;
	size_t n = len < room ? len : room;

	if (!o->in_field)
		return;
	memcpy(o->value + o->len, data, n);
	o->len += n;
}

int
upload_options_end(struct upload_options *o, struct err *e)
{
	if (!o->in_field)
		return 0;
	o->in_field = false;
	o->value[o->len] = '\0';
	/* a value with a NUL byte is none, whatever stands in front of it */
	if (strlen(o->value) != o->len)
		o->value[0] = '\0';
	return media_option_set(&o->spec, o->option, o->value, e);
}
