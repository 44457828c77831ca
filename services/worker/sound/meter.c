#include "worker/sound/meter.h"

#include <math.h>
#include <stdlib.h>

#include "worker/sound/true_peak.h"

#define PI 3.14159265358979323846
#define STEPS_PER_S 10 /* a step is what the blocks advance by */
#define BLOCK_STEPS 4
#define SHORT_TERM_STEPS 30
#define GATE_LUFS (-70.0)
#define BINS 1000 /* of 0.1 LU, from the absolute gate on */
#define BINS_PER_LU 10
#define PIECE 512

/* Two channels side by side. */
typedef double pair __attribute__((vector_size(2 * sizeof(double))));

struct biquad {
	double b0, b1, b2, a1, a2; /* set once */
	pair s1, s2;
};

/* The loudness of blocks: how many in each bin, and their energy together. */
struct histogram {
	int64_t counts[BINS];
	double energies[BINS];
};

struct meter {
	int channels, step_samples; /* set once */
	struct biquad shelf, high_pass;
	int step_filled;
	pair step_energy;
	double steps[SHORT_TERM_STEPS]; /* energy of the last steps; a ring */
	int64_t step_count;
	struct histogram blocks, short_terms;
	struct true_peak peak;
};

/* The filters of BS.1770 for any rate: what its coefficients for 48 kHz are made from. */
static struct biquad
biquad_shelf(double rate)
{
	const double gain = pow(10, 3.999843853973347 / 20), q = 0.7071752369554196;
	const double k = tan(PI * 1681.974450955533 / rate), b = pow(gain, 0.4996667741545416);
	const double a0 = 1 + k / q + k * k;

	return (struct biquad){
		.b0 = (gain + b * k / q + k * k) / a0,
		.b1 = 2 * (k * k - gain) / a0,
		.b2 = (gain - b * k / q + k * k) / a0,
		.a1 = 2 * (k * k - 1) / a0,
		.a2 = (1 - k / q + k * k) / a0,
	};
}

static struct biquad
biquad_high_pass(double rate)
{
	const double q = 0.5003270373238773, k = tan(PI * 38.13547087602444 / rate);
	const double a0 = 1 + k / q + k * k;

	return (struct biquad){
		.b0 = 1,
		.b1 = -2,
		.b2 = 1,
		.a1 = 2 * (k * k - 1) / a0,
		.a2 = (1 - k / q + k * k) / a0,
	};
}

static inline pair
biquad_filter(struct biquad *f, pair x)
{
	pair y = f->b0 * x + f->s1;

	f->s1 = f->b1 * x - f->a1 * y + f->s2;
	f->s2 = f->b2 * x - f->a2 * y;
	return y;
}

static double
meter_lufs(double energy)
{
	return 10 * log10(energy) - 0.691;
}

static void
histogram_add(struct histogram *h, double energy)
{
	double bin = energy > 0 ? (meter_lufs(energy) - GATE_LUFS) * BINS_PER_LU : -1;
	int i = bin >= BINS ? BINS - 1 : (int)bin;

	if (!(bin >= 0))
		return;
	h->counts[i]++;
	h->energies[i] += energy;
}

static double
meter_mean_of_last(const struct meter *m, int steps)
{
	double sum = 0;

	for (int64_t i = m->step_count - steps; i < m->step_count; i++)
		sum += m->steps[i % SHORT_TERM_STEPS];
	return sum / ((double)steps * m->step_samples);
}

/* Values that decay for ever would end as denormal numbers, which cost a hundredfold; what a
 * decoder made of damage may be no number at all. */
static void
biquad_tidy(struct biquad *f)
{
	for (int c = 0; c < 2; c++) {
		if (!(fabs(f->s1[c]) > 1e-20 && fabs(f->s1[c]) < 1e20))
			f->s1[c] = 0;
		if (!(fabs(f->s2[c]) > 1e-20 && fabs(f->s2[c]) < 1e20))
			f->s2[c] = 0;
	}
}

static void
meter_end_step(struct meter *m)
{
	double energy = m->step_energy[0] + m->step_energy[1];

	m->steps[m->step_count++ % SHORT_TERM_STEPS] = isfinite(energy) ? energy : 0;
	m->step_energy = (pair){ 0 };
	m->step_filled = 0;
	biquad_tidy(&m->shelf);
	biquad_tidy(&m->high_pass);
	if (m->step_count >= BLOCK_STEPS)
		histogram_add(&m->blocks, meter_mean_of_last(m, BLOCK_STEPS));
	if (m->step_count >= SHORT_TERM_STEPS && m->step_count % STEPS_PER_S == 0)
		histogram_add(&m->short_terms, meter_mean_of_last(m, SHORT_TERM_STEPS));
}

/* Local copies, so that the loop keeps all state in registers. */
static void
meter_weigh(struct meter *m, const float *left, const float *right, int count)
{
	struct biquad shelf = m->shelf, high_pass = m->high_pass;
	pair energy = m->step_energy;

	for (int i = 0; i < count; i++) {
		pair y = biquad_filter(&high_pass,
				       biquad_filter(&shelf, (pair){ left[i], right[i] }));

		energy += y * y;
	}
	m->shelf = shelf;
	m->high_pass = high_pass;
	m->step_energy = energy;
}

void
meter_add(struct meter *m, float *const planes[2], size_t count)
{
	static const float silence[PIECE];

	for (int c = 0; c < m->channels; c++)
		true_peak_add(&m->peak, c, planes[c], count);
	for (size_t done = 0; done < count;) {
		size_t n = (size_t)(m->step_samples - m->step_filled);

		n = n < PIECE ? n : PIECE;
		n = n < count - done ? n : count - done;
		meter_weigh(m, planes[0] + done, m->channels == 2 ? planes[1] + done : silence,
			    (int)n);
		done += n;
		m->step_filled += (int)n;
		if (m->step_filled == m->step_samples)
			meter_end_step(m);
	}
}

/* The mean energy of the blocks from bin first on; *ret_count of them. */
static double
histogram_mean_from(const struct histogram *h, int first, int64_t *ret_count)
{
	double sum = 0;

	*ret_count = 0;
	for (int i = first; i < BINS; i++) {
		*ret_count += h->counts[i];
		sum += h->energies[i];
	}
	return *ret_count > 0 ? sum / (double)*ret_count : 0;
}

/* The first bin above the relative gate, which lies below the mean of all that passed the absolute
 * one. -1: nothing did. */
static int
histogram_relative_gate(const struct histogram *h, double below_lu)
{
	int64_t count;
	double mean = histogram_mean_from(h, 0, &count), bin;

	if (count == 0)
		return -1;
	bin = (meter_lufs(mean) - below_lu - GATE_LUFS) * BINS_PER_LU;
	return bin > 0 ? (int)bin : 0;
}

static bool
meter_integrated(const struct histogram *h, double *ret)
{
	int gate = histogram_relative_gate(h, 10);
	int64_t count;

	if (gate < 0)
		return false;
	*ret = meter_lufs(histogram_mean_from(h, gate, &count));
	return true;
}

/* The loudness that a part of the blocks does not exceed. */
static double
histogram_percentile(const struct histogram *h, int first, int64_t rank)
{
	int i = first;

	while (i < BINS - 1 && rank >= h->counts[i])
		rank -= h->counts[i++];
	return h->counts[i] > 0 ? meter_lufs(h->energies[i] / (double)h->counts[i]) : GATE_LUFS;
}

static bool
meter_range(const struct histogram *h, double *ret)
{
	int gate = histogram_relative_gate(h, 20);
	int64_t count;

	if (gate < 0)
		return false;
	(void)histogram_mean_from(h, gate, &count);
	*ret = histogram_percentile(h, gate, (int64_t)((double)(count - 1) * 0.95 + 0.5)) -
	       histogram_percentile(h, gate, (int64_t)((double)(count - 1) * 0.1 + 0.5));
	return true;
}

struct job_loudness
meter_result(const struct meter *m)
{
	struct job_loudness ret = { 0 };

	ret.has_integrated = meter_integrated(&m->blocks, &ret.integrated_lufs);
	ret.has_range = meter_range(&m->short_terms, &ret.range_lu);
	ret.has_true_peak = isfinite(m->peak.peak) && m->peak.peak > 0;
	if (ret.has_true_peak)
		ret.true_peak_dbtp = 20 * log10((double)m->peak.peak);
	return ret;
}

int
meter_open(int sample_rate, int channels, struct meter **ret, struct err *e)
{
	struct meter *m = calloc(1, sizeof *m);

	if (!m)
		return err_set(e, ERR_NO_MEMORY, "loudness meter");
	m->channels = channels;
	m->step_samples = (sample_rate + STEPS_PER_S / 2) / STEPS_PER_S;
	m->shelf = biquad_shelf(sample_rate);
	m->high_pass = biquad_high_pass(sample_rate);
	true_peak_init(&m->peak);
	*ret = m;
	return 0;
}

void
meter_close(struct meter *m)
{
	free(m);
}
