/* The multipart parser: every split of a body gives the same parts, and malformed bodies a clear
 * code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/scope.h"
#include "base/text/str.h"
#include "net/multipart.h"

#define TYPE "multipart/form-data; boundary=XyZ"
#define PART(params) "--XyZ\r\nContent-Disposition: form-data; " params "\r\n\r\n"
#define FINAL "\r\n--XyZ--\r\n"

/* What happened, as text: "<name|filename|type:data>". */
static int
record_begin(void *arg, const struct multipart_part *part, struct err *e)
{
	(void)e;
	str_printf(arg, "<%s|%s%s|%s:", part->name, part->has_filename ? "" : "-", part->filename,
		   part->content_type);
	return 0;
}

static int
record_data(void *arg, const char *data, size_t len, struct err *e)
{
	(void)e;
	assert_true(len > 0);
	str_append(arg, data, len);
	return 0;
}

static int
record_end(void *arg, struct err *e)
{
	(void)e;
	str_puts(arg, ">");
	return 0;
}

static const struct multipart_events recorder = { record_begin, record_data, record_end };

static int
parse(const char *type, const char *body, size_t len, size_t split, struct str *seen)
{
	SCOPED_FREE struct multipart *m = malloc(sizeof *m);
	/* An exact copy, so that a sanitizer sees a read past the piece. */
	SCOPED_FREE char *first = malloc(split + 1), *second = malloc(len - split + 1);
	struct err e = ERR_NONE;
	int r;

	assert_non_null(m);
	memcpy(first, body, split);
	memcpy(second, body + split, len - split);
	if ((r = multipart_init(m, type, &recorder, seen, &e)) < 0 ||
	    (r = multipart_feed(m, first, split, &e)) < 0 ||
	    (r = multipart_feed(m, second, len - split, &e)) < 0)
		return r;
	return multipart_finish(m, &e);
}

static void
expect(const char *type, const char *body, int want, const char *want_seen)
{
	SCOPED(str_free) struct str seen = STR_MAX(65536);
	int r = parse(type, body, strlen(body), 0, &seen);

	if (r != want || (want_seen && strcmp(str_text(&seen), want_seen) != 0))
		fail_msg("%s\n gave %d and %s", body, r, str_text(&seen));
}

static void
every_split_gives_the_same_parts(void **state)
{
	static const char body[] = "preamble\r\n" PART(
		"name=a") "one\r\n--Xy\r\n-\r\r\n--XyZ\r\n"
			  "content-disposition: FORM-DATA; name=\"f\"; filename=\"x;y.mp4\"\r\n"
			  "Content-Type: video/mp4\r\n\r\n\r\n\r\r\n--X\r\n--XyZ \t\r\n"
			  "Content-Disposition: form-data; name=\"e\"; filename=\"\"\r\n\r\n"
			  "--XyZ--\r\nepilogue";
	static const char want[] = "<a|-|:one\r\n--Xy\r\n-\r><f|x;y.mp4|video/mp4:\r\n\r\r\n--X>"
				   "<e||:>";

	(void)state;
	for (size_t split = 0; split < sizeof body; split++) {
		SCOPED(str_free) struct str seen = STR_MAX(65536);

		assert_int_equal(parse(TYPE, body, sizeof body - 1, split, &seen), 0);
		assert_string_equal(str_text(&seen), want);
	}
}

static void
a_body_fed_byte_by_byte_is_the_same(void **state)
{
	static const char body[] = PART("name=\"\"; filename=v.mp4") "\r\n--XyQ\r\n--XyZ" FINAL;
	SCOPED(str_free) struct str seen = STR_MAX(65536);
	SCOPED_FREE struct multipart *m = malloc(sizeof *m);
	struct err e = ERR_NONE;

	(void)state;
	assert_int_equal(multipart_init(m, TYPE, &recorder, &seen, &e), 0);
	for (size_t i = 0; i + 1 < sizeof body; i++)
		if (multipart_feed(m, body + i, 1, &e) < 0)
			break;
	/* "\r\n--XyZ\r\n" within the data is a delimiter, and what follows it no head. */
	assert_string_equal(str_text(&seen), "<|v.mp4|:\r\n--XyQ>");
	assert_int_equal(multipart_finish(m, &e), ERR_INVALID);
}

static void
names_are_read_in_every_form(void **state)
{
	(void)state;
	expect(TYPE, PART("name=f; filename=a.mp4") "x" FINAL, 0, "<f|a.mp4|:x>");
	expect(TYPE, PART("name=\"a\\\"b\"; filename=\"c\\\\d\"") FINAL, 0, "<a\"b|c\\d|:>");
	expect(TYPE, PART("name=\"f\"; filename=\"C:\\dir\\v.mp4\"") FINAL, 0,
	       "<f|C:\\dir\\v.mp4|:>");
	expect(TYPE, PART("name=f; filename*=UTF-8''x.mp4") FINAL, 0, "<f|-|:>");
	expect(TYPE, PART("filename=a; NAME = f") FINAL, 0, "<f|a|:>");
	expect(TYPE, "--XyZ--", 0, "");
	expect(TYPE, "--XyZ--\r\nanything\r\n--XyZ\r\nnot a head", 0, "");
}

static void
malformed_bodies_are_invalid(void **state)
{
	static const char *const bodies[] = {
		"",
		"no boundary at all",
		PART("name=f") "data",
		PART("name=f") "data\r\n--XyZ",
		PART("name=f") "data\r\n--XyZ-",
		PART("name=f") "data\r\n--XyZ-x",
		PART("name=f") "data\n--XyZ--",
		"--XyZ\nContent-Disposition: form-data; name=f\n\nx\n--XyZ--\n",
		"--XyZ\r\nContent-Disposition: form-data; name=f\n\r\nx" FINAL,
		"--XyZ\r\nContent-Disposition: form-data; name=f\rX: y\r\n\r\nx" FINAL,
		"--XyZ\r\n\r\nx" FINAL,
		"--XyZ\r\nContent-Type: video/mp4\r\n\r\nx" FINAL,
		"--XyZ\r\nContent-Disposition: attachment; name=f\r\n\r\nx" FINAL,
		"--XyZ\r\nContent-Disposition form-data\r\n\r\nx" FINAL,
		"--XyZ\r\n: x\r\n\r\nx" FINAL,
		"--XyZ\r\nContent-Disposition : form-data; name=f\r\n\r\nx" FINAL,
		"--XyZ\r\nContent-Disposition: form-data;\r\n name=f\r\n\r\nx" FINAL,
		PART("filename=a") FINAL,
		PART("name=\"unfinished") FINAL,
		PART("name=\"f\"x") FINAL,
		PART("name=f; name=g") FINAL,
		PART("name=f; filename=a; filename=b") FINAL,
		PART("name") FINAL,
		"--XyZ\r\nContent-Disposition: form-data; name=f\r\n"
		"Content-Type: multipart/mixed; boundary=in\r\n\r\nx" FINAL,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
		expect(TYPE, bodies[i], ERR_INVALID, NULL);
}

static void
boundaries_are_checked(void **state)
{
	static const char seventy[] =
		"0123456789012345678901234567890123456789012345678901234567890123"
		"456789";
	struct multipart *m = malloc(sizeof *m);
	char type[256];
	static const char *const bad[] = {
		"",
		"multipart/form-data",
		"multipart/form-data; boundary=",
		"multipart/form-data; boundary=\"\"",
		"multipart/form-data; boundary=\"a b \"",
		"multipart/form-data; boundary=\"a",
		"multipart/form-data; boundary=a@b",
		"multipart/form-data; boundary=a; boundary=b",
		"multipart/mixed; boundary=a",
		"multipart/form-dataX; boundary=a",
		"application/x-www-form-urlencoded",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(multipart_init(m, bad[i], &recorder, NULL, NULL), ERR_INVALID);
	assert_int_equal(multipart_init(m, NULL, &recorder, NULL, NULL), ERR_INVALID);
	snprintf(type, sizeof type, "multipart/form-data; boundary=%s", seventy);
	assert_int_equal(multipart_init(m, type, &recorder, NULL, NULL), 0);
	snprintf(type, sizeof type, "multipart/form-data; boundary=%s1", seventy);
	assert_int_equal(multipart_init(m, type, &recorder, NULL, NULL), ERR_INVALID);
	free(m);
	expect("Multipart/Form-Data; charset=utf-8; Boundary=\"X y:Z\"",
	       "--X y:Z\r\nContent-Disposition: form-data; name=f\r\n\r\nx\r\n--X y:Z--", 0,
	       "<f|-|:x>");
}

static void
limits_are_kept(void **state)
{
	SCOPED(str_free) struct str body = STR_MAX(4 << 20);
	SCOPED(str_free) struct str seen = STR_MAX(4 << 20);

	(void)state;
	for (int i = 0; i < MULTIPART_PARTS_MAX; i++)
		str_puts(&body, i ? "\r\n" PART("name=f") : PART("name=f"));
	assert_int_equal(parse(TYPE, body.data, body.len, 0, &seen), ERR_INVALID);
	for (int i = 0; i < 10000; i++)
		str_puts(&body, "\r\n" PART("name=f"));
	assert_int_equal(parse(TYPE, body.data, body.len, 0, &seen), ERR_TOO_LARGE);
	str_clear(&body);
	str_puts(&body, "--XyZ\r\nX: ");
	for (int i = 0; i < MULTIPART_HEAD_MAX; i++)
		str_puts(&body, "a");
	assert_int_equal(parse(TYPE, body.data, body.len, 0, &seen), ERR_TOO_LARGE);
	str_clear(&body);
	for (int i = 0; i < 9000; i++)
		str_puts(&body, "p");
	assert_int_equal(parse(TYPE, body.data, body.len, 4096, &seen), ERR_INVALID);
}

static void
a_long_filename_is_cut_between_characters(void **state)
{
	SCOPED(str_free) struct str body = STR_MAX(8192);
	SCOPED(str_free) struct str seen = STR_MAX(8192);

	(void)state;
	str_puts(&body, "--XyZ\r\nContent-Disposition: form-data; name=f; filename=\"");
	for (int i = 0; i < 200; i++)
		str_puts(&body, "\xc3\xa9");
	str_puts(&body, "\"\r\n\r\nx" FINAL);
	assert_int_equal(parse(TYPE, body.data, body.len, 0, &seen), 0);
	assert_true(utf8_valid(seen.data, seen.len));
	assert_int_equal(seen.len, strlen("<f||:x>") + 254);
}

static int
refuse(void *arg, const char *data, size_t len, struct err *e)
{
	(void)arg, (void)data, (void)len;
	return err_set(e, ERR_UNAVAILABLE, "storage is away");
}

static void
a_failing_callback_stops_the_parser(void **state)
{
	const struct multipart_events events = { record_begin, refuse, record_end };
	SCOPED(str_free) struct str seen = STR_MAX(65536);
	SCOPED_FREE struct multipart *m = malloc(sizeof *m);
	static const char body[] = PART("name=f") "x" FINAL;
	struct err e = ERR_NONE;

	(void)state;
	assert_int_equal(multipart_init(m, TYPE, &events, &seen, &e), 0);
	assert_int_equal(multipart_feed(m, body, sizeof body - 1, &e), ERR_UNAVAILABLE);
	assert_int_equal(multipart_feed(m, "x", 1, &e), ERR_INVALID);
	assert_int_equal(multipart_finish(m, &e), ERR_INVALID);
	assert_string_equal(str_text(&seen), "<f|-|:");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_split_gives_the_same_parts),
		cmocka_unit_test(a_body_fed_byte_by_byte_is_the_same),
		cmocka_unit_test(names_are_read_in_every_form),
		cmocka_unit_test(malformed_bodies_are_invalid),
		cmocka_unit_test(boundaries_are_checked),
		cmocka_unit_test(limits_are_kept),
		cmocka_unit_test(a_long_filename_is_cut_between_characters),
		cmocka_unit_test(a_failing_callback_stops_the_parser),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
