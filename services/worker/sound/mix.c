#include "worker/sound/mix.h"

#include <libavutil/channel_layout.h>
#include <libswresample/swresample.h>

#define MINUS_3_DB 0.70710678118654752440
#define MINUS_6_DB 0.5
#define NO_LIMIT 1e9 /* of a sum: the limiter's work */

/* What swresample leaves out. */
static const struct {
	enum AVChannel channel;
	double left, right;
} mix_others[] = {
	{ AV_CHAN_WIDE_LEFT, MINUS_3_DB, 0 },
	{ AV_CHAN_WIDE_RIGHT, 0, MINUS_3_DB },
	{ AV_CHAN_SURROUND_DIRECT_LEFT, MINUS_3_DB, 0 },
	{ AV_CHAN_SURROUND_DIRECT_RIGHT, 0, MINUS_3_DB },
	{ AV_CHAN_TOP_FRONT_LEFT, MINUS_3_DB, 0 },
	{ AV_CHAN_TOP_FRONT_RIGHT, 0, MINUS_3_DB },
	{ AV_CHAN_TOP_FRONT_CENTER, MINUS_6_DB, MINUS_6_DB },
	{ AV_CHAN_TOP_CENTER, MINUS_6_DB, MINUS_6_DB },
	{ AV_CHAN_TOP_BACK_LEFT, MINUS_3_DB, 0 },
	{ AV_CHAN_TOP_BACK_RIGHT, 0, MINUS_3_DB },
	{ AV_CHAN_TOP_BACK_CENTER, MINUS_6_DB, MINUS_6_DB },
	{ AV_CHAN_TOP_SIDE_LEFT, MINUS_3_DB, 0 },
	{ AV_CHAN_TOP_SIDE_RIGHT, 0, MINUS_3_DB },
	{ AV_CHAN_BOTTOM_FRONT_LEFT, MINUS_3_DB, 0 },
	{ AV_CHAN_BOTTOM_FRONT_RIGHT, 0, MINUS_3_DB },
	{ AV_CHAN_BOTTOM_FRONT_CENTER, MINUS_6_DB, MINUS_6_DB },
};

static void
mix_add_others(const AVChannelLayout *in, double *left, double *right)
{
	for (size_t i = 0; i < sizeof mix_others / sizeof mix_others[0]; i++) {
		int at = av_channel_layout_index_from_channel(in, mix_others[i].channel);

		if (at < 0 || left[at] > 0 || right[at] > 0)
			continue;
		left[at] = mix_others[i].left;
		right[at] = mix_others[i].right;
	}
}

bool
mix_matrix(const AVChannelLayout *in, const AVChannelLayout *out, double ret[2 * MIX_CHANNELS_MAX])
{
	int channels = in->nb_channels;

	if (out->nb_channels != 2 || channels > MIX_CHANNELS_MAX ||
	    av_channel_layout_compare(in, out) == 0)
		return false;
	if (channels == 1) {
		ret[0] = ret[1] = 1;
		return true;
	}
	if (swr_build_matrix2(in, out, MINUS_3_DB, MINUS_3_DB, 0, NO_LIMIT, 1, ret, channels,
			      AV_MATRIX_ENCODING_NONE, NULL) < 0)
		return false;
	mix_add_others(in, ret, ret + channels);
	return true;
}
