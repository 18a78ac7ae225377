#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/plain.h"

/* What a number becomes that is kept as a whole multiple of max / 127. */
static double
stepped(double x, double max)
{
	return max > 0 ? rint(x * 127 / max) * max / 127 : 0;
}

double
plain_bf16(double x)
{
	float single = (float)x;
	uint32_t bits;

	memcpy(&bits, &single, sizeof(bits));
	bits = (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000;
	memcpy(&single, &bits, sizeof(single));
	return (double)single;
}

/* n numbers `by` apart that share a scale. */
static void
step_block(double *x, size_t n, size_t by)
{
	double max = 0;

	for (size_t i = 0; i < n; i++)
		max = fmax(max, fabs(x[i * by]));
	for (size_t i = 0; i < n; i++)
		x[i * by] = stepped(x[i * by], max);
}

static void
step_all(double *x, size_t n, size_t by)
{
	for (size_t k = 0; k < n; k += OPS_PACK_BLOCK)
		step_block(x + k * by, n - k < OPS_PACK_BLOCK ? n - k : OPS_PACK_BLOCK, by);
}

size_t
plain_packed_size(struct ops_device *d, const struct ops_pack *p)
{
	(void)d;
	return p->K * p->N * sizeof(double);
}

void
plain_pack(struct ops_device *d, const struct ops_pack *p, void *to)
{
	double *packed = to;
	const double *b = p->b;

	(void)d;
	for (size_t k = 0; k < p->K; k++)
		for (size_t j = 0; j < p->N; j++) {
			double x = b[p->bt ? j * p->ldb + k : k * p->ldb + j];

			packed[k * p->N + j] = p->packing == OPS_PACK_BF16 ? plain_bf16(x) : x;
		}
	for (size_t j = 0; p->packing == OPS_PACK_INT8 && j < p->N; j++)
		step_all(packed + j, p->K, p->N);
}

void
plain_packed_matmul(struct ops_device *d, const struct ops_packed *m)
{
	const double *b = m->b, *bias = m->bias;
	double *row = malloc((m->K + 1) * sizeof(*row)), *c = m->c;

	if (!row) {
		d->failure = "there is no more memory";
		return;
	}
	for (size_t i = 0; i < m->M; i++) {
		memcpy(row, (const double *)m->a + i * m->K, m->K * sizeof(*row));
		if (m->packing == OPS_PACK_INT8)
			step_all(row, m->K, 1);
		for (size_t j = 0; j < m->N; j++) {
			double sum = 0;

			for (size_t k = 0; k < m->K; k++)
				sum += row[k] * b[k * m->N + j];
			c[i * m->N + j] = sum + (bias ? bias[j] : 0);
		}
	}
	free(row);
}
