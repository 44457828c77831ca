#include "worker/source/timeline.h"

#include <stdlib.h>

#define MS (TIMELINE_FLICKS / 1000)
#define HOUR (3600 * TIMELINE_FLICKS)
#define FILLED_SHARE 10 /* times the decoded sound */
/* Shares of 256: each frame counts as 1/16 of the present one. */
#define UNEVEN_STEP 16
#define UNEVEN_CLOCK 64
#define PACKET_MAX (500 * MS)

void
timeline_start(struct timeline *t, const struct timeline_rules *rules, struct warnings *warnings)
{
	*t = (struct timeline){ .rules = *rules, .warnings = warnings, .last = TIMELINE_UNKNOWN };
}

static int64_t
flicks_of(int64_t samples, int rate)
{
	return samples / rate * TIMELINE_FLICKS + samples % rate * TIMELINE_FLICKS / rate;
}

/* To the nearest sample. */
static int64_t
samples_of(int64_t flicks, int rate)
{
	int64_t seconds = flicks / TIMELINE_FLICKS, rest = flicks % TIMELINE_FLICKS;

	return seconds * rate + (rest * rate + TIMELINE_FLICKS / 2) / TIMELINE_FLICKS;
}

int64_t
timeline_position(const struct timeline *t)
{
	return t->run_rate > 0 ? t->run_from + flicks_of(t->run_samples, t->run_rate) : 0;
}

static void
use_rate(struct timeline *t, int rate)
{
	if (t->run_rate == rate)
		return;
	t->run_from = timeline_position(t);
	t->run_samples = 0;
	t->run_rate = rate;
}

static void
timeline_warn(struct timeline *t, enum warning_code code, int64_t flicks, uint32_t events)
{
	struct warning warning = { code, timeline_position(t) / MS, flicks / MS, events };

	if (t->warnings && (flicks > TIMELINE_TOLERANCE_MS * MS || code == WARNING_CLOCK_RESTARTED))
		warnings_add(t->warnings, &warning);
}

static bool
may_fill(const struct timeline *t, int64_t flicks)
{
	return flicks <= TIMELINE_MAX_GAP_MS * MS &&
	       t->filled + flicks <= FILLED_SHARE * t->decoded + HOUR;
}

/* Silence where the file has none, or none that is sound. */
static int64_t
timeline_fill(struct timeline *t, int64_t flicks, enum warning_code code, uint32_t events)
{
	int64_t samples = samples_of(flicks, t->run_rate);

	timeline_warn(t, code, flicks, events);
	t->filled += flicks;
	t->run_samples += samples;
	return samples;
}

static void
set_shift(struct timeline *t, int64_t shift)
{
	t->shift = t->unrounded = shift;
}

/* The sound goes on where it is, whatever the clock says. */
static void
timeline_restart(struct timeline *t, int64_t off)
{
	timeline_warn(t, WARNING_CLOCK_RESTARTED, 0, 1);
	set_shift(t, t->shift - off);
	t->cutting = false;
}

static int64_t
timeline_hole(struct timeline *t, int64_t flicks, enum warning_code code, uint32_t events)
{
	t->cutting = false;
	if (may_fill(t, flicks))
		return timeline_fill(t, flicks, code, events);
	timeline_restart(t, flicks);
	return 0;
}

static int
timeline_overlap(struct timeline *t, int64_t flicks, int samples)
{
	int64_t cut = samples_of(flicks, t->run_rate);

	if (flicks > t->rules.most_overlap) {
		timeline_restart(t, -flicks);
		return 0;
	}
	if (!t->cutting)
		timeline_warn(t, WARNING_OVERLAP_CUT, flicks, 1);
	t->cutting = cut >= samples;
	return cut < samples ? (int)cut : samples;
}

/* How far the clock may be off without being wrong: where one packet holds several frames, only the
 * first of them has a time, which codecs with a bit reservoir tell to the packet. */
static int64_t
timeline_tolerance(const struct timeline *t)
{
	int64_t usual = TIMELINE_TOLERANCE_MS * MS;
	int64_t coarse = t->packet > t->rules.tick ? t->packet : t->rules.tick;

	return coarse > usual ? coarse : usual;
}

/* A step within the clock's own unit says nothing: it is rounded, as those before it, which count no
 * more where the sound is put anew. The steps of a clock that is never right are its drift. Returns
 * how far the frame is from where it belongs. */
static int64_t
follow_clock(struct timeline *t, int64_t at)
{
	int64_t step = at - t->clock, off;
	bool even = llabs(step) <= t->rules.tick;

	t->uneven -= t->uneven / UNEVEN_STEP;
	if (even)
		t->shift -= step;
	else
		t->uneven += 256 / UNEVEN_STEP;
	off = at + t->shift - timeline_position(t);
	if (llabs(off) <= timeline_tolerance(t))
		return off;
	if (llabs(step) <= timeline_tolerance(t) && !t->cutting && t->uneven > UNEVEN_CLOCK) {
		set_shift(t, t->shift - off);
		return 0;
	}
	if (llabs(t->shift - t->unrounded) <= t->rules.tick)
		t->shift = t->unrounded;
	return at + t->shift - timeline_position(t);
}

static void
timeline_begin(struct timeline *t, int64_t at)
{
	int64_t zero = t->rules.zero;

	t->begun = true;
	t->clock = at;
	set_shift(t, zero == TIMELINE_UNKNOWN ? timeline_position(t) - at : -zero);
}

static enum warning_code
timeline_why_hole(bool first, uint32_t lost)
{
	if (first)
		return WARNING_LATE_START;
	return lost ? WARNING_DAMAGED : WARNING_GAP_FILLED;
}

/* Packets that left no hole. */
static void
warn_of_loss(struct timeline *t, uint32_t lost)
{
	struct warning warning = { WARNING_DAMAGED, timeline_position(t) / MS, 0, lost };

	if (lost > 0 && t->warnings)
		warnings_add(t->warnings, &warning);
}

static void
place_known(struct timeline *t, int64_t at, uint32_t lost, struct timeline_place *ret)
{
	bool first = !t->begun;
	int64_t off, may_be_off;

	if (first)
		timeline_begin(t, at);
	else if (t->rules.no_clock && lost == 0)
		set_shift(t, timeline_position(t) - at);
	off = follow_clock(t, at);
	may_be_off = first ? t->rules.tick : timeline_tolerance(t);
	if (off > may_be_off)
		ret->silence =
			timeline_hole(t, off, timeline_why_hole(first, lost), lost ? lost : 1);
	else if (off < (t->cutting ? 0 : -may_be_off))
		ret->skip = timeline_overlap(t, -off, ret->take);
	else
		t->cutting = false;
	if (ret->silence == 0 && !first)
		warn_of_loss(t, lost);
}

static void
note_packet(struct timeline *t, bool known, int64_t length)
{
	if (known && t->frames > 1 && t->since_known > t->packet)
		t->packet = t->since_known < PACKET_MAX ? t->since_known : PACKET_MAX;
	t->frames = known ? 1 : t->frames + 1;
	t->since_known = known ? length : t->since_known + length;
}

void
timeline_place(struct timeline *t, int64_t at, int samples, int rate, uint32_t lost,
	       struct timeline_place *ret)
{
	int64_t length = flicks_of(samples, rate);
	bool known = at != TIMELINE_UNKNOWN && at != t->last && !t->rules.drop_gaps;

	*ret = (struct timeline_place){ .take = samples };
	use_rate(t, rate);
	note_packet(t, known, length);
	if (known)
		place_known(t, at, lost, ret);
	ret->take -= ret->skip;
	t->run_samples += ret->take;
	t->decoded += length;
	t->clock = (known ? at : t->clock) + length;
	t->last = known ? at : t->last;
}

bool
timeline_doubts(const struct timeline *t, int64_t at)
{
	return t->begun && !t->rules.drop_gaps && at != TIMELINE_UNKNOWN && at != t->last &&
	       llabs(at - t->clock) > timeline_tolerance(t);
}

bool
timeline_agrees(const struct timeline *t, int64_t at, int samples, int rate, int64_t next)
{
	int64_t length = flicks_of(samples, rate);

	return next == TIMELINE_UNKNOWN ||
	       llabs(next - (at + length)) <= llabs(next - (t->clock + length));
}

int64_t
timeline_rest(struct timeline *t, int64_t until, uint32_t lost)
{
	int64_t off = until + t->shift - timeline_position(t);

	if (!t->begun || t->rules.drop_gaps || lost == 0 || off <= timeline_tolerance(t) ||
	    !may_fill(t, off))
		return 0;
	return timeline_fill(t, off, WARNING_DAMAGED, lost);
}
