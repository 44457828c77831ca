#include "worker/source/container.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>

#include <libavformat/avformat.h>
#include <libavutil/avstring.h>
#include <libavutil/log.h>
#include <libavutil/mem.h>

#include "worker/source/end/declared_end.h"
#include "worker/source/raw/raw_find.h"
#include "worker/source/refusal.h"
#include "worker/whitelist.h"

#define STREAMS_MAX 64
#define PROBE_BYTES (5 * 1024 * 1024)
#define PROBE_US (5 * (int64_t)AV_TIME_BASE)
#define PROBE_PACKETS 2500
/* Of processor time, until the streams are known; a film of ten hours takes one second. */
#define OPEN_CPU_S 60
/* One piece of memory: the index of a track of days is smaller. */
#define ALLOC_MAX ((size_t)256 << 20)
/* Writers are off by a few padding bytes. */
#define END_SLACK 1024

static int
container_refuse_io(AVFormatContext *format, AVIOContext **ret, const char *url, int flags,
		    AVDictionary **options)
{
	(void)format;
	(void)ret;
	(void)url;
	(void)flags;
	(void)options;
	return AVERROR(EACCES);
}

void
container_discard_all_but(AVFormatContext *format, int keep)
{
	for (unsigned i = 0; i < format->nb_streams; i++) {
		AVStream *stream = format->streams[i];
		bool wanted = keep >= 0 ? (int)i == keep
					: stream->codecpar->codec_type == AVMEDIA_TYPE_AUDIO;
		if (!wanted && stream->codecpar->codec_type != AVMEDIA_TYPE_UNKNOWN)
			stream->discard = AVDISCARD_ALL;
	}
}

static void
container_look_for_end(struct input *in)
{
	uint8_t start[DECLARED_END_START];
	int got = avio_read(in->avio, start, sizeof start);

	in->declared_end = got > 0 ? declared_end(start, (size_t)got) : -1;
	(void)avio_seek(in->avio, 0, SEEK_SET);
}

static int
container_set_options(enum container_edits edits, AVDictionary **options)
{
	static const char *const table[][2] = {
		{ "format_whitelist", WHITELIST_CONTAINERS },
		{ "codec_whitelist", WHITELIST_DECODERS },
		{ "protocol_whitelist", "" },
		/* of mov: never another file, by whatever name */
		{ "enable_drefs", "0" },
		{ "use_absolute_path", "0" },
	};
	int av = 0;

	for (size_t i = 0; av >= 0 && i < sizeof table / sizeof table[0]; i++)
		av = av_dict_set(options, table[i][0], table[i][1], 0);
	if (av >= 0 && edits == CONTAINER_LEAVES_EDITS)
		av = av_dict_set(options, "ignore_editlist", "1", 0);
	return av;
}

/* Pictures and fonts are one packet each, which is here already. */
static int
container_count_streams(const AVFormatContext *format)
{
	int count = 0;

	for (unsigned i = 0; i < format->nb_streams; i++) {
		const AVStream *stream = format->streams[i];

		count += !(stream->disposition & AV_DISPOSITION_ATTACHED_PIC) &&
			 stream->codecpar->codec_type != AVMEDIA_TYPE_ATTACHMENT;
	}
	return count;
}

static AVFormatContext *
container_new_format(struct input *in)
{
	AVFormatContext *format = avformat_alloc_context();

	if (!format)
		return NULL;
	format->pb = in->avio;
	format->flags |= AVFMT_FLAG_CUSTOM_IO;
	format->io_open = container_refuse_io;
	format->interrupt_callback = (AVIOInterruptCB){ input_interrupted, in };
	format->probesize = PROBE_BYTES;
	format->max_analyze_duration = PROBE_US;
	format->max_probe_packets = PROBE_PACKETS;
	format->skip_estimate_duration_from_pts = 1;
	return format;
}

/* A result of libav. */
static int
container_try(struct input *in, enum container_edits edits, AVFormatContext **ret)
{
	AVDictionary *options = NULL;
	int av;

	if (!(*ret = container_new_format(in)))
		return AVERROR(ENOMEM);
	if ((av = container_set_options(edits, &options)) >= 0)
		av = avformat_open_input(ret, "", NULL, &options);
	av_dict_free(&options);
	return av;
}

/* From where a raw stream begins, in a file whose start tells of no format. */
static bool
container_try_raw(struct input *in, enum container_edits edits, AVFormatContext **ret)
{
	int64_t at = refusal_is_doubtful(in) ? raw_find(in) : -1;

	if (at <= 0)
		return false;
	input_skip(in, at);
	if (container_try(in, edits, ret) >= 0)
		return true;
	input_skip(in, -at);
	return false;
}

enum worker_failure
container_open_file(struct input *in, enum container_edits edits, AVFormatContext **ret,
		    struct err *e)
{
	int av = container_try(in, edits, ret);

	if (av >= 0 || (av != AVERROR(ENOMEM) && container_try_raw(in, edits, ret)))
		return WORKER_FAILURE_NONE;
	return refusal_of_file(in, av, e);
}

static enum worker_failure
container_find_streams(AVFormatContext *format, int64_t from, struct err *e)
{
	int av = 0;

	if (container_count_streams(format) > STREAMS_MAX)
		return failure_set(e, WORKER_UNSUPPORTED, "%d streams",
				   container_count_streams(format));
	container_discard_all_but(format, -1);
	if (from > 0)
		av = av_seek_frame(format, -1, from, AVSEEK_FLAG_BYTE);
	if (av >= 0)
		av = avformat_find_stream_info(format, NULL);
	return av < 0 ? failure_av(e, WORKER_DAMAGED, "streams", av) : WORKER_FAILURE_NONE;
}

/* libav's log has no other way out, and says of more damage than its results do. */
static atomic_uint complaints, passed_pictures;
/* What it says, in ID3 and FLAC, of a picture whose kind it does not know. */
static const char passed_picture[] = "Unknown attached picture mimetype";

static void
container_note_complaint(void *context, int level, const char *format, va_list args)
{
	(void)context;
	(void)args;
	if (strncmp(format, passed_picture, sizeof passed_picture - 1) == 0)
		(void)atomic_fetch_add(&passed_pictures, 1);
	if (level <= AV_LOG_ERROR)
		(void)atomic_fetch_add(&complaints, 1);
}

unsigned
container_complaints(void)
{
	return atomic_load(&complaints);
}

unsigned
container_passed_pictures(void)
{
	return atomic_load(&passed_pictures);
}

enum worker_failure
container_open(struct input *in, enum container_edits edits, int64_t from, AVFormatContext **ret,
	       struct err *e)
{
	enum worker_failure f;

	av_log_set_callback(container_note_complaint);
	av_max_alloc(ALLOC_MAX);
	container_look_for_end(in);
	input_hurry(in, OPEN_CPU_S);
	f = container_open_file(in, edits, ret, e);
	if (!f && *ret)
		f = container_find_streams(*ret, from, e);
	if (input_interrupted(in))
		f = failure_set(e, WORKER_DAMAGED, "no streams after %d s of work", OPEN_CPU_S);
	input_hurry(in, 0);
	return f;
}

bool
container_is_cut(const struct input *in)
{
	return in->declared_end > in->size + END_SLACK;
}

bool
container_allows(const char *decoder)
{
	return av_match_list(decoder, WHITELIST_DECODERS, ',') != 0;
}

bool
container_has_picture(const AVFormatContext *format)
{
	for (unsigned i = 0; i < format->nb_streams; i++)
		if (format->streams[i]->codecpar->codec_type == AVMEDIA_TYPE_VIDEO &&
		    !(format->streams[i]->disposition & AV_DISPOSITION_ATTACHED_PIC))
			return true;
	return false;
}
