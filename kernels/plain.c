#include "config.h"

#include "kernels/plain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory ---- */

static void
close_device(struct ops_device *d)
{
	free(d);
}

static void *
alloc(struct ops_device *d, size_t bytes)
{
	(void)d;
	return calloc(1, bytes ? bytes : 1);
}

static void
free_memory(struct ops_device *d, void *memory)
{
	(void)d;
	free(memory);
}

static void
copy(struct ops_device *d, void *to, const void *from, size_t bytes)
{
	(void)d;
	if (bytes)
		memcpy(to, from, bytes);
}

static void
put(struct ops_device *d, void *to, const float *from, size_t n)
{
	double *reals = to;

	(void)d;
	for (size_t i = 0; i < n; i++)
		reals[i] = (double)from[i];
}

static void
get(struct ops_device *d, float *to, const void *from, size_t n)
{
	const double *reals = from;

	(void)d;
	for (size_t i = 0; i < n; i++)
		to[i] = (float)reals[i];
}

static void
clear(struct ops_device *d, void *at, size_t bytes)
{
	(void)d;
	if (bytes)
		memset(at, 0, bytes);
}

static int
sync_device(struct ops_device *d)
{
	(void)d;
	return 0;
}

static void
mark(struct ops_device *d)
{
	(void)d;
}

/* ---- embedding ---- */

static void
embed_forward(struct ops_device *d, const struct ops_embed *e, void *to)
{
	const double *table = e->table, *positions = e->positions;
	double *out = to;

	(void)d;
	for (size_t i = 0; i < e->N; i++)
		for (size_t c = 0; c < e->C; c++) {
			size_t id = (size_t)e->ids[i];
			double x = e->blank && !id ? 0 : table[id * e->C + c] * e->scale;

			if (positions)
				x += positions[(size_t)e->places[i] * e->C + c];
			out[i * e->C + c] = x * plain_keep(&e->dropout, i * e->C + c);
		}
}

static void
embed_backward(struct ops_device *d, const struct ops_embed *e, const void *from, void *to_table, void *to_positions)
{
	const double *dout = from;
	double *dtable = to_table, *dpositions = to_positions;

	(void)d;
	for (size_t i = 0; i < e->N; i++)
		for (size_t c = 0; c < e->C; c++) {
			size_t id = (size_t)e->ids[i];
			double g = dout[i * e->C + c] * plain_keep(&e->dropout, i * e->C + c);

			if (!e->blank || id)
				dtable[id * e->C + c] += g * e->scale;
			if (dpositions)
				dpositions[(size_t)e->places[i] * e->C + c] += g;
		}
}

/* ---- norm ---- */

static void
norm_forward(struct ops_device *d, const struct ops_norm *n, void *to)
{
	const double *x = n->x, *branch = n->branch, *gain = n->gain, *bias = n->bias;
	double *sum = n->sum, *mean = n->mean, *rstd = n->rstd, *out = to;
	bool rms = n->kind == OPS_RMS_NORM;

	(void)d;
	for (size_t i = 0; i < n->N; i++) {
		const double *row = x + i * n->C;
		double m = 0, v = 0;

		if (branch) {
			for (size_t c = 0; c < n->C; c++)
				sum[i * n->C + c] = row[c] + branch[i * n->C + c] * plain_keep(&n->dropout, i * n->C + c);
			row = sum + i * n->C;
		}
		for (size_t c = 0; !rms && c < n->C; c++)
			m += row[c] / (double)n->C;
		for (size_t c = 0; c < n->C; c++)
			v += (row[c] - m) * (row[c] - m);
		if (!rms)
			mean[i] = m;
		rstd[i] = 1 / sqrt(v / (double)n->C + n->epsilon);
		for (size_t c = 0; c < n->C; c++)
			out[i * n->C + c] = (row[c] - m) * rstd[i] * gain[c] + (rms ? 0 : bias[c]);
	}
}

static void
norm_backward(struct ops_device *d, const struct ops_norm *n, const void *from, void *to, void *to_branch, void *to_gain, void *to_bias)
{
	const double *x = n->branch ? n->sum : n->x, *gain = n->gain, *mean = n->mean, *rstd = n->rstd, *dout = from;
	double *dsum = to, *dbranch = to_branch, *dgain = to_gain, *dbias = to_bias;
	bool rms = n->kind == OPS_RMS_NORM;

	(void)d;
	for (size_t i = 0; i < n->N; i++) {
		double mean_g = 0, mean_gx = 0, m = rms ? 0 : mean[i];

		for (size_t c = 0; c < n->C; c++) {
			size_t e = i * n->C + c;
			double z = (x[e] - m) * rstd[i], g = dout[e] * gain[c];

			dgain[c] += dout[e] * z;
			if (!rms) {
				dbias[c] += dout[e];
				mean_g += g / (double)n->C;
			}
			mean_gx += g * z / (double)n->C;
		}
		for (size_t c = 0; c < n->C; c++) {
			size_t e = i * n->C + c;
			double z = (x[e] - m) * rstd[i];

			dsum[e] += (dout[e] * gain[c] - mean_g - z * mean_gx) * rstd[i];
			if (n->branch)
				dbranch[e] = dsum[e] * plain_keep(&n->dropout, e);
		}
	}
}

/* ---- matrices ---- */

static void
matmul(struct ops_device *d, const struct ops_matmul *m)
{
	const double *a = m->a, *b = m->b, *bias = m->bias;
	double *to = m->c;

	(void)d;
	for (size_t i = 0; i < m->M; i++)
		for (size_t j = 0; j < m->N; j++) {
			double sum = m->add ? to[i * m->ldc + j] : 0;

			for (size_t k = 0; k < m->K; k++)
				sum += a[m->at ? k * m->lda + i : i * m->lda + k] * b[m->bt ? j * m->ldb + k : k * m->ldb + j];
			to[i * m->ldc + j] = sum + (bias ? bias[j] : 0);
		}
}

static size_t
matmul_scratch(struct ops_device *d, const struct ops_matmul *m)
{
	(void)d;
	(void)m;
	return 0;
}

static void
column_sums(struct ops_device *d, size_t N, size_t C, const void *from, void *to)
{
	const double *x = from;
	double *sums = to;

	(void)d;
	for (size_t i = 0; i < N; i++)
		for (size_t c = 0; c < C; c++)
			sums[c] += x[i * C + c];
}

/* ---- activation ---- */

static const double GELU_SCALE = 0.79788456080286535588; /* sqrt(2 / pi) */

static double
activate(enum ops_activation kind, double x)
{
	if (kind == OPS_RELU)
		return x > 0 ? x : 0;
	if (kind == OPS_SILU)
		return x / (1 + exp(-x));
	return 0.5 * x * (1 + tanh(GELU_SCALE * (x + 0.044715 * x * x * x)));
}

static double
slope(enum ops_activation kind, double x)
{
	double t;

	if (kind == OPS_RELU)
		return x > 0;
	if (kind == OPS_SILU) {
		t = 1 / (1 + exp(-x));
		return t * (1 + x * (1 - t));
	}
	t = tanh(GELU_SCALE * (x + 0.044715 * x * x * x));
	return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * GELU_SCALE * (1 + 3 * 0.044715 * x * x);
}

static void
activate_forward(struct ops_device *d, enum ops_activation kind, size_t n, const void *from, void *to, const struct ops_dropout *dropout)
{
	const double *in = from;
	double *out = to;

	(void)d;
	for (size_t i = 0; i < n; i++)
		out[i] = activate(kind, in[i]) * plain_keep(dropout, i);
}

static void
activate_backward(struct ops_device *d, enum ops_activation kind, size_t n, const void *from, void *to, const struct ops_dropout *dropout)
{
	const double *in = from;
	double *grad = to;

	(void)d;
	for (size_t i = 0; i < n; i++)
		grad[i] *= slope(kind, in[i]) * plain_keep(dropout, i);
}

static void
gate_forward(struct ops_device *d, enum ops_activation kind, size_t N, size_t F, const void *from, void *to)
{
	const double *in = from;
	double *out = to;

	(void)d;
	for (size_t i = 0; i < N; i++)
		for (size_t f = 0; f < F; f++)
			out[i * F + f] = activate(kind, in[i * 2 * F + f]) * in[i * 2 * F + F + f];
}

static void
gate_backward(struct ops_device *d, enum ops_activation kind, size_t N, size_t F, void *in_and_to, const void *from)
{
	const double *dout = from;
	double *in = in_and_to;

	(void)d;
	for (size_t i = 0; i < N; i++)
		for (size_t f = 0; f < F; f++) {
			double *left = &in[i * 2 * F + f], *right = left + F, g = dout[i * F + f], value = activate(kind, *left);

			*left = g * *right * slope(kind, *left);
			*right = g * value;
		}
}

/* ---- loss ---- */

static void
xent_row(const struct ops_xent *x, size_t i)
{
	double *row = (double *)x->logits + i * x->ld, *losses = x->losses, *hits = x->hits, weight = ((const double *)x->weights)[i];
	size_t label = (size_t)x->labels[i], best = 0;
	double low = x->V > 1 ? x->smoothing / (double)(x->V - 1) : 0, high = 1 - x->smoothing;
	double entropy = 0, sum = 0, loss = 0, logsum;

	if (x->smoothing > 0)
		entropy = -(high * log(high) + (double)(x->V - 1) * low * log(low));
	for (size_t j = 0; j < x->V; j++)
		if (row[j] > row[best])
			best = j;
	for (size_t j = 0; j < x->V; j++)
		sum += exp(row[j] - row[best]);
	logsum = log(sum) + row[best];
	for (size_t j = 0; j < x->V; j++)
		loss += (j == label ? high : low) * (logsum - row[j]);
	losses[i] = weight * (loss - entropy);
	hits[i] = best == label ? weight : 0;
	if (x->backward)
		for (size_t j = 0; j < x->V; j++)
			row[j] = weight * x->step->loss_scale * (exp(row[j] - logsum) - (j == label ? high : low));
}

static void
xent(struct ops_device *d, const struct ops_xent *x)
{
	(void)d;
	for (size_t i = 0; i < x->N; i++)
		xent_row(x, i);
}

/* ---- update ---- */

static void
clip(struct ops_device *d, size_t n, const void *from, double max, void *ret, void *ret_norm)
{
	const double *g = from;
	double sum = 0, *factor = ret, *norm = ret_norm;

	(void)d;
	for (size_t i = 0; i < n; i++)
		sum += g[i] * g[i];
	*norm = sqrt(sum);
	*factor = *norm > max ? max / *norm : 1;
}

static void
adam(struct ops_device *d, const struct ops_adam *a)
{
	const struct ops_step *s = a->step;
	const double *g = a->g, clip_by = a->clip ? *(const double *)a->clip : 1;
	double *p = a->p, *m = a->m, *v = a->v;

	(void)d;
	for (size_t i = 0; i < a->n; i++) {
		double x = g[i] * clip_by;

		m[i] = a->beta1 * m[i] + (1 - a->beta1) * x;
		v[i] = a->beta2 * v[i] + (1 - a->beta2) * x * x;
		if (a->decay)
			p[i] -= s->decay * p[i];
		p[i] -= s->rate * m[i] / (s->root * sqrt(v[i]) + a->epsilon);
	}
}

static const struct ops PLAIN = {
	.abi = OPS_ABI,
	.size = sizeof(struct ops),
	.close = close_device,
	.alloc = alloc,
	.free = free_memory,
	.upload = copy,
	.download = copy,
	.put = put,
	.get = get,
	.put_narrow = put,
	.get_narrow = get,
	.clear = clear,
	.copy = copy,
	.sync = sync_device,
	.begin = mark,
	.end = mark,
	.embed_forward = embed_forward,
	.embed_backward = embed_backward,
	.norm_forward = norm_forward,
	.norm_backward = norm_backward,
	.matmul = matmul,
	.matmul_scratch = matmul_scratch,
	.packed_size = plain_packed_size,
	.pack = plain_pack,
	.packed_matmul = plain_packed_matmul,
	.column_sums = column_sums,
	.activate_forward = activate_forward,
	.activate_backward = activate_backward,
	.gate_forward = gate_forward,
	.gate_backward = gate_backward,
	.rotate = plain_rotate,
	.attention_forward = plain_attention_forward,
	.attention_backward = plain_attention_backward,
	.keep = plain_keep_rows,
	.decode_attention = plain_decode_attention,
	.xent = xent,
	.clip = clip,
	.adam = adam,
	.muon_begin = plain_muon_begin,
	.muon_end = plain_muon_end,
	.diagonal = plain_diagonal,
};

struct ops_device *
plain_open(void)
{
	struct ops_device *d = calloc(1, sizeof(*d));

	if (d)
		*d = (struct ops_device){ .ops = &PLAIN, .name = "reference", .real = sizeof(double), .narrow = sizeof(double), .threads = 1 };
	return d;
}
