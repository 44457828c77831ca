#include "base/config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config/value.h"
#include "base/scope.h"
#include "base/text/str.h"

#define NAME_MAX_BYTES 128
#define FILE_MAX 8192  /* larger than any value that a key takes */
#define APART_MAX 1024 /* bytes of a value that is compared with another */

struct source {
	config_getenv get;
	void *arg;
	FILE *report;
	struct str words; /* all findings, for the error */
};

static const char *
config_process_getenv(const char *name, void *arg)
{
	(void)arg;
	return getenv(name);
}

static const char *
config_lookup(const struct source *s, const char *name)
{
	const char *value = s->get(name, s->arg);

	return value && value[0] != '\0' ? value : NULL;
}

static void
config_close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* Reads a whole small file into text, without one trailing newline. */
static int
config_read_file(const char *path, char text[FILE_MAX], struct err *e)
{
	SCOPED(config_close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t len = 0;
	ssize_t n = 0;

	if (fd < 0)
		return err_errno(e, ERR_INVALID, errno, path);
	while (len < FILE_MAX && (n = read(fd, text + len, FILE_MAX - len)) > 0)
		len += (size_t)n;
	if (n < 0)
		return err_errno(e, ERR_INVALID, errno, path);
	if (len == FILE_MAX)
		return err_set(e, ERR_INVALID, "%s: a file of %d bytes or more", path, FILE_MAX);
	if (memchr(text, '\0', len))
		return err_set(e, ERR_INVALID, "%s: the file holds a NUL byte", path);
	if (len > 0 && text[len - 1] == '\n')
		len -= len > 1 && text[len - 2] == '\r' ? 2 : 1;
	text[len] = '\0';
	return 0;
}

static int
config_read_from_file(const struct config_key *key, const char *path, void *member, struct err *e)
{
	char text[FILE_MAX];
	int r = config_read_file(path, text, e);

	if (r == 0 && text[0] == '\0')
		r = err_set(e, ERR_INVALID, "%s: the file is empty", path);
	if (r == 0)
		r = config_value_read(key, text, member, e);
	memory_wipe(text, sizeof text);
	return r;
}

static int
config_read_key(const struct source *s, const struct config_key *key, void *member, struct err *e)
{
	char file_key[NAME_MAX_BYTES];
	const char *value = config_lookup(s, key->name), *path;

	if (snprintf(file_key, sizeof file_key, "%s_FILE", key->name) >= (int)sizeof file_key)
		return err_set(e, ERR_INTERNAL, "name too long");
	path = config_lookup(s, file_key);
	if (value && path)
		return err_set(e, ERR_INVALID, "is set together with %s", file_key);
	if (path)
		return err_prefix(e, config_read_from_file(key, path, member, e), "%s", file_key);
	if (!value && !key->fallback)
		return err_set(e, ERR_INVALID, "is required");
	return config_value_read(key, value ? value : key->fallback, member, e);
}

static void
config_report_error(struct source *s, const struct config_key *key, const char *words)
{
	if (s->report)
		(void)fprintf(s->report, "%s: %s\n", key->name, words);
	str_printf(&s->words, "%s%s: %s", s->words.len ? "; " : "", key->name, words);
}

/* One pass over all keys; config NULL only checks. */
static int
config_each_key(struct source *s, const struct config_key *const *tables, void *config)
{
	const struct config_key *key;
	int bad = 0;

	for (; *tables; tables++)
		for (key = *tables; key->name; key++) {
			struct err why = ERR_NONE;

			if (config_read_key(s, key, config ? (char *)config + key->offset : NULL,
					    &why) < 0) {
				config_report_error(s, key, why.text);
				bad++;
			}
		}
	return bad;
}

/* Whether two keys that must stand apart do not. */
static bool
config_collides(const struct source *s, const struct config_key *one,
		const struct config_key *other)
{
	static const char nothing[APART_MAX];
	char a[APART_MAX] = "", b[APART_MAX] = "";

	return one->apart && other->apart && strcmp(one->apart, other->apart) == 0 &&
	       one->size <= sizeof a && other->size <= sizeof b &&
	       config_read_key(s, one, a, NULL) == 0 && config_read_key(s, other, b, NULL) == 0 &&
	       memcmp(a, b, sizeof a) == 0 && memcmp(a, nothing, sizeof a) != 0;
}

/* The key in front of this one that has its value and must not; NULL: there is none. */
static const struct config_key *
config_collision(const struct source *s, const struct config_key *const *tables,
		 const struct config_key *key)
{
	for (; *tables; tables++)
		for (const struct config_key *other = *tables; other->name; other++) {
			if (other == key)
				return NULL;
			if (config_collides(s, other, key))
				return other;
		}
	return NULL;
}

static int
config_find_collisions(struct source *s, const struct config_key *const *tables)
{
	const struct config_key *const *t, *key, *other;
	char words[NAME_MAX_BYTES + 32];
	int bad = 0;

	for (t = tables; *t; t++)
		for (key = *t; key->name; key++)
			if (key->apart && (other = config_collision(s, tables, key))) {
				(void)snprintf(words, sizeof words, "has the value of %s too",
					       other->name);
				config_report_error(s, key, words);
				bad++;
			}
	return bad;
}

int
config_load_from(const struct config_key *const *tables, void *config, config_getenv get, void *arg,
		 FILE *report, struct err *e)
{
	struct source s = { .get = get ? get : config_process_getenv,
			    .arg = arg,
			    .report = report,
			    .words = STR_MAX(65536) };
	int r = 0;
	/* First a pass that stores nothing, so that a bad key leaves config as it was. */
	int bad = config_each_key(&s, tables, NULL) + config_find_collisions(&s, tables);

	if (bad > 0 || config_each_key(&s, tables, config) > 0)
		r = err_set(e, ERR_INVALID, "configuration: %s", str_text(&s.words));
	str_free(&s.words);
	return r;
}

int
config_load(const struct config_key *const *tables, void *config, struct err *e)
{
	return config_load_from(tables, config, NULL, NULL, NULL, e);
}
