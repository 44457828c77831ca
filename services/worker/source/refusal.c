#include "worker/source/refusal.h"

#include <stdio.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/avstring.h>

#include "worker/source/mp4/boxes.h"
#include "worker/source/mp4/protection.h"
#include "worker/whitelist.h"

/* As far as libav itself looks before it gives up. */
#define REFUSAL_PROBE_BYTES (1 << 20)
/* The mp3 probe takes almost anything with a score below this. */
#define REFUSAL_SCORE_CERTAIN 5
#define REFUSAL_NAME_MAX 64

/* No sound can be in these: lists of other files. Pictures are those whose name ends in "_pipe". */
#define REFUSAL_LISTS "hls,applehttp,concat,ffconcat,dash,sdp,rtsp,imf,webvtt,srt,ass,image2"

/* "MXF" of "MXF (Material eXchange Format)", "Cook" of "Cook / Cooker / Gecko". */
static void
refusal_short_name(const char *name, char ret[REFUSAL_NAME_MAX])
{
	(void)snprintf(ret, REFUSAL_NAME_MAX, "%s", name);
	for (char *at = ret; *at; at++)
		if (*at == ',' || (*at == ' ' && (at[1] == '(' || at[1] == '/')))
			*at-- = '\0';
}

static bool
refusal_is_no_sound(const AVInputFormat *known)
{
	size_t len = strlen(known->name);

	return (len > 5 && strcmp(known->name + len - 5, "_pipe") == 0) ||
	       av_match_list(known->name, REFUSAL_LISTS, ',');
}

static const AVInputFormat *
refusal_probe(struct input *in, int *ret_score)
{
	const AVInputFormat *known = NULL;

	*ret_score = 0;
	in->avio->eof_reached = 0;
	in->avio->error = 0;
	if (avio_seek(in->avio, 0, SEEK_SET) < 0)
		return NULL;
	*ret_score = av_probe_input_buffer2(in->avio, &known, "", NULL, 0, REFUSAL_PROBE_BYTES);
	return *ret_score > AVPROBE_SCORE_RETRY ? known : NULL;
}

bool
refusal_is_doubtful(struct input *in)
{
	int score;

	return !refusal_probe(in, &score) || score <= AVPROBE_SCORE_EXTENSION;
}

/* Whether no box of the outermost ones is the index, as in a recording that was broken off. */
static bool
refusal_mp4_lacks_index(struct input *in)
{
	struct mp4_walk walk = { .in = in };
	struct mp4_box box;
	int64_t at = 0;

	while (mp4_next_box(&walk, &at, in->size, &box))
		if (box.name == MP4_NAME('m', 'o', 'o', 'v'))
			return false;
	return true;
}

enum worker_failure
refusal_of_file(struct input *in, int av, struct err *e)
{
	const AVInputFormat *known;
	char name[REFUSAL_NAME_MAX];
	int score;

	if (av == AVERROR(ENOMEM))
		return failure_av(e, WORKER_UNSUPPORTED, "open", av);
	known = refusal_probe(in, &score);
	if (!known || refusal_is_no_sound(known))
		return failure_av(e, WORKER_NOT_MEDIA, known ? known->name : "open", av);
	if (strcmp(known->name, "aa") == 0)
		return failure_set(e, WORKER_PROTECTED, "Audible");
	if (!av_match_list(known->name, WHITELIST_CONTAINERS, ',')) {
		refusal_short_name(known->long_name ? known->long_name : known->name, name);
		return failure_set(e, WORKER_UNKNOWN_FILE, "%s", name);
	}
	if (av_match_name("mov", known->name) && refusal_mp4_lacks_index(in))
		return failure_av(e, WORKER_UNFINISHED, known->name, av);
	return failure_av(e, WORKER_TRUNCATED, known->name, av);
}

enum worker_failure
refusal_of_codec(const AVStream *stream, struct err *e)
{
	const AVCodecDescriptor *codec = avcodec_descriptor_get(stream->codecpar->codec_id);
	char tag[AV_FOURCC_MAX_STRING_SIZE], name[REFUSAL_NAME_MAX];

	if (codec)
		refusal_short_name(codec->long_name ? codec->long_name : codec->name, name);
	else
		(void)snprintf(name, sizeof name, "%s",
			       av_fourcc_make_string(tag, stream->codecpar->codec_tag));
	return failure_set(e, WORKER_UNKNOWN_CODEC, "%s", name);
}

enum worker_failure
refusal_of_protected(struct input *in, const AVFormatContext *format, const AVStream *stream,
		     struct err *e)
{
	bool mov = av_match_name("mov", format->iformat->name) != 0;

	if (mov && mp4_is_protected(in, (uint32_t)stream->id))
		return failure_set(e, WORKER_PROTECTED, "mp4");
	/* an mp4 tells this of the first track, whichever is encrypted */
	if (!mov && av_stream_get_side_data(stream, AV_PKT_DATA_ENCRYPTION_INIT_INFO, NULL))
		return failure_set(e, WORKER_PROTECTED, "%s", format->iformat->name);
	if (av_dict_get(format->metadata, "ASF_Protection_Type", NULL, 0))
		return failure_set(e, WORKER_PROTECTED, "Windows Media");
	return WORKER_FAILURE_NONE;
}

enum worker_failure
refusal_of_tracks(struct input *in, const AVFormatContext *format, int av, struct err *e)
{
	enum worker_failure f;

	for (unsigned i = 0; av == AVERROR_DECODER_NOT_FOUND && i < format->nb_streams; i++) {
		const AVStream *stream = format->streams[i];

		if (stream->codecpar->codec_type != AVMEDIA_TYPE_AUDIO)
			continue;
		f = refusal_of_protected(in, format, stream, e);
		return f ? f : refusal_of_codec(stream, e);
	}
	return failure_av(
		e, format->probe_score < REFUSAL_SCORE_CERTAIN ? WORKER_NOT_MEDIA : WORKER_NO_AUDIO,
		"sound track", av);
}
