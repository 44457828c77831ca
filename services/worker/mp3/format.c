#include "worker/mp3/format.h"

#define INDEXES 15

/* kbit/s by bit-rate index: ISO 11172-3 2.4.2.3 and 13818-3 2.4.2.3, layer III */
static const short mpeg1_rates[INDEXES] = { 0,   32,  40,  48,  56,  64,  80, 96,
					    112, 128, 160, 192, 224, 256, 320 };
static const short mpeg2_rates[INDEXES] = { 0,  8,  16, 24,  32,  40,  48, 56,
					    64, 80, 96, 112, 128, 144, 160 };

struct mp3_measures
mp3_measure(const struct mp3_format *format)
{
	bool mpeg1 = format->sample_rate >= 32000, mono = format->channels == 1;

	return (struct mp3_measures){
		.mpeg1 = mpeg1,
		.frame_samples = mpeg1 ? 1152 : 576,
		.side_bytes = mpeg1 ? (mono ? 17 : 32) : (mono ? 9 : 17),
		.reservoir_max = mpeg1 ? 511 : 255,
	};
}

static const short *
mp3_rates_of(const struct mp3_format *format)
{
	return mp3_measure(format).mpeg1 ? mpeg1_rates : mpeg2_rates;
}

size_t
mp3_frame_bytes(const struct mp3_format *format, int index, bool padded)
{
	int samples = mp3_measure(format).frame_samples;

	if (index < 1 || index >= INDEXES)
		return 0;
	return (size_t)(samples / 8 * mp3_rates_of(format)[index] * 1000 / format->sample_rate) +
	       padded;
}

int
mp3_bit_rate_index(const struct mp3_format *format, struct err *e)
{
	for (int i = 1; i < INDEXES; i++)
		if (mp3_rates_of(format)[i] * 1000 == format->bit_rate)
			return i;
	return err_set(e, ERR_INVALID, "no mp3 has %d bit/s at %d Hz", format->bit_rate,
		       format->sample_rate);
}
