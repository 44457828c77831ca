#include "worker/source/raw/frame_size.h"

#include <stdbool.h>

#include <libavcodec/ac3_parser.h>
#include <libavcodec/codec_id.h>

/* kbit/s by the header's index: MPEG-1 layers I, II, III; MPEG-2 layer I; layers II and III (ISO/IEC
 * 11172-3, 13818-3). 0 = free or forbidden. */
static const uint16_t bitrates[5][16] = {
	{ 0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448, 0 },
	{ 0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 0 },
	{ 0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0 },
	{ 0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256, 0 },
	{ 0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0 },
};
static const int rates[4] = { 44100, 48000, 32000, 0 };

static size_t
mpeg_frame_size(const uint8_t *at, size_t len)
{
	int version, layer, rate, bitrate;
	bool padded;

	if (len < 4 || at[0] != 0xff || (at[1] & 0xe0) != 0xe0)
		return 0;
	version = at[1] >> 3 & 3; /* 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5 */
	layer = 4 - (at[1] >> 1 & 3);
	rate = rates[at[2] >> 2 & 3] >> (version == 3 ? 0 : version == 2 ? 1 : 2);
	padded = at[2] & 2;
	if (version == 1 || layer == 4 || rate == 0)
		return 0;
	bitrate = 1000 * bitrates[version == 3 ? layer - 1 : layer == 1 ? 3 : 4][at[2] >> 4];
	if (bitrate == 0)
		return 0;
	if (layer == 1)
		return 4 * ((size_t)(12 * bitrate / rate) + padded);
	return (size_t)((layer == 3 && version != 3 ? 72 : 144) * bitrate / rate) + padded;
}

/* ISO/IEC 14496-3, 1.A.2.2 */
static size_t
adts_frame_size(const uint8_t *at, size_t len)
{
	if (len < 7 || at[0] != 0xff || (at[1] & 0xf6) != 0xf0)
		return 0;
	return (size_t)((at[3] & 3) << 11 | at[4] << 3 | at[5] >> 5);
}

/* ISO/IEC 14496-3, 1.7.2 */
static size_t
loas_frame_size(const uint8_t *at, size_t len)
{
	if (len < 3 || at[0] != 0x56 || (at[1] & 0xe0) != 0xe0)
		return 0;
	return (size_t)((at[1] & 0x1f) << 8 | at[2]) + 3;
}

/* ETSI TS 102 114, 5.3: the core, in 16-bit words of big endian. */
static size_t
dts_frame_size(const uint8_t *at, size_t len)
{
	if (len < 8 || at[0] != 0x7f || at[1] != 0xfe || at[2] != 0x80 || at[3] != 0x01)
		return 0;
	return (size_t)((at[5] & 3) << 12 | at[6] << 4 | at[7] >> 4) + 1;
}

static size_t
ac3_frame_size(const uint8_t *at, size_t len)
{
	uint16_t size = 0;
	uint8_t version;

	return av_ac3_parse_header(at, len, &version, &size) < 0 ? 0 : size;
}

/* RFC 4867, 5.3: by the frame's type; 0 = no such type. */
static size_t
amr_frame_size(int codec, const uint8_t *at, size_t len)
{
	static const uint8_t narrow[16] = { 13, 14, 16, 18, 20, 21, 27, 32, 6, [15] = 1 };
	static const uint8_t wide[16] = { 18, 24, 33, 37, 41, 47, 51, 59, 61, 6, [14] = 1, 1 };

	return len < 1 ? 0 : (codec == AV_CODEC_ID_AMR_NB ? narrow : wide)[at[0] >> 3 & 15];
}

size_t
frame_size(int codec, const uint8_t *data, size_t len)
{
	if (codec == AV_CODEC_ID_MP1 || codec == AV_CODEC_ID_MP2 || codec == AV_CODEC_ID_MP3)
		return mpeg_frame_size(data, len);
	if (codec == AV_CODEC_ID_AAC)
		return adts_frame_size(data, len);
	if (codec == AV_CODEC_ID_AAC_LATM)
		return loas_frame_size(data, len);
	if (codec == AV_CODEC_ID_AC3 || codec == AV_CODEC_ID_EAC3)
		return ac3_frame_size(data, len);
	if (codec == AV_CODEC_ID_AMR_NB || codec == AV_CODEC_ID_AMR_WB)
		return amr_frame_size(codec, data, len);
	return codec == AV_CODEC_ID_DTS ? dts_frame_size(data, len) : 0;
}
