#include "net/multipart_private.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"

enum state {
	STATE_PREAMBLE,
	STATE_TAIL,      /* behind a delimiter: "--" or the end of its line */
	STATE_TAIL_DASH, /* one '-' seen */
	STATE_TAIL_LF,   /* the CR seen */
	STATE_HEAD,
	STATE_BODY_START, /* the head's last line end may be the delimiter's own: an empty part */
	STATE_BODY,
	STATE_DONE,
	STATE_FAILED,
};

#define PREAMBLE_MAX 8192

static bool
multipart_boundary_valid(const char *text)
{
	static const char allowed[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz'()+_,-./:=? ";
	size_t len = strlen(text);

	return len > 0 && len <= MULTIPART_BOUNDARY_MAX && strspn(text, allowed) == len &&
	       text[len - 1] != ' ';
}

static int
multipart_find_boundary(const char *content_type, struct multipart_param *ret, struct err *e)
{
	struct multipart_param param;
	bool found = false;
	const char *at;
	int r;

	if (!content_type || !multipart_value_is(content_type, "multipart/form-data", &at))
		return err_set(e, ERR_INVALID, "not multipart/form-data");
	memset(&param, 0, sizeof param);
	while ((r = multipart_param_next(&at, &param, e)) == 0) {
		if (strcasecmp(param.name, "boundary") != 0)
			continue;
		if (found)
			return err_set(e, ERR_INVALID, "two boundaries");
		found = true;
		*ret = param;
	}
	if (r < 0)
		return r;
	if (!found)
		return err_set(e, ERR_INVALID, "multipart without boundary");
	return 0;
}

int
multipart_init(struct multipart *m, const char *content_type, const struct multipart_events *events,
	       void *arg, struct err *e)
{
	struct multipart_param boundary;
	int r;

	if ((r = multipart_find_boundary(content_type, &boundary, e)) < 0)
		return r;
	if (!multipart_boundary_valid(boundary.value))
		return err_set(e, ERR_INVALID, "bad multipart boundary");
	m->events = events;
	m->arg = arg;
	m->state = STATE_PREAMBLE;
	m->parts = 0;
	m->head_len = 0;
	m->delimiter_len =
		(size_t)snprintf(m->delimiter, sizeof m->delimiter, "\r\n--%.70s", boundary.value);
	/* A body may begin with "--boundary": as if a line end stood before it. */
	m->matched = 2;
	return 0;
}

/* Bytes between delimiters: those of a part, or the preamble, which counts in head_len. */
static int
multipart_emit(struct multipart *m, const char *data, size_t len, struct err *e)
{
	if (len == 0)
		return 0;
	if (m->state == STATE_BODY)
		return m->events->part_data(m->arg, data, len, e);
	m->head_len += len;
	if (m->head_len > PREAMBLE_MAX)
		return err_set(e, ERR_INVALID, "multipart preamble too long");
	return 0;
}

static int
multipart_delimiter_found(struct multipart *m, struct err *e)
{
	bool in_part = m->state == STATE_BODY || m->state == STATE_BODY_START;

	m->state = STATE_TAIL;
	m->matched = 0;
	m->head_len = 0;
	return in_part ? m->events->part_end(m->arg, e) : 0;
}

/* Goes on with a delimiter that began in an earlier piece. CR stands only at its start, so a
 * mismatch gives back all that was held, and the search starts over at this very byte. */
static int
multipart_resume_match(struct multipart *m, const char **at, const char *end, struct err *e)
{
	size_t left = (size_t)(end - *at), want = m->delimiter_len - m->matched, held;
	size_t n = left < want ? left : want, i = 0, borrowed = 0;

	while (i < n && (*at)[i] == m->delimiter[m->matched + i])
		i++;
	*at += i;
	m->matched += i;
	if (m->matched == m->delimiter_len)
		return multipart_delimiter_found(m, e);
	if (i == n)
		return 0;
	if (m->state == STATE_BODY_START) {
		m->state = STATE_BODY;
		borrowed = 2; /* belongs to the head */
	}
	held = m->matched - borrowed;
	m->matched = 0;
	return multipart_emit(m, m->delimiter + borrowed, held, e);
}

static int
multipart_scan(struct multipart *m, const char **at, const char *end, struct err *e)
{
	const char *start = *at, *p = start;
	int r;

	if (m->matched > 0)
		return multipart_resume_match(m, at, end, e);
	while ((p = memchr(p, '\r', (size_t)(end - p)))) {
		size_t left = (size_t)(end - p);
		size_t n = left < m->delimiter_len ? left : m->delimiter_len;

		if (memcmp(p, m->delimiter, n) != 0) {
			p++;
			continue;
		}
		*at = p + n;
		if ((r = multipart_emit(m, start, (size_t)(p - start), e)) < 0)
			return r;
		m->matched = n;
		return n == m->delimiter_len ? multipart_delimiter_found(m, e) : 0;
	}
	*at = end;
	return multipart_emit(m, start, (size_t)(end - start), e);
}

static int
multipart_tail_byte(struct multipart *m, char c, struct err *e)
{
	if (m->state == STATE_TAIL && c == '-' && m->head_len == 0) {
		m->state = STATE_TAIL_DASH;
	} else if (m->state == STATE_TAIL && (c == ' ' || c == '\t') && m->head_len < 64) {
		m->head_len++; /* padding that a transport may add */
	} else if (m->state == STATE_TAIL && c == '\r') {
		m->state = STATE_TAIL_LF;
	} else if (m->state == STATE_TAIL_DASH && c == '-') {
		m->state = STATE_DONE;
	} else if (m->state == STATE_TAIL_LF && c == '\n') {
		if (m->parts >= MULTIPART_PARTS_MAX)
			return err_set(e, ERR_TOO_LARGE, "more than %d parts", MULTIPART_PARTS_MAX);
		m->parts++;
		m->head_len = 0;
		m->state = STATE_HEAD;
	} else {
		return err_set(e, ERR_INVALID, "bad multipart delimiter");
	}
	return 0;
}

static int
multipart_head_byte(struct multipart *m, char c, struct err *e)
{
	bool after_cr = m->head_len > 0 && m->head[m->head_len - 1] == '\r';
	int r;

	if (c == '\0' || after_cr != (c == '\n'))
		return err_set(e, ERR_INVALID, "bad byte in a part's head");
	if (m->head_len == sizeof m->head)
		return err_set(e, ERR_TOO_LARGE, "head of a part over %d bytes",
			       MULTIPART_HEAD_MAX);
	m->head[m->head_len++] = c;
	if (c != '\n')
		return 0;
	if (m->head_len > 2 && m->head[m->head_len - 3] != '\n')
		return 0;
	if ((r = multipart_head_read(m->head, m->head_len, &m->part, e)) < 0)
		return r;
	m->state = STATE_BODY_START;
	m->head_len = 0;
	m->matched = 2;
	return m->events->part_begin(m->arg, &m->part, e);
}

static int
multipart_step(struct multipart *m, const char **at, const char *end, struct err *e)
{
	switch ((enum state)m->state) {
	case STATE_PREAMBLE:
	case STATE_BODY_START:
	case STATE_BODY:
		return multipart_scan(m, at, end, e);
	case STATE_TAIL:
	case STATE_TAIL_DASH:
	case STATE_TAIL_LF:
		return multipart_tail_byte(m, *(*at)++, e);
	case STATE_HEAD:
		return multipart_head_byte(m, *(*at)++, e);
	case STATE_DONE:
		*at = end;
		return 0;
	case STATE_FAILED:
		break;
	}
	return err_set(e, ERR_INVALID, "multipart failed before");
}

int
multipart_feed(struct multipart *m, const char *data, size_t len, struct err *e)
{
	const char *at = data, *end = data + len;
	int r;

	while (at < end) {
		if ((r = multipart_step(m, &at, end, e)) < 0) {
			m->state = STATE_FAILED;
			return r;
		}
	}
	return 0;
}

int
multipart_finish(const struct multipart *m, struct err *e)
{
	if (m->state != STATE_DONE)
		return err_set(e, ERR_INVALID, "multipart without its final boundary");
	return 0;
}
