#include "worker/tags/id3.h"

#include <assert.h>
#include <string.h>

#include "worker/tags/id3_text.h"

#define HEADER_BYTES 10
#define FRAME_HEADER_BYTES 10
#define ENCODING_UTF8 3
#define FRONT_COVER 3

static_assert(ID3_HEAD_MAX > (ID3_FIELDS - 1) * (ID3_TEXT_MAX + 16) + ID3_COMMENT_MAX + 256,
	      "the longest texts fit");

static const char software[] = "Tonearm " TONEARM_VERSION;
static const char names[ID3_FIELDS][5] = {
	[ID3_TITLE] = "TIT2", [ID3_ARTIST] = "TPE1", [ID3_ALBUM] = "TALB",   [ID3_TRACK] = "TRCK",
	[ID3_DATE] = "TDRC",  [ID3_GENRE] = "TCON",  [ID3_COMMENT] = "COMM",
};

/* ID3v2.4 sizes: four bytes of seven bits each. */
static void
id3_put_size(uint8_t *to, size_t size)
{
	for (int i = 3; i >= 0; i--, size >>= 7)
		to[i] = (uint8_t)(size & 0x7f);
}

static size_t
id3_put_frame_header(uint8_t *to, const char *name, size_t size)
{
	memcpy(to, name, 4);
	id3_put_size(to + 4, size);
	to[8] = to[9] = 0;
	return FRAME_HEADER_BYTES;
}

static size_t
id3_put_text(uint8_t *to, enum id3_field field, const char *text)
{
	/* What stands in front of a comment: no language, no description. */
	static const char about[] = { ENCODING_UTF8, 'X', 'X', 'X', '\0' };
	size_t front = field == ID3_COMMENT ? sizeof about : 1, len;
	char *words = (char *)to + FRAME_HEADER_BYTES + front;

	if (field == ID3_DATE)
		len = id3_date(text, words);
	else if (field == ID3_COMMENT)
		len = id3_clean(text, ID3_MANY_LINES, words, ID3_COMMENT_MAX);
	else
		len = id3_clean(text, ID3_ONE_LINE, words, ID3_TEXT_MAX);
	if (len == 0)
		return 0;
	words[len] = '\0';
	memcpy(to + FRAME_HEADER_BYTES, about, front);
	return id3_put_frame_header(to, names[field], front + len + 1) + front + len + 1;
}

static const char *
id3_picture_type(const uint8_t *picture, size_t len)
{
	if (len > 3 && memcmp(picture, "\xff\xd8\xff", 3) == 0)
		return "image/jpeg";
	if (len > 8 && memcmp(picture, "\x89PNG\r\n\x1a\n", 8) == 0)
		return "image/png";
	return NULL;
}

/* But for its bytes. */
static size_t
id3_put_picture(uint8_t *to, const struct id3_content *content)
{
	const char *type = id3_picture_type(content->picture, content->picture_len);
	uint8_t *at = to + FRAME_HEADER_BYTES;
	size_t len = strlen(type) + 1;

	*at++ = ENCODING_UTF8;
	memcpy(at, type, len);
	at += len;
	*at++ = FRONT_COVER;
	*at++ = '\0'; /* no description */
	len = (size_t)(at - to);
	(void)id3_put_frame_header(to, "APIC", len - FRAME_HEADER_BYTES + content->picture_len);
	return len;
}

bool
id3_takes_picture(const uint8_t *picture, size_t len)
{
	return len <= ID3_PICTURE_MAX && id3_picture_type(picture, len) != NULL;
}

size_t
id3_write(const struct id3_content *content, uint8_t to[ID3_HEAD_MAX])
{
	uint8_t *at = to + HEADER_BYTES;

	for (enum id3_field field = 0; field < ID3_FIELDS; field++)
		if (content->text[field])
			at += id3_put_text(at, field, content->text[field]);
	at += id3_put_frame_header(at, "TSSE", 1 + sizeof software);
	*at++ = ENCODING_UTF8;
	memcpy(at, software, sizeof software);
	at += sizeof software;
	if (content->picture_len > 0)
		at += id3_put_picture(at, content);
	memset(to, 0, HEADER_BYTES);
	memcpy(to, "ID3\4", 4);
	id3_put_size(to + 6, (size_t)(at - to) - HEADER_BYTES + content->picture_len);
	return (size_t)(at - to);
}
