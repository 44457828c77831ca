#include "worker/tags/metadata.h"

#include <stdio.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/avstring.h>
#include <libavutil/dict.h>

#define NAMES_MAX 3

/* libav's names, which it gives most containers' own; the first that is there counts. */
static const char *const names[TAG_FIELDS][NAMES_MAX] = {
	[TAG_TITLE] = { "title" },
	[TAG_ARTIST] = { "artist", "author", "performer" },
	[TAG_ALBUM] = { "album", "product" },
	[TAG_TRACK] = { "track" },
	[TAG_DATE] = { "date", "date_released", "year" },
	[TAG_GENRE] = { "genre" },
	[TAG_COMMENT] = { "comment" },
};

static const char *
metadata_find(const AVDictionary *from, const char *const field[NAMES_MAX])
{
	for (size_t i = 0; i < NAMES_MAX && field[i]; i++) {
		const AVDictionaryEntry *entry = av_dict_get(from, field[i], NULL, 0);

		if (entry && entry->value[0])
			return entry->value;
	}
	return NULL;
}

/* A front cover, if the file knows one, else the first picture. */
static void
metadata_find_picture(const AVFormatContext *format, struct tags *ret)
{
	for (unsigned i = 0; i < format->nb_streams; i++) {
		const AVStream *stream = format->streams[i];
		const AVPacket *picture = &stream->attached_pic;
		const AVDictionaryEntry *kind = av_dict_get(stream->metadata, "comment", NULL, 0);
		bool front = kind && strcmp(kind->value, "Cover (front)") == 0;

		if (!(stream->disposition & AV_DISPOSITION_ATTACHED_PIC) ||
		    (stream->disposition & AV_DISPOSITION_TIMED_THUMBNAILS) || picture->size <= 0 ||
		    (ret->picture && !front) ||
		    !tags_picture_type(picture->data, (size_t)picture->size))
			continue;
		ret->picture = picture->data;
		ret->picture_len = (size_t)picture->size;
		if (front)
			return;
	}
}

void
metadata_read(const AVFormatContext *format, const AVStream *sound, struct tags *ret)
{
	/* A track's title is its label ("Stereo", "Commentary") where the file has one of its own.
	 */
	bool labels = !av_match_name("ogg", format->iformat->name);

	*ret = (struct tags){ 0 };
	for (enum tag_field field = 0; field < TAG_FIELDS; field++) {
		if (field != TAG_TITLE || !labels)
			ret->text[field] = metadata_find(sound->metadata, names[field]);
		if (!ret->text[field])
			ret->text[field] = metadata_find(format->metadata, names[field]);
	}
	metadata_find_picture(format, ret);
}

static void
metadata_words(const AVStream *stream, const char *key, char *to, size_t size)
{
	const AVDictionaryEntry *entry = av_dict_get(stream->metadata, key, NULL, 0);
	size_t len = entry ? tags_clean(entry->value, TAG_ONE_LINE, to, size - 1) : 0;

	to[len] = '\0';
}

void
metadata_tracks(const AVFormatContext *format, const AVStream *taken, struct tracks *ret)
{
	*ret = (struct tracks){ 0 };
	for (unsigned i = 0; i < format->nb_streams && ret->count < TRACKS_MAX; i++) {
		const AVStream *stream = format->streams[i];
		struct track *track = &ret->list[ret->count];

		if (stream->codecpar->codec_type != AVMEDIA_TYPE_AUDIO)
			continue;
		(void)snprintf(track->codec, sizeof track->codec, "%s",
			       avcodec_get_name(stream->codecpar->codec_id));
		metadata_words(stream, "language", track->language, sizeof track->language);
		metadata_words(stream, "title", track->title, sizeof track->title);
		track->channels = stream->codecpar->ch_layout.nb_channels;
		track->is_default = (stream->disposition & AV_DISPOSITION_DEFAULT) != 0;
		track->taken = stream == taken;
		ret->count++;
	}
}
