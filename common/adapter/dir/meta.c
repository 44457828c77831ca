/* What is known of a blob, as `key: value` lines. Texts are a sender's: control characters and the
 * percent sign are written %XX, so that a text is one line and comes back as it was. */
#include "adapter/dir/private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text/hex.h"
#include "base/text/str.h"

#define META_MODE 0440 /* less the umask */
#define META_FIRST "tonearm-blob: 1\n"

static void
meta_put(struct str *to, const char *key, const char *text)
{
	bool utf8 = utf8_valid(text, strlen(text));

	if (text[0] == '\0')
		return;
	str_printf(to, "%s: ", key);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == 0x7f || c == '%')
			str_printf(to, "%%%02x", c);
		else
			str_append(to, c >= 0x80 && !utf8 ? "?" : text, 1);
	}
	str_puts(to, "\n");
}

static int
meta_store(int fd, const struct str *text, const char *path, struct err *e)
{
	size_t done = 0;

	while (done < text->len) {
		ssize_t n = write(fd, text->data + done, text->len - done);

		if (n < 0 && errno != EINTR)
			return dir_err(e, errno, path);
		done += n > 0 ? (size_t)n : 0;
	}
	return fsync(fd) < 0 ? dir_err(e, errno, path) : 0;
}

int
dir_meta_write(const struct dir_path *path, const struct blob_info *info, struct err *e)
{
	SCOPED(str_free) struct str text = STR_MAX(DIR_META_MAX);
	int fd, r;

	str_puts(&text, META_FIRST);
	str_printf(&text, "length: %" PRId64 "\nuploaded_ms: %" PRId64 "\n", info->length,
		   info->uploaded_ms);
	if (info->meta.owner_unreadable)
		str_puts(&text, "owner: %00\n"); /* and stays so */
	else
		meta_put(&text, "owner", info->meta.owner);
	meta_put(&text, "video_fid", info->meta.video_fid.hex);
	meta_put(&text, "content_type", info->meta.content_type);
	meta_put(&text, "filename", info->meta.filename);
	if ((r = str_error(&text, e)) < 0)
		return r;
	if ((r = dir_unlink(path, e)) < 0) /* of a commit that was interrupted */
		return r;
	fd = open(path->text, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, META_MODE);
	if (fd < 0)
		return errno == ENOENT || errno == EEXIST
			       ? err_set(e, ERR_UNAVAILABLE, "the blob was cleared away")
			       : dir_err(e, errno, path->text);
	r = meta_store(fd, &text, path->text, e);
	if (close(fd) < 0 && r == 0)
		r = dir_err(e, errno, path->text);
	return r;
}

/* Decodes value into to; false when it is no text of ours. */
static bool
meta_text(const char *value, char *to, size_t size)
{
	size_t n = 0;

	for (; *value; value++) {
		uint8_t c = (uint8_t)*value;

		if (c == '%') {
			char digits[3] = { value[1], value[1] ? value[2] : '\0', '\0' };

			if (hex_decode(digits, &c, 1) < 0 || c == '\0')
				return false;
			value += 2;
		}
		if (n + 1 >= size)
			return false;
		to[n++] = (char)c;
	}
	to[n] = '\0';
	return utf8_valid(to, n);
}

static bool
meta_number(const char *value, int64_t *ret)
{
	long long number;

	if (parse_int(value, 0, INT64_MAX, &number, NULL) < 0)
		return false;
	*ret = number;
	return true;
}

/* One line; a key that is unknown is of a later version. */
static bool
meta_line(const char *key, const char *value, struct blob_info *info)
{
	struct blob_meta *m = &info->meta;

	if (strcmp(key, "length") == 0)
		return meta_number(value, &info->length);
	if (strcmp(key, "uploaded_ms") == 0)
		return meta_number(value, &info->uploaded_ms);
	if (strcmp(key, "video_fid") == 0)
		return blob_id_parse(value, &m->video_fid) == 0;
	if (strcmp(key, "owner") == 0 && !meta_text(value, m->owner, sizeof m->owner)) {
		m->owner[0] = '\0';
		m->owner_unreadable = true;
	} else if (strcmp(key, "content_type") == 0 &&
		   !meta_text(value, m->content_type, sizeof m->content_type)) {
		m->content_type[0] = '\0';
	} else if (strcmp(key, "filename") == 0 &&
		   !meta_text(value, m->filename, sizeof m->filename)) {
		m->filename[0] = '\0';
	}
	return true;
}

/* Whether all of text is ours; it is taken apart in place. */
static bool
meta_parse(char *text, struct blob_info *info)
{
	char *rest = text + sizeof META_FIRST - 1, *end;

	if (strncmp(text, META_FIRST, sizeof META_FIRST - 1) != 0)
		return false;
	info->length = -1;
	for (; (end = strchr(rest, '\n')); rest = end + 1) {
		char *value = strstr(rest, ": ");

		*end = '\0';
		if (!value || value > end)
			return false;
		*value = '\0';
		if (!meta_line(rest, value + 2, info))
			return false;
	}
	return *rest == '\0' && info->length >= 0;
}

int
dir_meta_read(const struct dir_path *path, struct blob_info *ret, struct err *e)
{
	int fd = open(path->text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct blob_info info = *ret;
	char text[DIR_META_MAX + 1];
	ssize_t n;

	if (fd < 0 && (errno == ENOENT || errno == ELOOP))
		return err_errno(e, ERR_CORRUPT, errno, path->text);
	if (fd < 0)
		return dir_err(e, errno, path->text);
	n = read(fd, text, sizeof text);
	if (n < 0)
		(void)dir_err(e, errno, path->text);
	(void)close(fd);
	if (n < 0)
		return ERR_UNAVAILABLE;
	text[n < DIR_META_MAX ? n : DIR_META_MAX] = '\0';
	if (n > DIR_META_MAX || memchr(text, '\0', (size_t)n) || !meta_parse(text, &info))
		return err_set(e, ERR_CORRUPT, "%s: no metadata of a blob", path->text);
	*ret = info;
	return 0;
}
