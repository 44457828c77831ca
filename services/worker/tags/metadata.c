#include "worker/tags/metadata.h"

#include <string.h>

#include <libavformat/avformat.h>
#include <libavutil/avstring.h>
#include <libavutil/dict.h>

#define NAMES_MAX 3

/* libav's names, which it gives most containers' own; the first that is there counts. */
static const char *const names[ID3_FIELDS][NAMES_MAX] = {
	[ID3_TITLE] = { "title" },
	[ID3_ARTIST] = { "artist", "author", "performer" },
	[ID3_ALBUM] = { "album", "product" },
	[ID3_TRACK] = { "track" },
	[ID3_DATE] = { "date", "date_released", "year" },
	[ID3_GENRE] = { "genre" },
	[ID3_COMMENT] = { "comment" },
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
metadata_find_picture(const AVFormatContext *format, struct id3_content *ret)
{
	for (unsigned i = 0; i < format->nb_streams; i++) {
		const AVStream *stream = format->streams[i];
		const AVPacket *picture = &stream->attached_pic;
		const AVDictionaryEntry *kind = av_dict_get(stream->metadata, "comment", NULL, 0);
		bool front = kind && strcmp(kind->value, "Cover (front)") == 0;

		if (!(stream->disposition & AV_DISPOSITION_ATTACHED_PIC) ||
		    (stream->disposition & AV_DISPOSITION_TIMED_THUMBNAILS) || picture->size <= 0 ||
		    (ret->picture && !front) ||
		    !id3_takes_picture(picture->data, (size_t)picture->size))
			continue;
		ret->picture = picture->data;
		ret->picture_len = (size_t)picture->size;
		if (front)
			return;
	}
}

void
metadata_read(const AVFormatContext *format, const AVStream *sound, struct id3_content *ret)
{
	/* A track's title is its label ("Stereo", "Commentary") where the file has one of its own.
	 */
	bool labels = !av_match_name("ogg", format->iformat->name);

	*ret = (struct id3_content){ 0 };
	for (enum id3_field field = 0; field < ID3_FIELDS; field++) {
		if (field != ID3_TITLE || !labels)
			ret->text[field] = metadata_find(sound->metadata, names[field]);
		if (!ret->text[field])
			ret->text[field] = metadata_find(format->metadata, names[field]);
	}
	metadata_find_picture(format, ret);
}
