#include "worker/tags/id3.h"

#include <assert.h>
#include <string.h>

#define HEADER_BYTES 10
#define FRAME_HEADER_BYTES 10
#define ENCODING_UTF8 3
#define FRONT_COVER 3

static_assert(ID3_HEAD_MAX > (TAG_FIELDS - 1) * (TAG_TEXT_MAX + 16) + TAG_COMMENT_MAX + 256,
	      "the longest texts fit");

static const char software[] = "Tonearm " TONEARM_VERSION;
static const char names[TAG_FIELDS][5] = {
	[TAG_TITLE] = "TIT2", [TAG_ARTIST] = "TPE1", [TAG_ALBUM] = "TALB",   [TAG_TRACK] = "TRCK",
	[TAG_DATE] = "TDRC",  [TAG_GENRE] = "TCON",  [TAG_COMMENT] = "COMM",
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
id3_put_text(uint8_t *to, enum tag_field field, const char *text)
{
	/* What stands in front of a comment: no language, no description. */
	static const char about[] = { ENCODING_UTF8, 'X', 'X', 'X', '\0' };
	size_t front = field == TAG_COMMENT ? sizeof about : 1, len;
	char *words = (char *)to + FRAME_HEADER_BYTES + front;

	if (field == TAG_DATE)
		len = tags_date(text, words);
	else if (field == TAG_COMMENT)
		len = tags_clean(text, TAG_MANY_LINES, words, TAG_COMMENT_MAX);
	else
		len = tags_clean(text, TAG_ONE_LINE, words, TAG_TEXT_MAX);
	if (len == 0)
		return 0;
	words[len] = '\0';
	memcpy(to + FRAME_HEADER_BYTES, about, front);
	return id3_put_frame_header(to, names[field], front + len + 1) + front + len + 1;
}

/* But for its bytes. */
static size_t
id3_put_picture(uint8_t *to, const struct tags *tags)
{
	const char *type = tags_picture_type(tags->picture, tags->picture_len);
	uint8_t *at = to + FRAME_HEADER_BYTES;
	size_t len = strlen(type) + 1;

	*at++ = ENCODING_UTF8;
	memcpy(at, type, len);
	at += len;
	*at++ = FRONT_COVER;
	*at++ = '\0'; /* no description */
	len = (size_t)(at - to);
	(void)id3_put_frame_header(to, "APIC", len - FRAME_HEADER_BYTES + tags->picture_len);
	return len;
}

size_t
id3_write(const struct tags *tags, uint8_t to[ID3_HEAD_MAX])
{
	uint8_t *at = to + HEADER_BYTES;

	for (enum tag_field field = 0; field < TAG_FIELDS; field++)
		if (tags->text[field])
			at += id3_put_text(at, field, tags->text[field]);
	at += id3_put_frame_header(at, "TSSE", 1 + sizeof software);
	*at++ = ENCODING_UTF8;
	memcpy(at, software, sizeof software);
	at += sizeof software;
	if (tags->picture_len > 0)
		at += id3_put_picture(at, tags);
	memset(to, 0, HEADER_BYTES);
	memcpy(to, "ID3\4", 4);
	id3_put_size(to + 6, (size_t)(at - to) - HEADER_BYTES + tags->picture_len);
	return (size_t)(at - to);
}
