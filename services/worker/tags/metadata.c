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
	[TAG_ALBUM_ARTIST] = { "album_artist", "albumartist", "album artist" },
	[TAG_COMPOSER] = { "composer" },
	[TAG_DISC] = { "disc", "discnumber" },
	[TAG_COMPILATION] = { "compilation" },
	[TAG_LANGUAGE] = { "language" },
	[TAG_LYRICS] = { "lyrics", "unsyncedlyrics", "unsynced lyrics" },
	[TAG_TRACK_TOTAL] = { "tracktotal", "totaltracks" },
	[TAG_DISC_TOTAL] = { "disctotal", "totaldiscs" },
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

/* A language counts where it is one: "und" of a track leaves the file's. */
static bool
metadata_counts(enum tag_field field, const char *text)
{
	char code[TAG_LANGUAGE_LEN];

	return text && (field != TAG_LANGUAGE || tags_language(text, code) > 0);
}

/* Of mp3s libav has "lyrics-eng", or "lyrics-words_eng". */
static void
metadata_find_lyrics(const AVDictionary *from, struct tags *ret)
{
	const AVDictionaryEntry *entry;
	size_t len;

	if (ret->text[TAG_LYRICS] ||
	    !(entry = av_dict_get(from, "lyrics-", NULL, AV_DICT_IGNORE_SUFFIX)) ||
	    !entry->value[0])
		return;
	ret->text[TAG_LYRICS] = entry->value;
	len = strlen(entry->key);
	if (len > TAG_LANGUAGE_LEN && strchr("-_", entry->key[len - TAG_LANGUAGE_LEN - 1]))
		ret->text[TAG_LYRICS_LANGUAGE] = entry->key + len - TAG_LANGUAGE_LEN;
}

/* A picture's bytes; NULL = the stream is none. Of pictures that libav does not know as such, they
 * are an attachment that says so. */
static const uint8_t *
metadata_picture(const AVStream *stream, size_t *ret_len)
{
	const AVCodecParameters *codec = stream->codecpar;
	const AVDictionaryEntry *type = av_dict_get(stream->metadata, "mimetype", NULL, 0);
	bool attached = codec->codec_type == AVMEDIA_TYPE_ATTACHMENT && type &&
			av_strstart(type->value, "image/", NULL);
	int size = attached ? codec->extradata_size : stream->attached_pic.size;

	if (!attached && (!(stream->disposition & AV_DISPOSITION_ATTACHED_PIC) ||
			  (stream->disposition & AV_DISPOSITION_TIMED_THUMBNAILS)))
		return NULL;
	*ret_len = size > 0 ? (size_t)size : 0;
	if (*ret_len == 0)
		return NULL;
	return attached ? codec->extradata : stream->attached_pic.data;
}

/* A front cover, if the file knows one, else the first picture. */
static void
metadata_find_picture(const AVFormatContext *format, struct tags *ret)
{
	uint32_t left_out = 0;
	bool found_front = false;

	for (unsigned i = 0; i < format->nb_streams && !found_front; i++) {
		const AVStream *stream = format->streams[i];
		const AVDictionaryEntry *kind = av_dict_get(stream->metadata, "comment", NULL, 0);
		bool front = kind && strcmp(kind->value, "Cover (front)") == 0;
		size_t len;
		const uint8_t *picture = metadata_picture(stream, &len);

		if (!picture)
			continue;
		if (!tags_picture_type(picture, len)) {
			left_out++;
		} else if (!ret->picture || front) {
			ret->picture = picture;
			ret->picture_len = len;
			found_front = front;
		}
	}
	ret->pictures_left_out = ret->picture ? 0 : left_out;
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
		if (!metadata_counts(field, ret->text[field]))
			ret->text[field] = metadata_find(format->metadata, names[field]);
	}
	metadata_find_lyrics(sound->metadata, ret);
	metadata_find_lyrics(format->metadata, ret);
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
		if (strcmp(track->language, "und") == 0) /* it says that none was said */
			track->language[0] = '\0';
		metadata_words(stream, "title", track->title, sizeof track->title);
		track->channels = stream->codecpar->ch_layout.nb_channels;
		track->is_default = (stream->disposition & AV_DISPOSITION_DEFAULT) != 0;
		track->taken = stream == taken;
		ret->count++;
	}
}
