#include "base/log/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log/line.h"
#include "base/scope.h"

#define CONTEXTS 4
#define CONTEXT_KEY_MAX 31
#define CONTEXT_VALUE_MAX 64
#define STALL_MS 1000 /* a reader that takes nothing for so long loses the line */

struct context {
	char key[CONTEXT_KEY_MAX + 1]; /* "" = free */
	char value[CONTEXT_VALUE_MAX + 1];
};

/* set once */
static struct {
	const char *service;
	enum log_level level;
	enum log_format format;
	int fd;
} logger = { "tonearm", LOG_LEVEL_INFO, LOG_FORMAT_TEXT, 1 };

/* A pipe takes more than 4096 bytes in pieces, so whole lines need a lock among our own threads. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool torn; /* under lock: the last line did not go out whole */

static _Thread_local struct context contexts[CONTEXTS];

static const char *const level_names[] = { "debug", "info", "warn", "error" };
static const char *const format_names[] = { "text", "json" };

void
log_init(const char *service, enum log_level level, enum log_format format, int fd)
{
	logger.service = service;
	logger.level = level;
	logger.format = format;
	logger.fd = fd;
}

static int
log_word_index(const char *text, const char *const *words, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (strcmp(text, words[i]) == 0)
			return (int)i;
	return -1;
}

int
log_level_parse(const char *text, enum log_level *ret)
{
	int i = log_word_index(text, level_names, ARRAY_LEN(level_names));

	if (i < 0)
		return -1;
	*ret = (enum log_level)i;
	return 0;
}

int
log_format_parse(const char *text, enum log_format *ret)
{
	int i = log_word_index(text, format_names, ARRAY_LEN(format_names));

	if (i < 0)
		return -1;
	*ret = (enum log_format)i;
	return 0;
}

static size_t
log_write_some(const char *data, size_t len)
{
	struct pollfd p = { .fd = logger.fd, .events = POLLOUT };
	ssize_t n;

	do
		n = write(logger.fd, data, len);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return (size_t)n;
	if (errno != EAGAIN || poll(&p, 1, STALL_MS) <= 0)
		return 0;
	n = write(logger.fd, data, len);
	return n > 0 ? (size_t)n : 0;
}

static void
log_emit(const struct log_line *l)
{
	size_t done = 0, n;

	(void)pthread_mutex_lock(&lock);
	if (torn && log_write_some("\n", 1) == 1)
		torn = false;
	while (!torn && done < l->len && (n = log_write_some(l->data + done, l->len - done)) > 0)
		done += n;
	if (done > 0 && done < l->len)
		torn = true;
	(void)pthread_mutex_unlock(&lock);
}

static void
log_add_time(struct log_line *l)
{
	int64_t now = now_unix_ms();
	time_t seconds = (time_t)(now / 1000);
	char day[32], text[48];
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		return;
	(void)snprintf(text, sizeof text, "%s.%03dZ", day, (int)(now % 1000));
	log_line_field(l, &LOG_STR("ts", text));
}

/* A JSON object must not name a key twice. */
static bool
log_has_key(const struct log_field *fields, const char *key)
{
	for (; fields && fields->type != LOG_FIELD_END; fields++)
		if (strcmp(fields->key, key) == 0)
			return true;
	return false;
}

static void
log_begin_line(struct log_line *l, enum log_level level, const struct log_field *fields)
{
	size_t i;

	log_line_begin(l, logger.format);
	log_add_time(l);
	log_line_field(l, &LOG_STR("level", level_names[level]));
	log_line_field(l, &LOG_STR("svc", logger.service));
	for (i = 0; i < CONTEXTS; i++)
		if (contexts[i].key[0] != '\0' && !log_has_key(fields, contexts[i].key))
			log_line_field(l, &LOG_STR(contexts[i].key, contexts[i].value));
}

static void
log_finish_line(struct log_line *l, const struct log_field *fields)
{
	const struct log_field *f;

	for (f = fields; f && f->type != LOG_FIELD_END; f++)
		log_line_field(l, f);
	log_line_end(l);
	log_emit(l);
}

void
log_write(enum log_level level, const struct log_field *fields)
{
	struct log_line l;

	if (level < logger.level)
		return;
	log_begin_line(&l, level, fields);
	log_finish_line(&l, fields);
}

void
log_bare(const char *words, const struct log_field *fields)
{
	struct log_line l;

	if (logger.format == LOG_FORMAT_TEXT) {
		log_line_begin(&l, logger.format);
		log_line_words(&l, words);
		log_finish_line(&l, NULL);
		return;
	}
	log_begin_line(&l, LOG_LEVEL_INFO, fields);
	log_line_field(&l, &LOG_STR("msg", words));
	log_finish_line(&l, fields);
}

static void
log_copy_cut(char *to, size_t size, const char *text)
{
	size_t len = strnlen(text, size - 1);

	memcpy(to, text, len);
	to[len] = '\0';
}

void
log_context(const char *key, const char *value)
{
	struct context *c, *place = NULL;

	for (c = contexts; c < contexts + CONTEXTS; c++) {
		if (strncmp(c->key, key, CONTEXT_KEY_MAX) == 0) {
			place = c;
			break;
		}
		if (c->key[0] == '\0' && !place)
			place = c;
	}
	if (!place)
		return;
	place->key[0] = '\0';
	if (!value)
		return;
	log_copy_cut(place->key, sizeof place->key, key);
	log_copy_cut(place->value, sizeof place->value, value);
}
