#include "worker/monos.h"

#include <string.h>

#include <libavformat/avformat.h>
#include <libavutil/avstring.h>
#include <libavutil/dict.h>
#include <libavutil/parseutils.h>

/* By so much the lengths of one recording's tracks may differ, unless a packet is longer. */
#define APART_US 50000
/* What is heard in place of the other tracks, or is no recording. */
#define OTHER_KINDS                                                                                \
	(AV_DISPOSITION_COMMENT | AV_DISPOSITION_DUB | AV_DISPOSITION_KARAOKE |                    \
	 AV_DISPOSITION_LYRICS | AV_DISPOSITION_HEARING_IMPAIRED |                                 \
	 AV_DISPOSITION_VISUAL_IMPAIRED | AV_DISPOSITION_CLEAN_EFFECTS |                           \
	 AV_DISPOSITION_DESCRIPTIONS)

static const char *
monos_word(const AVStream *stream, const char *key)
{
	const AVDictionaryEntry *entry = av_dict_get(stream->metadata, key, NULL, 0);

	return entry ? entry->value : "";
}

/* Of a track in an AVI, whose length libav forgets: where its last chunk starts. */
static int64_t
monos_last_start(AVStream *stream)
{
	int entries = avformat_index_get_entries_count(stream);
	const AVIndexEntry *last = NULL;

	if (entries > 0)
		last = avformat_index_get_entry(stream, entries - 1);
	return last ? last->timestamp : 0;
}

/* Microseconds; -1 = the file does not say. Matroska has it in a tag of the track. */
static int64_t
monos_length(const AVFormatContext *format, AVStream *stream)
{
	bool is_avi = av_match_name("avi", format->iformat->name) != 0;
	int64_t length;

	if (av_parse_time(&length, monos_word(stream, "DURATION"), 1) >= 0 && length > 0)
		return length;
	length = stream->duration > 0 || !is_avi ? stream->duration : monos_last_start(stream);
	return length > 0 ? av_rescale_q(length, stream->time_base, AV_TIME_BASE_Q) : -1;
}

static bool
monos_last_as_long(const AVFormatContext *format, AVStream *a, AVStream *b)
{
	int64_t first = monos_length(format, a), second = monos_length(format, b);
	int64_t packet =
		av_rescale(a->codecpar->frame_size, AV_TIME_BASE, a->codecpar->sample_rate);
	int64_t apart = packet > APART_US ? packet : APART_US;

	return first > 0 && second > 0 && first <= av_sat_add64(second, apart) &&
	       second <= av_sat_add64(first, apart);
}

/* "" or "und" is any. */
static bool
monos_speak_alike(const AVStream *a, const AVStream *b)
{
	const char *first = monos_word(a, "language"), *second = monos_word(b, "language");

	return first[0] == '\0' || second[0] == '\0' || strcmp(first, "und") == 0 ||
	       strcmp(second, "und") == 0 || av_strcasecmp(first, second) == 0;
}

static bool
monos_is_one(const AVStream *stream)
{
	const AVCodecParameters *codec = stream->codecpar;

	return codec->codec_type == AVMEDIA_TYPE_AUDIO && codec->ch_layout.nb_channels == 1 &&
	       codec->sample_rate > 0 && !(stream->disposition & OTHER_KINDS) &&
	       !av_stristr(monos_word(stream, "title"), "comment") &&
	       !av_stristr(monos_word(stream, "handler_name"), "comment");
}

static bool
monos_belong(const AVFormatContext *format, AVStream *best, AVStream *other)
{
	return best == other ||
	       (monos_is_one(other) && best->codecpar->codec_id == other->codecpar->codec_id &&
		best->codecpar->sample_rate == other->codecpar->sample_rate &&
		monos_speak_alike(best, other) && monos_last_as_long(format, best, other));
}

bool
monos_find(const AVFormatContext *format, AVStream *best, int ret[2])
{
	int found = 0;

	if (!monos_is_one(best))
		return false;
	for (unsigned i = 0; i < format->nb_streams && found < 2; i++)
		if (monos_belong(format, best, format->streams[i]))
			ret[found++] = (int)i;
	return found == 2;
}
