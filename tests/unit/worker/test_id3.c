/* The tag in front of an mp3, byte by byte, and what hostile texts and chapters come to in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/scope.h"
#include "base/text/str.h"
#include "worker/tags/id3.h"

#define SOFTWARE "Tonearm " TONEARM_VERSION
#define TSSE_BYTES (10 + 1 + sizeof SOFTWARE)

static size_t
size_at(const uint8_t *at)
{
	for (int i = 0; i < 4; i++)
		assert_true(at[i] < 0x80);
	return (size_t)at[0] << 21 | (size_t)at[1] << 14 | (size_t)at[2] << 7 | at[3];
}

/* The frame of that name; its data's length. NULL: there is none. */
static const uint8_t *
frame(const uint8_t *tag, size_t len, const char *name, size_t *ret_len)
{
	for (size_t at = 10; at < len && tag[at] != 0; at += 10 + size_at(tag + at + 4)) {
		if (memcmp(tag + at, name, 4) != 0)
			continue;
		*ret_len = size_at(tag + at + 4);
		return tag + at + 10;
	}
	return NULL;
}

static void
expect_frame(const uint8_t *tag, size_t len, const char *name, const void *data, size_t expected)
{
	size_t got = 0;
	const uint8_t *seen = frame(tag, len, name, &got);

	assert_non_null(seen);
	assert_int_equal(got, expected);
	assert_memory_equal(seen, data, expected);
}

/* A whole tag, as it stands in front of an mp3. */
struct made {
	uint8_t *bytes;
	size_t len, tail_at;
};

static void
made_free(struct made *m)
{
	free(m->bytes);
}

/* loudness NULL: the tail as it is before the sound's end. */
static struct made
made_of(const struct tags *tags, int64_t length_ms, const struct job_loudness *loudness)
{
	struct id3_tail tail;
	struct made m = { .bytes = malloc(ID3_HEAD_MAX + tags->picture_len + ID3_TAIL_MAX) };
	size_t before;

	assert_non_null(m.bytes);
	m.len = id3_write(tags, m.bytes, &tail);
	assert_true(m.len <= ID3_HEAD_MAX && tail.len <= ID3_TAIL_MAX);
	before = tail.len;
	if (loudness)
		id3_tail_settle(&tail, length_ms, loudness);
	assert_int_equal(tail.len, before);
	if (tags->picture_len > 0)
		memcpy(m.bytes + m.len, tags->picture, tags->picture_len);
	m.tail_at = m.len + tags->picture_len;
	memcpy(m.bytes + m.tail_at, tail.bytes, tail.len);
	m.len = m.tail_at + tail.len;
	assert_memory_equal(m.bytes, "ID3\4\0\0", 6);
	assert_int_equal(size_at(m.bytes + 6) + 10, m.len);
	return m;
}

static void
expect_tag(const struct tags *tags, int64_t length_ms, const struct job_loudness *loudness,
	   const char *frames, size_t len)
{
	SCOPED(made_free) struct made m = made_of(tags, length_ms, loudness);

	assert_int_equal(m.len, 10 + len);
	assert_memory_equal(m.bytes + 10, frames, len);
}

/* What is not known, or was not measured, is padding: as long as "-99.99 dB" and "99.999999". */
#define GAIN_ROOM (10 + 1 + sizeof "REPLAYGAIN_TRACK_GAIN" + sizeof "-99.99 dB")
#define PEAK_ROOM (10 + 1 + sizeof "REPLAYGAIN_TRACK_PEAK" + sizeof "99.999999")
#define TAIL_ROOM (GAIN_ROOM + PEAK_ROOM)

static void
a_source_without_words_gives_the_software_alone(void **state)
{
	const char frames[] = { 'T', 'S', 'S', 'E', 0, 0, 0, 1 + sizeof SOFTWARE, 0, 0, 3 };
	char expected[sizeof frames + sizeof SOFTWARE + TAIL_ROOM] = { 0 };

	(void)state;
	memcpy(expected, frames, sizeof frames);
	memcpy(expected + sizeof frames, SOFTWARE, sizeof SOFTWARE);
	expect_tag(&(struct tags){ 0 }, 0, NULL, expected, sizeof expected);
	expect_tag(&(struct tags){ 0 }, 0, &(struct job_loudness){ 0 }, expected, sizeof expected);
}

static void
a_small_tag_is_exact(void **state)
{
	static const uint8_t picture[] = "\xff\xd8\xff\xe0 picture";
	char frames[] =
		"TIT2\0\0\0\6\0\0\3Time\0"
		"TPE1\0\0\0\x08\0\0\3Bj\xc3\xb6rk\0"
		"TALB\0\0\0\3\0\0\3A\0"
		"TRCK\0\0\0\6\0\0\0033/12\0"
		"TDRC\0\0\0\x0c\0\0\0032019-05-01\0"
		"TCON\0\0\0\5\0\0\3Pop\0"
		"COMM\0\0\0\x08\0\0\3XXX\0hi\0"
		"TPE2\0\0\0\5\0\0\3All\0"
		"TCOM\0\0\0\4\0\0\3Me\0"
		"TPOS\0\0\0\5\0\0\0031/2\0"
		"TCMP\0\0\0\3\0\0\0031\0"
		"TLAN\0\0\0\5\0\0\3deu\0"
		"USLT\0\0\0\x0b\0\0\3eng\0la\nla\0"
		"TSSE\0\0\0?\0\0\3" SOFTWARE "\0"
		"CTOC\0\0\0\x0e\0\0toc\0\3\2ch0\0ch1\0"
		"CHAP\0\0\0\x24\0\0ch0\0\0\0\0\0\0\0\3\xe8\xff\xff\xff\xff\xff\xff\xff\xff"
		"TIT2\0\0\0\6\0\0\3Intr\0"
		"APIC\0\0\0\x1a\0\0\3image/jpeg\0\3\0\xff\xd8\xff\xe0 picture"
		"CHAP\0\0\0\x14\0\0ch1\0\0\0\3\xe8\0\0\x0b\xb8\xff\xff\xff\xff\xff\xff\xff\xff"
		"TXXX\0\0\0\x20\0\0\3REPLAYGAIN_TRACK_GAIN\0-6.50 dB\0"
		"TXXX\0\0\0\x20\0\0\3REPLAYGAIN_TRACK_PEAK\0000.501187\0"
		"\0"; /* room of "-99.99 dB", and of "99.999999" */
	struct tags content = {
		.text = { [TAG_TITLE] = "Time",
			  [TAG_ARTIST] = "Bj\xc3\xb6rk",
			  [TAG_ALBUM] = "A",
			  [TAG_TRACK] = "3/12",
			  [TAG_DATE] = "20190501",
			  [TAG_GENRE] = "Pop",
			  [TAG_COMMENT] = "hi",
			  [TAG_ALBUM_ARTIST] = "All",
			  [TAG_COMPOSER] = "Me",
			  [TAG_DISC] = "1",
			  [TAG_DISC_TOTAL] = "2",
			  [TAG_COMPILATION] = "true",
			  [TAG_LANGUAGE] = "deu",
			  [TAG_LYRICS] = "la\r\nla",
			  [TAG_LYRICS_LANGUAGE] = "eng" },
		.picture = picture,
		.picture_len = sizeof picture - 1,
		.chapter_count = 2,
		.chapters = { { 0, 1000, "Intr" }, { 1000, 60000, NULL } },
	};
	/* a peak of 10^(-6/20) */
	const struct job_loudness loud = { true, false, true, -11.5, 0, -6 };

	(void)state;
	*(char *)memchr(frames, '?', sizeof frames) = 1 + sizeof SOFTWARE;
	expect_tag(&content, 3000, &loud, frames, sizeof frames);
}

static void
expect_gain(double lufs, double dbtp, const char *gain, const char *peak)
{
	const struct job_loudness loudness = { true, false, true, lufs, 0, dbtp };
	SCOPED(made_free) struct made m = made_of(&(struct tags){ 0 }, 0, &loudness);
	char expected[64] = "\3REPLAYGAIN_TRACK_GAIN";
	const uint8_t *seen;
	size_t len = 1 + sizeof "REPLAYGAIN_TRACK_GAIN", got;

	memcpy(expected + len, gain, strlen(gain) + 1);
	expect_frame(m.bytes, m.len, "TXXX", expected, len + strlen(gain) + 1);
	seen = frame(m.bytes, m.len, "TXXX", &got) + got;
	memcpy(expected, "\3REPLAYGAIN_TRACK_PEAK", len);
	memcpy(expected + len, peak, strlen(peak) + 1);
	assert_memory_equal(seen, "TXXX", 4);
	assert_int_equal(size_at(seen + 4), len + strlen(peak) + 1);
	assert_memory_equal(seen + 10, expected, len + strlen(peak) + 1);
	for (seen += 10 + len + strlen(peak) + 1; seen < m.bytes + m.len; seen++)
		assert_int_equal(*seen, 0);
}

static void
replay_gain_leads_to_18_lufs(void **state)
{
	(void)state;
	expect_gain(-18, 0, "0.00 dB", "1.000000");
	expect_gain(-18.001, 0, "0.00 dB", "1.000000");
	expect_gain(-17.999, 0, "0.00 dB", "1.000000");
	expect_gain(-23, -20, "5.00 dB", "0.100000");
	expect_gain(-9.125, 1.5, "-8.88 dB", "1.188502");
	expect_gain(-70, -120, "52.00 dB", "0.000001");
	expect_gain(1e9, 1e9, "-99.99 dB", "99.999999");
	expect_gain(-1e9, -1e9, "99.99 dB", "0.000000");
}

static void
what_was_not_measured_has_no_frame(void **state)
{
	const struct job_loudness peak_alone = { .has_true_peak = true, .true_peak_dbtp = -6 };
	const struct job_loudness gain_alone = { .has_integrated = true, .integrated_lufs = -11.5 };
	SCOPED(made_free) struct made peak = made_of(&(struct tags){ 0 }, 0, &peak_alone);
	SCOPED(made_free) struct made gain = made_of(&(struct tags){ 0 }, 0, &gain_alone);

	(void)state;
	assert_int_equal(peak.len - peak.tail_at, TAIL_ROOM);
	assert_int_equal(gain.len, peak.len);
	expect_frame(peak.bytes, peak.len, "TXXX", "\3REPLAYGAIN_TRACK_PEAK\0000.501187", 32);
	expect_frame(gain.bytes, gain.len, "TXXX", "\3REPLAYGAIN_TRACK_GAIN\0-6.50 dB", 32);
	for (size_t i = peak.tail_at + 10 + 32; i < peak.len; i++)
		assert_true(peak.bytes[i] == 0 && gain.bytes[i] == 0);
}

static void
expect_end(uint32_t start, uint32_t end, int64_t length_ms, uint32_t expected)
{
	const struct tags tags = { .chapter_count = 1, .chapters = { { start, end, "x" } } };
	SCOPED(made_free)
	struct made m = made_of(&tags, length_ms, &(struct job_loudness){ 0 });
	const uint8_t wanted[] = { 'c',
				   'h',
				   '0',
				   0,
				   (uint8_t)(start >> 24),
				   (uint8_t)(start >> 16),
				   (uint8_t)(start >> 8),
				   (uint8_t)start,
				   (uint8_t)(expected >> 24),
				   (uint8_t)(expected >> 16),
				   (uint8_t)(expected >> 8),
				   (uint8_t)expected };
	size_t got;
	const uint8_t *seen = frame(m.bytes, m.len, "CHAP", &got);

	assert_non_null(seen);
	assert_memory_equal(seen, wanted, sizeof wanted);
}

static void
the_last_chapter_ends_no_later_than_the_sound(void **state)
{
	(void)state;
	expect_end(1000, 5000, 60000, 5000);
	expect_end(1000, 70000, 60000, 60000);
	expect_end(1000, TAG_CHAPTER_OPEN, 60000, 60000);
	expect_end(70000, TAG_CHAPTER_OPEN, 60000, 70000);
	expect_end(70000, 80000, 60000, 70000);
	expect_end(0, TAG_CHAPTER_OPEN, INT64_C(1) << 40, TAG_CHAPTER_OPEN);
}

static void
nothing_stands_in_the_padding_before_the_end_is_known(void **state)
{
	const struct tags tags = { .chapter_count = 1, .chapters = { { 0, 1, "x    \n   " } } };
	SCOPED(made_free) struct made m = made_of(&tags, 0, NULL);

	(void)state;
	assert_int_equal(m.len - m.tail_at, 10 + 4 + 16 + 10 + 1 + sizeof "x" + TAIL_ROOM);
	for (size_t i = m.len - TAIL_ROOM; i < m.len; i++)
		assert_int_equal(m.bytes[i], 0);
}

static void
the_most_chapters_with_the_longest_titles_fit(void **state)
{
	char title[2 * TAG_CHAPTER_TITLE_MAX + 1];
	struct tags tags = { .chapter_count = TAG_CHAPTERS_MAX };
	size_t got, chapters = 0;

	(void)state;
	memset(title, 'x', sizeof title - 1);
	title[sizeof title - 1] = '\0';
	for (uint32_t i = 0; i < TAG_CHAPTERS_MAX; i++)
		tags.chapters[i] = (struct tag_chapter){ i, i + 1, title };
	SCOPED(made_free) struct made m = made_of(&tags, 1000, &(struct job_loudness){ 0 });
	for (size_t at = 10; m.bytes[at] != 0; at += 10 + size_at(m.bytes + at + 4)) {
		if (memcmp(m.bytes + at, "CHAP", 4) != 0)
			continue;
		got = strlen((const char *)m.bytes + at + 10) + 1;
		assert_memory_equal(m.bytes + at + 10 + got + 16, "TIT2", 4);
		assert_int_equal(size_at(m.bytes + at + 4),
				 got + 16 + 10 + 1 + TAG_CHAPTER_TITLE_MAX + 1);
		chapters++;
	}
	assert_int_equal(chapters, TAG_CHAPTERS_MAX);
	assert_int_equal(frame(m.bytes, m.len, "CTOC", &got)[5], TAG_CHAPTERS_MAX);
	/* "ch0" to "ch9", "ch10" to "ch99", "ch100" to "ch254" */
	assert_int_equal(got, 4 + 2 + 10 * 4 + 90 * 5 + 155 * 6);
}

static void
texts_of_any_length_stay_within_their_ceilings(void **state)
{
	struct tags content = { 0 };
	char *huge = malloc((64 << 20) + 1);
	size_t got;

	(void)state;
	assert_non_null(huge);
	for (int i = 0; i < 64 << 20; i += 2)
		memcpy(huge + i, "\xc3\xa9", 2);
	huge[0] = 'x';
	huge[1] = 'y';
	huge[64 << 20] = '\0';
	for (int i = 0; i < TAG_FIELDS; i++)
		content.text[i] = huge + (i % 2 ? 0 : 1); /* an odd start, an even one */
	content.chapter_count = TAG_CHAPTERS_MAX;
	for (uint32_t i = 0; i < TAG_CHAPTERS_MAX; i++)
		content.chapters[i] = (struct tag_chapter){ i, i + 1, huge };
	SCOPED(made_free) struct made m = made_of(&content, 0, NULL);
	assert_non_null(frame(m.bytes, m.len, "TPE1", &got));
	assert_int_equal(got, 1 + TAG_TEXT_MAX + 1);
	assert_non_null(frame(m.bytes, m.len, "TIT2", &got));
	assert_int_equal(got, 1 + TAG_TEXT_MAX - 1 + 1); /* cut between characters */
	assert_non_null(frame(m.bytes, m.len, "COMM", &got));
	assert_int_equal(got, 5 + TAG_COMMENT_MAX - 1 + 1);
	assert_non_null(frame(m.bytes, m.len, "USLT", &got));
	assert_int_equal(got, 5 + TAG_LYRICS_MAX - 1 + 1);
	assert_null(frame(m.bytes, m.len, "TDRC", &got));
	free(huge);
}

static void
words_that_come_to_nothing_leave_no_frame(void **state)
{
	struct tags content = { .text = { "", " \t\n", "\x01\x7f", "\xc2\x85", "soon" } };

	(void)state;
	for (enum tag_field field = TAG_COMMENT; field < TAG_FIELDS; field++)
		content.text[field] = " \x02\n";
	content.chapter_count = 1;
	content.chapters[0].title = "\x01";
	SCOPED(made_free) struct made m = made_of(&content, 0, NULL);
	/* the chapter stands without a title */
	assert_int_equal(m.len, 10 + TSSE_BYTES + 10 + 10 + 10 + 20 + TAIL_ROOM);
}

static void
a_picture_is_known_by_its_first_bytes_and_has_a_ceiling(void **state)
{
	static const uint8_t png[] = "\x89PNG\r\n\x1a\n...", gif[] = "GIF89a......";
	static const uint8_t jpeg[] = "\xff\xd8\xff\xdb";
	static uint8_t large[TAG_PICTURE_MAX];
	struct tags content = { .picture = large, .picture_len = TAG_PICTURE_MAX };
	size_t got = 0;

	(void)state;
	assert_non_null(tags_picture_type(png, sizeof png));
	assert_non_null(tags_picture_type(jpeg, sizeof jpeg));
	assert_null(tags_picture_type(jpeg, 3));
	assert_null(tags_picture_type(png, 8));
	assert_null(tags_picture_type(gif, sizeof gif));
	assert_non_null(tags_picture_type(png, TAG_PICTURE_MAX));
	assert_null(tags_picture_type(png, (size_t)TAG_PICTURE_MAX + 1));
	memcpy(large, png, sizeof png);
	SCOPED(made_free) struct made m = made_of(&content, 0, NULL);
	assert_non_null(frame(m.bytes, m.len, "APIC", &got));
	assert_int_equal(got, sizeof "\3image/png\0\3" + TAG_PICTURE_MAX);
	assert_int_equal(m.len, 10 + TSSE_BYTES + 10 + got + TAIL_ROOM);
	expect_frame(m.bytes, m.len, "TSSE", "\3" SOFTWARE, 1 + sizeof SOFTWARE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_source_without_words_gives_the_software_alone),
		cmocka_unit_test(a_small_tag_is_exact),
		cmocka_unit_test(replay_gain_leads_to_18_lufs),
		cmocka_unit_test(what_was_not_measured_has_no_frame),
		cmocka_unit_test(the_last_chapter_ends_no_later_than_the_sound),
		cmocka_unit_test(nothing_stands_in_the_padding_before_the_end_is_known),
		cmocka_unit_test(the_most_chapters_with_the_longest_titles_fit),
		cmocka_unit_test(texts_of_any_length_stay_within_their_ceilings),
		cmocka_unit_test(words_that_come_to_nothing_leave_no_frame),
		cmocka_unit_test(a_picture_is_known_by_its_first_bytes_and_has_a_ceiling),
	};

	return cmocka_run_group_tests_name("id3", tests, NULL, NULL);
}
