#include "worker/writer/wav_head.h"

#include <string.h>

#define LONG_BYTES 28 /* of RF64's lengths: file, sound, samples, and a table of none */
#define FORMAT_BYTES 16
#define FORMAT_PCM 1
#define LENGTH_ELSEWHERE UINT32_MAX

static uint8_t *
wav_put(uint8_t *to, uint64_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		to[i] = (uint8_t)(value >> (8 * i));
	return to + bytes;
}

static uint8_t *
wav_put_chunk(uint8_t *to, const char name[4], uint32_t len)
{
	memcpy(to, name, 4);
	return wav_put(to + 4, len, 4);
}

static uint8_t *
wav_put_format(uint8_t *to, const struct media_spec *spec)
{
	uint64_t rate = (uint64_t)spec->sample_rate, channels = (uint64_t)spec->channels;

	to = wav_put_chunk(to, "fmt ", FORMAT_BYTES);
	to = wav_put(to, FORMAT_PCM, 2);
	to = wav_put(to, channels, 2);
	to = wav_put(to, rate, 4);
	to = wav_put(to, rate * channels * WAV_SAMPLE_BYTES, 4);
	to = wav_put(to, channels * WAV_SAMPLE_BYTES, 2);
	return wav_put(to, 8 * WAV_SAMPLE_BYTES, 2);
}

void
wav_head_write(const struct media_spec *spec, int64_t samples, uint8_t ret[WAV_HEAD_BYTES])
{
	uint64_t sound = (uint64_t)samples * (uint64_t)spec->channels * WAV_SAMPLE_BYTES;
	uint64_t file = sound + WAV_HEAD_BYTES - 8;
	bool is_long = file >= LENGTH_ELSEWHERE;
	uint8_t *at = ret;

	memset(ret, 0, WAV_HEAD_BYTES);
	at = wav_put_chunk(at, is_long ? "RF64" : "RIFF",
			   is_long ? LENGTH_ELSEWHERE : (uint32_t)file);
	memcpy(at, "WAVE", 4);
	at = wav_put_chunk(at + 4, is_long ? "ds64" : "JUNK", LONG_BYTES);
	if (is_long) {
		(void)wav_put(at, file, 8);
		(void)wav_put(at + 8, sound, 8);
		(void)wav_put(at + 16, (uint64_t)samples, 8);
	}
	at = wav_put_format(at + LONG_BYTES, spec);
	(void)wav_put_chunk(at, "data", is_long ? LENGTH_ELSEWHERE : (uint32_t)sound);
}
