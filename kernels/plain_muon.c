#include "config.h"

#include "kernels/plain.h"

#include <math.h>

void
plain_muon_begin(struct ops_device *d, const struct ops_muon *muon)
{
	const double *g = muon->g, clip_by = muon->clip ? *(const double *)muon->clip : 1, b = muon->momentum;
	double *m = muon->m, *x = muon->x, sum = 0;

	(void)d;
	for (size_t i = 0; i < muon->rows; i++)
		for (size_t j = 0; j < muon->columns; j++) {
			size_t at = i * muon->ld + j;
			double own = (1 - b) * g[at] * clip_by, *to = &x[i * muon->columns + j];

			m[at] = b * m[at] + own;
			*to = b * m[at] + own;
			sum += *to * *to;
		}
	for (size_t i = 0; i < muon->rows * muon->columns; i++)
		x[i] /= fmax(sqrt(sum), muon->epsilon);
}

void
plain_muon_end(struct ops_device *d, const struct ops_muon *muon)
{
	const double *x = muon->x;
	double *p = muon->p;

	(void)d;
	for (size_t i = 0; i < muon->rows; i++)
		for (size_t j = 0; j < muon->columns; j++) {
			double *at = &p[i * muon->ld + j];

			if (muon->decay)
				*at -= muon->step->muon_decay * *at;
			*at -= muon->step->muon_rate * muon->scale * x[i * muon->columns + j];
		}
}

void
plain_diagonal(struct ops_device *d, size_t n, double alpha, double beta, const void *from, void *to)
{
	const double *in = from;
	double *out = to;

	(void)d;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			out[i * n + j] = (i == j ? alpha : 0) + (in ? beta * in[i * n + j] : 0);
}
