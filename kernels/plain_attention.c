#include "config.h"

#include "kernels/plain.h"

#include <math.h>
#include <string.h>

/* Where in a row of QKV channels the query, key (part 1) or value (part 2) of a query's head begins. */
static size_t
place_in_row(const struct ops_attention *a, size_t h, size_t part)
{
	size_t width = a->C / a->NH;

	if (!part)
		return h * width;
	return a->C + (part - 1) * a->NKV * width + h / (a->NH / a->NKV) * width;
}

static size_t
row_of(const struct ops_attention *a)
{
	return a->C + 2 * ops_key_channels(a->C, a->NH, a->NKV);
}

static const double *
part_of(const struct ops_attention *a, size_t i, size_t h, size_t part)
{
	return (const double *)a->qkv + i * row_of(a) + place_in_row(a, h, part);
}

static double
dot(const double *x, const double *y, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += x[i] * y[i];
	return sum;
}

static double
score(const struct ops_attention *a, size_t i, size_t j, size_t h)
{
	size_t width = a->C / a->NH;

	return dot(part_of(a, i, h, 0), part_of(a, j, h, 1), width) / sqrt((double)width);
}

static void
forward_row(const struct ops_attention *a, size_t start, size_t i, size_t h)
{
	size_t width = a->C / a->NH;
	double *out = (double *)a->out + i * a->C + h * width, *logsum = (double *)a->logsum + i * a->NH + h;
	double max = -(double)INFINITY, sum = 0;

	for (size_t j = start; j <= i; j++)
		max = fmax(max, score(a, i, j, h));
	for (size_t j = start; j <= i; j++)
		sum += exp(score(a, i, j, h) - max);
	*logsum = log(sum) + max;
	memset(out, 0, width * sizeof(*out));
	for (size_t j = start; j <= i; j++) {
		double p = exp(score(a, i, j, h) - *logsum);

		p *= plain_keep(&a->dropout, ops_attention_element(i, a->NH, h, j - start));
		for (size_t c = 0; c < width; c++)
			out[c] += p * part_of(a, j, h, 2)[c];
	}
}

void
plain_attention_forward(struct ops_device *d, const struct ops_attention *a)
{
	(void)d;
	for (size_t s = 0; s < a->documents; s++)
		for (size_t i = (size_t)a->starts[s]; i < (size_t)a->starts[s + 1]; i++)
			for (size_t h = 0; h < a->NH; h++)
				forward_row(a, (size_t)a->starts[s], i, h);
}

static void
backward_row(const struct ops_attention *a, size_t start, size_t i, size_t h, const double *dout, double *dqkv)
{
	size_t width = a->C / a->NH, at = i * a->C + h * width;
	double logsum = ((const double *)a->logsum)[i * a->NH + h], scale = 1 / sqrt((double)width);
	double mean = dot(dout + at, (const double *)a->out + at, width);

	for (size_t j = start; j <= i; j++) {
		double keep = plain_keep(&a->dropout, ops_attention_element(i, a->NH, h, j - start));
		double p = exp(score(a, i, j, h) - logsum), dp = dot(dout + at, part_of(a, j, h, 2), width) * keep;
		double ds = p * (dp - mean) * scale;
		double *dq = dqkv + i * row_of(a) + place_in_row(a, h, 0), *dk = dqkv + j * row_of(a) + place_in_row(a, h, 1);
		double *dv = dqkv + j * row_of(a) + place_in_row(a, h, 2);

		for (size_t c = 0; c < width; c++) {
			dq[c] += ds * part_of(a, j, h, 1)[c];
			dk[c] += ds * part_of(a, i, h, 0)[c];
			dv[c] += p * keep * dout[at + c];
		}
	}
}

void
plain_attention_backward(struct ops_device *d, const struct ops_attention *a, const void *dout, void *dqkv)
{
	(void)d;
	memset(dqkv, 0, a->N * row_of(a) * sizeof(double));
	for (size_t s = 0; s < a->documents; s++)
		for (size_t i = (size_t)a->starts[s]; i < (size_t)a->starts[s + 1]; i++)
			for (size_t h = 0; h < a->NH; h++)
				backward_row(a, (size_t)a->starts[s], i, h, dout, dqkv);
}

void
plain_rotate(struct ops_device *d, const struct ops_rotate *r)
{
	size_t D = r->C / r->NH, heads = r->NH + r->NKV, row = (heads + r->NKV) * D;

	(void)d;
	for (size_t i = 0; i < r->N; i++)
		for (size_t h = 0; h < heads; h++) {
			const double *angles = (const double *)r->angles + (size_t)r->places[i] * D;
			double *x = (double *)r->qkv + i * row + h * D, *y = x + D / 2;

			for (size_t c = 0; c < D / 2; c++) {
				double before = x[c], cosine = angles[c], sine = r->back ? -angles[D / 2 + c] : angles[D / 2 + c];

				x[c] = before * cosine - y[c] * sine;
				y[c] = y[c] * cosine + before * sine;
			}
		}
}

/* Halves are in single precision here, half of double. */
static void
keep_number(const struct ops_keep *k, void *kept, size_t at, double x)
{
	if (k->halves)
		((float *)kept)[at] = (float)plain_bf16(x);
	else
		((double *)kept)[at] = x;
}

void
plain_keep_rows(struct ops_device *d, const struct ops_keep *k)
{
	size_t CK = ops_key_channels(k->C, k->NH, k->NKV);

	(void)d;
	for (size_t i = 0; i < k->N; i++) {
		const double *key = (const double *)k->qkv + i * (k->C + 2 * CK) + k->C;
		size_t at = ((size_t)k->slots[i] * k->L + (size_t)k->at[i]) * CK;

		for (size_t c = 0; c < CK; c++) {
			keep_number(k, k->keys, at + c, key[c]);
			keep_number(k, k->values, at + c, key[CK + c]);
		}
	}
}

static double
kept_number(const struct ops_decode *a, const void *kept, size_t at)
{
	return a->halves ? (double)((const float *)kept)[at] : ((const double *)kept)[at];
}

static double
score_of_kept(const struct ops_decode *a, const double *query, size_t row, size_t width)
{
	double sum = 0;

	for (size_t c = 0; c < width; c++)
		sum += query[c] * kept_number(a, a->keys, row + c);
	return sum / sqrt((double)width);
}

static void
decode_row(const struct ops_decode *a, size_t r, size_t h)
{
	size_t width = a->C / a->NH, CK = a->NKV * width, base = h / (a->NH / a->NKV) * width;
	const int32_t *from = a->from + (size_t)a->slots[r] * a->L;
	const double *query = (const double *)a->qkv + r * (a->C + 2 * CK) + h * width;
	double *out = (double *)a->out + r * a->C + h * width, sum = 0, max = -(double)INFINITY;

	memset(out, 0, width * sizeof(*out));
	for (size_t j = 0; j <= (size_t)a->at[r]; j++)
		max = fmax(max, score_of_kept(a, query, ((size_t)from[j] * a->L + j) * CK + base, width));
	for (size_t j = 0; j <= (size_t)a->at[r]; j++) {
		size_t row = ((size_t)from[j] * a->L + j) * CK + base;
		double p = exp(score_of_kept(a, query, row, width) - max);

		sum += p;
		for (size_t c = 0; c < width; c++)
			out[c] += p * kept_number(a, a->values, row + c);
	}
	for (size_t c = 0; c < width; c++)
		out[c] /= sum;
}

void
plain_decode_attention(struct ops_device *d, const struct ops_decode *a)
{
	(void)d;
	for (size_t r = 0; r < a->R; r++)
		for (size_t h = 0; h < a->NH; h++)
			decode_row(a, r, h);
}
