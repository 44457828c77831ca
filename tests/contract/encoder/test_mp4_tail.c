/* The packets that mp4_tail reads are libav's own: of files as ffmpeg makes them, and of the same
 * files with their tables damaged. In this build 32 packets count as many, and libav is shown 8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <libavcodec/packet.h>
#include <libavutil/adler32.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/channel.h"
#include "worker/source/mp4/tail.h"
#include "worker/source/source.h"

#define PACKETS_MAX 1000
#define MUTANTS 250

struct seen {
	enum worker_failure failure;
	int64_t limit;
	uint32_t shown; /* 0 = libav alone */
	size_t count;
	struct {
		int64_t pos, pts, dts, duration;
		int size, flags;
		AVAdler sum;
	} packets[PACKETS_MAX];
};

static struct {
	uint8_t *bytes;
	size_t len;
} file;
static bool libav_alone;
static uint32_t shown;

bool __real_mp4_tail_look(struct input *in, struct mp4_tail *ret);
bool __wrap_mp4_tail_look(struct input *in, struct mp4_tail *ret);
bool __real_mp4_tail_fits(struct mp4_tail *t, struct AVStream *stream);
bool __wrap_mp4_tail_fits(struct mp4_tail *t, struct AVStream *stream);

bool
__wrap_mp4_tail_look(struct input *in, struct mp4_tail *ret)
{
	return !libav_alone && __real_mp4_tail_look(in, ret);
}

bool
__wrap_mp4_tail_fits(struct mp4_tail *t, struct AVStream *stream)
{
	bool fits = __real_mp4_tail_fits(t, stream);

	shown = fits ? t->shown : 0;
	return fits;
}

size_t
channel_read(int fd, int64_t offset, void *to, size_t size)
{
	size_t left = file.len - (size_t)offset;

	(void)fd;
	size = size < left ? size : left;
	memcpy(to, file.bytes + offset, size);
	return size;
}

static void
load(const char *name)
{
	char path[512];
	FILE *f;
	long len;

	(void)snprintf(path, sizeof path, "%s/%s", getenv("TONEARM_TEST_MEDIA"), name);
	f = fopen(path, "rb");
	assert_non_null(f);
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	len = ftell(f);
	assert_true(len > 0);
	rewind(f);
	free(file.bytes);
	file.len = (size_t)len;
	file.bytes = malloc(file.len);
	assert_non_null(file.bytes);
	assert_int_equal(fread(file.bytes, 1, file.len, f), file.len);
	(void)fclose(f);
}

static void
note(struct seen *seen, const AVPacket *packet)
{
	size_t i = seen->count++;

	assert_true(i < PACKETS_MAX);
	seen->packets[i].pos = packet->pos;
	seen->packets[i].pts = packet->pts;
	seen->packets[i].dts = packet->dts;
	seen->packets[i].duration = packet->duration;
	seen->packets[i].size = packet->size;
	seen->packets[i].flags = packet->flags;
	seen->packets[i].sum = av_adler32_update(1, packet->data, (size_t)packet->size);
}

static void
see(bool alone, struct seen *ret)
{
	SCOPED(input_close_p) struct input *in = NULL;
	SCOPED(source_close_p) struct source *source = NULL;
	struct err e = ERR_NONE;
	const AVPacket *packet;

	memset(ret, 0, sizeof *ret);
	libav_alone = alone;
	shown = 0;
	assert_int_equal(input_open(-1, (int64_t)file.len, &in, &e), WORKER_FAILURE_NONE);
	ret->failure = source_open(in, &(struct source_options){ 0 }, &source, &e);
	if (ret->failure)
		return;
	ret->shown = shown;
	ret->limit = source_limit(source, 44100);
	while ((packet = source_packet(source)))
		note(ret, packet);
}

/* Except how long the last packet is that libav knows of: it says up to the track's end. */
static void
assert_same(struct seen *ours, struct seen *libavs)
{
	assert_int_equal(ours->failure, libavs->failure);
	assert_int_equal(ours->limit, libavs->limit);
	assert_int_equal(ours->count, libavs->count);
	if (ours->shown > 0 && ours->count >= ours->shown) {
		ours->packets[ours->shown - 1].duration = 0;
		libavs->packets[ours->shown - 1].duration = 0;
		ours->packets[ours->count - 1].duration = 0;
		libavs->packets[ours->count - 1].duration = 0;
	}
	assert_memory_equal(ours->packets, libavs->packets, sizeof ours->packets);
}

/* Whether the packets behind those shown were read without libav. */
static bool
compare(void)
{
	static struct seen ours, libavs;

	see(false, &ours);
	see(true, &libavs);
	assert_int_equal(libavs.shown, 0);
	assert_same(&ours, &libavs);
	return ours.shown > 0 && ours.count > ours.shown;
}

static void
test_plain_files_are_read_as_libav_reads_them(void **state)
{
	static const char *const names[] = { "clip.mp4", "front.mp4", "damaged.mp4" };

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		load(names[i]);
		assert_true(compare());
	}
}

static void
test_other_files_are_left_to_libav(void **state)
{
	static const char *const names[] = { "fragments.mp4", "cut_clip.mp4",
					     "cut_front.mp4", "mute.mp4",
					     "clip.mkv",      "mono22.mp4" /* one chunk */ };

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		load(names[i]);
		assert_false(compare());
	}
}

static size_t
find_box(const char *name)
{
	for (size_t i = 0; i + 4 <= file.len; i++)
		if (memcmp(file.bytes + i, name, 4) == 0)
			return i;
	fail();
	return 0;
}

static uint32_t
draw(uint32_t *state, uint32_t below)
{
	*state = *state * 1664525 + 1013904223;
	return (*state >> 8) % below;
}

static int
compare_mutants(const char *name, uint32_t seed)
{
	int used = 0;

	load(name);
	for (int i = 0; i < MUTANTS; i++) {
		uint32_t at = (uint32_t)find_box("moov"), length;
		size_t spots[3];
		uint8_t bits[3];

		length = (uint32_t)file.bytes[at - 2] << 8 | file.bytes[at - 1];
		for (size_t n = 0; n < 3; n++) {
			spots[n] = at + 4 + draw(&seed, length - 8);
			bits[n] = (uint8_t)(1U << draw(&seed, 8));
			file.bytes[spots[n]] ^= i % 3 < (int)n ? 0 : bits[n];
		}
		used += compare();
		for (size_t n = 3; n-- > 0;)
			file.bytes[spots[n]] ^= i % 3 < (int)n ? 0 : bits[n];
	}
	return used;
}

static void
test_damaged_tables_are_read_as_libav_reads_them(void **state)
{
	int used;

	(void)state;
	used = compare_mutants("clip.mp4", 1) + compare_mutants("front.mp4", 2) +
	       compare_mutants("mono22.mp4", 3);
	assert_in_range(used, MUTANTS / 10, 3 * MUTANTS);
}

static int
release(void **state)
{
	(void)state;
	free(file.bytes);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_files_are_read_as_libav_reads_them),
		cmocka_unit_test(test_other_files_are_left_to_libav),
		cmocka_unit_test(test_damaged_tables_are_read_as_libav_reads_them),
	};

	return cmocka_run_group_tests(tests, NULL, release);
}
