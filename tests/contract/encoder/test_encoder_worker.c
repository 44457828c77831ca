/* The real worker on real media: what comes out, and each way to fail. The media were made by
 * support/make_media.sh in TONEARM_TEST_MEDIA. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "adapter/worker_process/worker_process.h"
#include "contract/encoder/encoder_suite.h"
#include "fake/bytes_blob.h"

#define MEDIA_MAX ((size_t)64 << 20)
#define FRAME_SAMPLES 1152
#define MEMORY_BYTES (INT64_C(512) << 20)

static const struct media_spec default_mp3 = {
	.format = MEDIA_MP3, .sample_rate = 44100, .channels = 2, .bit_rate = 128000
};

struct outcome {
	int result;
	struct job_error why;
	struct err e;
	struct encode_report report;
	struct str made; /* owned */
};

static struct encoder *
worker(int64_t max_duration_ms, int64_t memory_bytes)
{
	struct encoder_worker_config config = {
		.program = getenv("TONEARM_TEST_WORKER"),
		.memory_bytes = memory_bytes,
		.cpu_seconds = 60,
		.job_timeout_ms = 60000,
		.max_duration_ms = max_duration_ms,
	};
	struct encoder *encoder = NULL;

	assert_non_null(config.program);
	assert_int_equal(encoder_worker_new(&config, &encoder, NULL), 0);
	return encoder;
}

static struct str
slurp(const char *name)
{
	const char *dir = getenv("TONEARM_TEST_MEDIA");
	struct str bytes = STR_MAX(MEDIA_MAX);
	char path[4096], buffer[65536];
	size_t got;
	FILE *file;

	assert_non_null(dir);
	assert_true(snprintf(path, sizeof path, "%s/%s", dir, name) < (int)sizeof path);
	file = fopen(path, "rb");
	if (!file)
		fail_msg("%s is missing", path);
	while ((got = fread(buffer, 1, sizeof buffer, file)) > 0)
		str_append(&bytes, buffer, got);
	(void)fclose(file);
	assert_int_equal(str_error(&bytes, NULL), 0);
	return bytes;
}

static struct outcome
convert_as(const struct media_spec *spec, struct encoder *encoder, const char *name)
{
	struct str media = slurp(name);
	struct bytes_reader in = bytes_reader_over(media.data, media.len);
	struct bytes_writer out = bytes_writer_new();
	struct outcome o = { 0 };

	o.result =
		encoder_encode(encoder, &(struct encode_order){ &in.port, &out.port, spec, NULL },
			       &o.report, &o.why, &o.e);
	o.made = out.bytes;
	str_free(&media);
	encoder_close(encoder);
	return o;
}

static struct outcome
convert_with(struct encoder *encoder, const char *name)
{
	return convert_as(&default_mp3, encoder, name);
}

static struct outcome
convert(const char *name)
{
	return convert_with(worker(3600000, MEMORY_BYTES), name);
}

static void
expect_failure(const char *name, const char *code)
{
	struct outcome o = convert(name);

	if (o.result == 0 || strcmp(o.why.code, code) != 0)
		fail_msg("%s: %d %s (%s), not %s", name, o.result, o.why.code, o.e.text, code);
	assert_string_not_equal(o.why.message, "");
	assert_true(!err_is_transient(o.result) && o.result != ERR_INTERNAL);
	str_free(&o.made);
}

static uint32_t
big_endian(const uint8_t *at, int bytes)
{
	uint32_t value = 0;

	for (int i = 0; i < bytes; i++)
		value = value << 8 | at[i];
	return value;
}

/* Length of a 44.1 kHz, 128 kb/s MPEG-1 layer III frame in joint stereo; 0 = it is none. */
static size_t
frame_length(const uint8_t *at)
{
	if (at[0] != 0xff || (at[1] & 0xfe) != 0xfa || (at[2] & 0xfc) != 0x90 ||
	    (at[3] & 0xc0) != 0x40)
		return 0;
	return 417 + (size_t)(at[2] >> 1 & 1);
}

/* The whole file as a gapless player reads it: tag, header frame, frames of one kind to the end. */
static int64_t
samples_of(const struct str *mp3)
{
	const uint8_t *bytes = (const uint8_t *)mp3->data, *tag;
	size_t at = 10, length, frames = 0;
	uint32_t gap;

	assert_memory_equal(bytes, "ID3\4", 4);
	at += big_endian(bytes + 8, 1) << 7 | big_endian(bytes + 9, 1);
	assert_true(frame_length(bytes + at) > 0);
	tag = bytes + at + 36;
	assert_memory_equal(tag, "Info", 4);
	assert_int_equal(big_endian(tag + 4, 4), 15);
	assert_int_equal(big_endian(tag + 12, 4), mp3->len - at);
	gap = big_endian(tag + 141, 3);
	at += frame_length(bytes + at);
	for (; at + 4 <= mp3->len && (length = frame_length(bytes + at)) > 0; at += length)
		frames++;
	assert_int_equal(at, mp3->len);
	assert_int_equal(big_endian(tag + 8, 4), frames);
	return (int64_t)frames * FRAME_SAMPLES - (gap >> 12) - (gap & 0xfff);
}

static void
expect_sound(const char *name, int64_t least, int64_t most)
{
	struct outcome o = convert(name);

	if (o.result != 0)
		fail_msg("%s: %s (%s)", name, o.why.code, o.e.text);
	if (o.report.samples < least || o.report.samples > most)
		fail_msg("%s: %lld samples", name, (long long)o.report.samples);
	assert_int_equal(samples_of(&o.made), o.report.samples);
	assert_int_equal(o.report.bytes_written, o.made.len);
	assert_true(o.report.duration_s * 44100 > (double)o.report.samples - 1 &&
		    o.report.duration_s * 44100 < (double)o.report.samples + 1);
	str_free(&o.made);
}

/* 3 s of sound: 132,300 samples at 44.1 kHz; codec padding where no edit list says otherwise. */
static void
containers_with_an_exact_length_keep_it(void **state)
{
	(void)state;
	expect_sound("clip.mp4", 132300, 132300);
	expect_sound("front.mp4", 132300, 132300);
	expect_sound("clip.webm", 132300, 132300);
}

static uint32_t
little_endian(const char *at)
{
	const uint8_t *bytes = (const uint8_t *)at;

	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

/* The place of a WAV's samples; *ret_len: how many bytes its head says. */
static const char *
wav_sound(const struct str *wav, size_t *ret_len)
{
	size_t at = 12;

	assert_memory_equal(wav->data, "RIFF", 4);
	assert_memory_equal(wav->data + 8, "WAVE", 4);
	while (at + 8 <= wav->len && memcmp(wav->data + at, "data", 4) != 0)
		at += 8 + little_endian(wav->data + at + 4);
	assert_true(at + 8 <= wav->len);
	*ret_len = little_endian(wav->data + at + 4);
	return wav->data + at + 8;
}

static void
sixteen_bits_come_out_of_a_wav_as_they_went_in(void **state)
{
	static const struct media_spec wav = { .format = MEDIA_WAV,
					       .sample_rate = 44100,
					       .channels = 2 };
	struct outcome o = convert_as(&wav, worker(3600000, MEMORY_BYTES), "clip.wav");
	struct str source = slurp("clip.wav");
	const char *before, *after;
	size_t before_len, after_len;

	(void)state;
	assert_int_equal(o.result, 0);
	before = wav_sound(&source, &before_len);
	after = wav_sound(&o.made, &after_len);
	assert_int_equal(after_len, before_len);
	assert_memory_equal(after, before, before_len);
	assert_int_equal(after_len, o.report.samples * 4);
	assert_int_equal(little_endian(o.made.data + 4), o.made.len - 8);
	assert_int_equal(o.report.bytes_written, o.made.len);
	assert_false(o.report.copied);
	str_free(&source);
	str_free(&o.made);
}

static void
a_wav_of_another_rate_has_as_many_samples_as_it_says(void **state)
{
	static const struct media_spec wav = { .format = MEDIA_WAV,
					       .sample_rate = 8000,
					       .channels = 1 };
	struct outcome o = convert_as(&wav, worker(3600000, MEMORY_BYTES), "clip.mp4");
	size_t len;

	(void)state;
	assert_int_equal(o.result, 0);
	(void)wav_sound(&o.made, &len);
	assert_int_equal(o.report.samples, 24000); /* 3 s */
	assert_int_equal(len, 48000);
	assert_true(o.report.duration_s > 2.999 && o.report.duration_s < 3.001);
	str_free(&o.made);
}

static void
other_rates_and_layouts_become_44100_stereo(void **state)
{
	(void)state;
	expect_sound("mono22.mp4", 132299, 132301);
	expect_sound("clip.mkv", 132299, 132301 + FRAME_SAMPLES);
}

static void
other_containers_are_read(void **state)
{
	static const char *const names[] = { "clip.ts",   "clip.avi", "clip.flv",      "clip.wav",
					     "clip.flac", "clip.ogg", "fragments.mp4", "clip.mp3" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		expect_sound(names[i], 132300, 132300 + 3 * FRAME_SAMPLES);
}

static void
a_rate_that_changes_in_mid_stream_is_followed(void **state)
{
	(void)state;
	expect_sound("change.ts", 88200, 88200 + 2 * FRAME_SAMPLES);
}

static void
what_is_no_media_is_refused(void **state)
{
	(void)state;
	expect_failure("text.txt", "not_media");
	expect_failure("noise.bin", "not_media");
	expect_failure("picture.png", "not_media");
}

static void
files_that_name_other_files_are_refused(void **state)
{
	(void)state;
	expect_failure("list.m3u8", "not_media");
	expect_failure("list.ffconcat", "not_media");
	expect_failure("x.sdp", "not_media");
}

static void
a_video_without_sound_says_so(void **state)
{
	(void)state;
	expect_failure("mute.mp4", "no_audio");
}

static void
an_empty_file_says_so(void **state)
{
	(void)state;
	expect_failure("empty.mp4", "empty");
}

static void
expect_warning(const char *name, enum warning_code code)
{
	struct outcome o = convert(name);
	const struct warning *found = warnings_find(&o.report.warnings, code);

	if (o.result != 0 || !found)
		fail_msg("%s: %d %s (%s), without a warning %s", name, o.result, o.why.code,
			 o.e.text, warning_code_name(code));
	str_free(&o.made);
}

/* mp4 files whose index is at their end hold nothing to go by. */
static void
a_file_whose_end_is_missing_gives_what_is_there_and_says_so(void **state)
{
	static const char *const names[] = { "cut_front.mp4", "cut_clip.mkv", "cut_clip.webm",
					     "cut_clip.wav",  "cut_clip.avi", "cut_clip.flac",
					     "cut_clip.mp3",  "cut_clip.ogg", "cut_fragments.mp4" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		expect_warning(names[i], WARNING_TRUNCATED);
	expect_failure("cut_clip.mp4", "truncated");
}

static void
sound_that_does_not_decode_is_silence_and_said(void **state)
{
	(void)state;
	expect_warning("damaged.mp4", WARNING_DAMAGED);
}

static void
sound_past_the_limit_is_too_long(void **state)
{
	struct outcome o = convert_with(worker(2000, MEMORY_BYTES), "clip.mp4");

	(void)state;
	assert_int_equal(o.result, ERR_TOO_LARGE);
	assert_string_equal(o.why.code, "too_long");
	str_free(&o.made);
}

#ifndef TONEARM_SANITIZED
static void
a_worker_past_its_memory_limit_ends_its_job_only(void **state)
{
	struct outcome o = convert_with(worker(3600000, INT64_C(170) << 20), "clip.mp4");

	(void)state;
	if (o.result != ERR_NO_MEMORY)
		print_message("result %d %s\n", o.result, o.e.text);
	assert_true(o.result == ERR_NO_MEMORY || o.result == ERR_INTERNAL);
	str_free(&o.made);
}
#endif

static int
contract(void)
{
	struct str media = slurp("clip.mp4");
	struct encoder *encoder = worker(3600000, MEMORY_BYTES);
	int failed = encoder_suite_run(encoder, media.data, media.len);

	encoder_close(encoder);
	str_free(&media);
	return failed;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(containers_with_an_exact_length_keep_it),
		cmocka_unit_test(sixteen_bits_come_out_of_a_wav_as_they_went_in),
		cmocka_unit_test(a_wav_of_another_rate_has_as_many_samples_as_it_says),
		cmocka_unit_test(other_rates_and_layouts_become_44100_stereo),
		cmocka_unit_test(other_containers_are_read),
		cmocka_unit_test(a_rate_that_changes_in_mid_stream_is_followed),
		cmocka_unit_test(what_is_no_media_is_refused),
		cmocka_unit_test(files_that_name_other_files_are_refused),
		cmocka_unit_test(a_video_without_sound_says_so),
		cmocka_unit_test(an_empty_file_says_so),
		cmocka_unit_test(a_file_whose_end_is_missing_gives_what_is_there_and_says_so),
		cmocka_unit_test(sound_that_does_not_decode_is_silence_and_said),
		cmocka_unit_test(sound_past_the_limit_is_too_long),
#ifndef TONEARM_SANITIZED
		cmocka_unit_test(a_worker_past_its_memory_limit_ends_its_job_only),
#endif
	};
	int failed = cmocka_run_group_tests_name("encoder_worker", tests, NULL, NULL);

	return failed + contract();
}
