/* What a result is to be: its format and what may be chosen of it. One table of formats, from which
 * a job's spec, the worker's order, a blob's metadata, a download and help speak.
 * Plain values. Threads: any. */
#ifndef TONEARM_MODEL_MEDIA_SPEC_H
#define TONEARM_MODEL_MEDIA_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Limits over all formats. */
#define MEDIA_RATE_MIN 8000  /* Hz */
#define MEDIA_RATE_MAX 48000 /* Hz */
#define MEDIA_CHANNELS_MAX 2

enum media_format {
	MEDIA_MP3, /* 0: where nothing is said */
	MEDIA_WAV,
	MEDIA_OGG, /* from here on: served where it is stored, not made */
	MEDIA_OPUS,
	MEDIA_AAC,
	MEDIA_M4A,
	MEDIA_FLAC,
	MEDIA_UNKNOWN, /* none of this build's */
};
#define MEDIA_FORMATS ((size_t)MEDIA_UNKNOWN)

/* One sample rate of a format. */
struct media_rate {
	int sample_rate;      /* Hz */
	const int *bit_rates; /* bit/s, rising, 0 ends; NULL: rate and channels say it */
};
struct media_format_info {
	const char *name;      /* as a job's spec has it */
	const char *extension; /* of a file's name, without the dot */
	const char *content_type;
	bool lossless;
	/* What may be chosen; the first rate is the default one. NULL: this build makes none. */
	const struct media_rate *rates;
	size_t rate_count;
	int channels_max, channels_default;
	int bit_rate_default; /* bit/s, where the rate allows as much; 0: there is none to choose */
};

/* Fields that are 0 ask for the default: all of them 0 is the mp3 that MsgQ makes. */
struct media_spec {
	enum media_format format;
	int sample_rate; /* Hz */
	int channels;
	int bit_rate;   /* bit/s; 0 also in a format that has none */
	bool strict;    /* a source that is damaged, or not whole, fails */
	bool drop_gaps; /* frame after frame, whatever the film's time */
};

/* What may be asked for beside the format, in the words of users. */
enum media_option {
	MEDIA_OPTION_STRICT, /* "strict": "false" or "true" */
	MEDIA_OPTION_GAPS,   /* "gaps": "fill" or "drop" */
};
#define MEDIA_OPTIONS (MEDIA_OPTION_GAPS + 1)
#define MEDIA_OPTION_VALUE_MAX 15 /* bytes that any value has */

const char *media_option_name(enum media_option option);
int media_option_named(const char *name, enum media_option *ret); /* -1 unknown */
/* INVALID, and spec as it was, with words that name the option and its choices. */
int media_option_set(struct media_spec *spec, enum media_option option, const char *value,
		     struct err *e);

/* NULL for MEDIA_UNKNOWN. */
const struct media_format_info *media_format_info(enum media_format format);
/* Each MEDIA_UNKNOWN when the table has none such. */
enum media_format media_format_named(const char *name);
enum media_format media_format_of_type(const char *content_type);
/* By the ending of a file's name, in any case of its letters. */
enum media_format media_format_of_file(const char *filename);

/* Fills in what is 0. INVALID, and spec as it was, when this build cannot make it. */
int media_spec_settle(struct media_spec *spec, struct err *e);
/* Whether spec is settled, and can be made. */
bool media_spec_is_settled(const struct media_spec *spec);

/* What a result holds beside its sound at most: tag, picture, header, padding. Bytes. */
#define MEDIA_HEAD_MAX ((4 << 20) + 384 * 1024)
/* The most bytes that a result of that many samples per channel can have; spec is settled. */
int64_t media_spec_bytes_max(const struct media_spec *spec, int64_t samples);

#endif
