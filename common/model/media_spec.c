#include "model/media_spec.h"

#include <string.h>
#include <strings.h>

#include "base/scope.h"

#define SAMPLE_BYTES 2                 /* of PCM as it is written */
#define SAMPLES_MAX (INT64_C(1) << 53) /* 6,000 years: no product below overflows */

/* ISO 11172-3 and 13818-3, layer III, and MPEG-2.5 as far as LAME goes. */
static const int mpeg1[] = { 32000,  40000,  48000,  56000,  64000,  80000,  96000, 112000,
			     128000, 160000, 192000, 224000, 256000, 320000, 0 };
static const int mpeg2[] = { 8000,  16000, 24000,  32000,  40000,  48000,  56000, 64000,
			     80000, 96000, 112000, 128000, 144000, 160000, 0 };
static const int mpeg25[] = { 8000, 16000, 24000, 32000, 40000, 48000, 56000, 64000, 0 };
static const struct media_rate mp3_rates[] = {
	{ 44100, mpeg1 }, { 48000, mpeg1 },  { 32000, mpeg1 },  { 24000, mpeg2 }, { 22050, mpeg2 },
	{ 16000, mpeg2 }, { 12000, mpeg25 }, { 11025, mpeg25 }, { 8000, mpeg25 },
};
static const struct media_rate wav_rates[] = {
	{ 44100, NULL }, { 48000, NULL }, { 32000, NULL }, { 24000, NULL }, { 22050, NULL },
	{ 16000, NULL }, { 12000, NULL }, { 11025, NULL }, { 8000, NULL },
};

/* clang-format off */
static const struct media_format_info formats[MEDIA_FORMATS] = {
	/*               name    extension content type  lossless rates and their number       channels bit rate */
	[MEDIA_MP3]  = { "mp3",  "mp3",  "audio/mpeg",   false, mp3_rates, ARRAY_LEN(mp3_rates), 2, 2, 128000 },
	[MEDIA_WAV]  = { "wav",  "wav",  "audio/wav",    true,  wav_rates, ARRAY_LEN(wav_rates), 2, 2, 0 },
	[MEDIA_OGG]  = { "ogg",  "ogg",  "audio/ogg",    false, NULL, 0, 0, 0, 0 },
	[MEDIA_OPUS] = { "opus", "opus", "audio/opus",   false, NULL, 0, 0, 0, 0 },
	[MEDIA_AAC]  = { "aac",  "aac",  "audio/aac",    false, NULL, 0, 0, 0, 0 },
	[MEDIA_M4A]  = { "m4a",  "m4a",  "audio/mp4",    false, NULL, 0, 0, 0, 0 },
	[MEDIA_FLAC] = { "flac", "flac", "audio/flac",   true,  NULL, 0, 0, 0, 0 },
};
/* clang-format on */

const struct media_format_info *
media_format_info(enum media_format format)
{
	return (size_t)format < MEDIA_FORMATS ? &formats[format] : NULL;
}

enum media_format
media_format_named(const char *name)
{
	for (size_t i = 0; i < MEDIA_FORMATS; i++)
		if (strcmp(formats[i].name, name) == 0)
			return (enum media_format)i;
	return MEDIA_UNKNOWN;
}

enum media_format
media_format_of_type(const char *content_type)
{
	for (size_t i = 0; i < MEDIA_FORMATS; i++)
		if (strcmp(formats[i].content_type, content_type) == 0)
			return (enum media_format)i;
	return MEDIA_UNKNOWN;
}

enum media_format
media_format_of_file(const char *filename)
{
	const char *slash = strrchr(filename, '/'), *name = slash ? slash + 1 : filename;
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < MEDIA_FORMATS; i++)
		if (strcasecmp(formats[i].extension, dot + 1) == 0)
			return (enum media_format)i;
	return MEDIA_UNKNOWN;
}

static const struct media_rate *
media_rate_of(const struct media_format_info *info, int sample_rate)
{
	for (size_t i = 0; i < info->rate_count; i++)
		if (info->rates[i].sample_rate == sample_rate)
			return &info->rates[i];
	return NULL;
}

/* The default, or as much of it as the rate allows. */
static int
media_bit_rate_default(const struct media_format_info *info, const struct media_rate *rate)
{
	int found = 0;

	for (const int *at = rate->bit_rates; at && *at > 0 && *at <= info->bit_rate_default; at++)
		found = *at;
	return found;
}

static bool
media_bit_rate_allowed(const struct media_rate *rate, int bit_rate)
{
	if (!rate->bit_rates)
		return bit_rate == 0;
	for (const int *at = rate->bit_rates; *at > 0; at++)
		if (*at == bit_rate)
			return true;
	return false;
}

int
media_spec_settle(struct media_spec *spec, struct err *e)
{
	const struct media_format_info *info = media_format_info(spec->format);
	struct media_spec s = *spec;
	const struct media_rate *rate;

	if (!info || !info->rates)
		return err_set(e, ERR_INVALID, "no %s is made", info ? info->name : "such format");
	if (s.sample_rate == 0)
		s.sample_rate = info->rates[0].sample_rate;
	if (s.channels == 0)
		s.channels = info->channels_default;
	if (!(rate = media_rate_of(info, s.sample_rate)))
		return err_set(e, ERR_INVALID, "no %s of %d Hz is made", info->name, s.sample_rate);
	if (s.channels < 1 || s.channels > info->channels_max)
		return err_set(e, ERR_INVALID, "no %s of %d channels is made", info->name,
			       s.channels);
	if (s.bit_rate == 0)
		s.bit_rate = media_bit_rate_default(info, rate);
	if (!media_bit_rate_allowed(rate, s.bit_rate))
		return err_set(e, ERR_INVALID, "no %s of %d bit/s at %d Hz is made", info->name,
			       s.bit_rate, s.sample_rate);
	*spec = s;
	return 0;
}

bool
media_spec_is_settled(const struct media_spec *spec)
{
	struct media_spec s = *spec;

	return media_spec_settle(&s, NULL) == 0 && s.sample_rate == spec->sample_rate &&
	       s.channels == spec->channels && s.bit_rate == spec->bit_rate;
}

int64_t
media_spec_bytes_max(const struct media_spec *spec, int64_t samples)
{
	int64_t n = samples < SAMPLES_MAX ? samples : SAMPLES_MAX;
	int64_t bytes = spec->bit_rate > 0 ? n / spec->sample_rate * (spec->bit_rate / 8)
					   : n * spec->channels * SAMPLE_BYTES;

	/* frames are padded, and a last one is begun */
	return bytes + bytes / 50 + MEDIA_HEAD_MAX;
}

static const struct {
	const char *name, *off, *on;
} media_options[MEDIA_OPTIONS] = {
	[MEDIA_OPTION_STRICT] = { "strict", "false", "true" },
	[MEDIA_OPTION_GAPS] = { "gaps", "fill", "drop" },
};

const char *
media_option_name(enum media_option option)
{
	return media_options[option].name;
}

int
media_option_named(const char *name, enum media_option *ret)
{
	for (int i = 0; i < MEDIA_OPTIONS; i++)
		if (strcmp(media_options[i].name, name) == 0) {
			*ret = (enum media_option)i;
			return 0;
		}
	return -1;
}

static bool *
media_option_field(struct media_spec *spec, enum media_option option)
{
	return option == MEDIA_OPTION_STRICT ? &spec->strict : &spec->drop_gaps;
}

int
media_option_set(struct media_spec *spec, enum media_option option, const char *value,
		 struct err *e)
{
	bool on = strcmp(value, media_options[option].on) == 0;

	if (!on && strcmp(value, media_options[option].off) != 0)
		return err_set(e, ERR_INVALID, "%s must be %s or %s", media_options[option].name,
			       media_options[option].off, media_options[option].on);
	*media_option_field(spec, option) = on;
	return 0;
}
