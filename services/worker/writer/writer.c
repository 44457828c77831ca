#include "worker/writer/writer.h"

#include "worker/writer/formats.h"

static const struct writer_format *const formats[MEDIA_FORMATS] = {
	[MEDIA_MP3] = &writer_mp3,
	[MEDIA_WAV] = &writer_wav,
};

const struct writer_format *
writer_format_of(enum media_format format)
{
	return (size_t)format < MEDIA_FORMATS ? formats[format] : NULL;
}
