#include "net/multipart_private.h"

#include <string.h>
#include <strings.h>

#include "base/err.h"

static bool
head_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool
head_is_token_char(char c)
{
	return c > ' ' && c < 0x7f && !strchr("()<>@,;:\\\"/[]?={}", c);
}

static const char *
head_skip_blanks(const char *p)
{
	while (head_is_blank(*p))
		p++;
	return p;
}

bool
multipart_value_is(const char *value, const char *word, const char **ret_rest)
{
	size_t len = strlen(word);
	const char *p = head_skip_blanks(value);

	if (strncasecmp(p, word, len) != 0)
		return false;
	p = head_skip_blanks(p + len);
	if (*p != '\0' && *p != ';')
		return false;
	*ret_rest = p;
	return true;
}

/* A name that is cut must not end within a character: the rest would be no UTF-8 any more. */
static void
head_finish_value(struct multipart_param *param, size_t len)
{
	while (param->cut && len > 0 && ((unsigned char)param->value[len] & 0xc0) == 0x80)
		len--;
	param->value[len] = '\0';
}

static void
head_put(struct multipart_param *param, size_t *len, char c)
{
	if (*len < sizeof param->value - 1) {
		param->value[(*len)++] = c;
		return;
	}
	/* The last place keeps the byte at which the value was cut, for finish_value. */
	if (!param->cut)
		param->value[*len] = c;
	param->cut = true;
}

/* Only \" and \\ are escapes: some browsers send a whole Windows path with bare backslashes. */
static int
head_read_quoted(const char **at, struct multipart_param *ret, struct err *e)
{
	const char *p = *at + 1;
	size_t len = 0;

	for (; *p != '"'; p++) {
		if (*p == '\0')
			return err_set(e, ERR_INVALID, "unterminated quoted text");
		if (*p == '\\' && (p[1] == '"' || p[1] == '\\'))
			p++;
		head_put(ret, &len, *p);
	}
	head_finish_value(ret, len);
	*at = p + 1;
	return 0;
}

static void
head_read_bare(const char **at, struct multipart_param *ret)
{
	const char *p = *at;
	size_t len = 0;

	for (; *p != '\0' && *p != ';' && !head_is_blank(*p); p++)
		head_put(ret, &len, *p);
	head_finish_value(ret, len);
	*at = p;
}

static int
head_read_param_name(const char **at, struct multipart_param *ret, struct err *e)
{
	const char *p = *at;
	size_t len = 0;

	for (; head_is_token_char(*p); p++)
		if (len < sizeof ret->name - 1)
			ret->name[len++] = *p;
	ret->name[len] = '\0';
	p = head_skip_blanks(p);
	if (len == 0 || *p != '=')
		return err_set(e, ERR_INVALID, "parameter without a name or value");
	*at = head_skip_blanks(p + 1);
	return 0;
}

int
multipart_param_next(const char **at, struct multipart_param *ret, struct err *e)
{
	const char *p = head_skip_blanks(*at);
	int r;

	while (*p == ';')
		p = head_skip_blanks(p + 1);
	if (*p == '\0')
		return MULTIPART_PARAM_END;
	ret->cut = false;
	if ((r = head_read_param_name(&p, ret, e)) < 0)
		return r;
	if (*p == '"') {
		if ((r = head_read_quoted(&p, ret, e)) < 0)
			return r;
	} else {
		head_read_bare(&p, ret);
	}
	p = head_skip_blanks(p);
	if (*p != '\0' && *p != ';')
		return err_set(e, ERR_INVALID, "text behind a parameter");
	*at = p;
	return 0;
}

struct found {
	bool disposition, name;
};

static int
head_take_param(const struct multipart_param *param, struct found *found,
		struct multipart_part *part, struct err *e)
{
	if (strcasecmp(param->name, "name") == 0) {
		if (found->name || param->cut)
			return err_set(e, ERR_INVALID, "part with two names or one too long");
		found->name = true;
		memcpy(part->name, param->value, sizeof part->name);
	} else if (strcasecmp(param->name, "filename") == 0) {
		if (part->has_filename)
			return err_set(e, ERR_INVALID, "part with two filenames");
		part->has_filename = true;
		memcpy(part->filename, param->value, sizeof part->filename);
	}
	return 0;
}

static int
head_read_disposition(const char *value, struct found *found, struct multipart_part *part,
		      struct err *e)
{
	struct multipart_param param;
	const char *at;
	int r;

	if (found->disposition)
		return err_set(e, ERR_INVALID, "part with two Content-Dispositions");
	if (!multipart_value_is(value, "form-data", &at))
		return err_set(e, ERR_INVALID, "part that is not form-data");
	found->disposition = true;
	memset(&param, 0, sizeof param);
	while ((r = multipart_param_next(&at, &param, e)) == 0)
		if ((r = head_take_param(&param, found, part, e)) < 0)
			return r;
	return r < 0 ? r : 0;
}

static int
head_read_content_type(const char *value, struct multipart_part *part, struct err *e)
{
	size_t len;

	value = head_skip_blanks(value);
	if (strncasecmp(value, "multipart/", 10) == 0)
		return err_set(e, ERR_INVALID, "nested multipart");
	len = strnlen(value, sizeof part->content_type - 1);
	memcpy(part->content_type, value, len);
	part->content_type[len] = '\0';
	return 0;
}

static int
head_read_line(char *line, struct found *found, struct multipart_part *part, struct err *e)
{
	char *colon = strchr(line, ':');
	const char *p;

	if (!colon || colon == line)
		return err_set(e, ERR_INVALID, "part with a head line without a name");
	for (p = line; p < colon; p++)
		if (!head_is_token_char(*p))
			return err_set(e, ERR_INVALID, "part with a bad header name");
	*colon = '\0';
	if (strcasecmp(line, "Content-Disposition") == 0)
		return head_read_disposition(colon + 1, found, part, e);
	if (strcasecmp(line, "Content-Type") == 0)
		return head_read_content_type(colon + 1, part, e);
	return 0;
}

int
multipart_head_read(char *head, size_t len, struct multipart_part *ret, struct err *e)
{
	struct found found = { false, false };
	char *line = head, *end = head + len;
	int r;

	memset(ret, 0, sizeof *ret);
	while (line < end && *line != '\r') {
		char *cr = memchr(line, '\r', (size_t)(end - line));

		if (!cr)
			return err_set(e, ERR_INVALID, "part with an unfinished head");
		*cr = '\0';
		if ((r = head_read_line(line, &found, ret, e)) < 0)
			return r;
		line = cr + 2;
	}
	if (!found.disposition)
		return err_set(e, ERR_INVALID, "part without Content-Disposition");
	if (!found.name)
		return err_set(e, ERR_INVALID, "part without a name");
	return 0;
}
