/* Muon (Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks"): a matrix moves along its momentum, made orthogonal by
 * five steps of a quintic Newton-Schulz iteration. Queries, keys and values, gate and up are matrices of their own. */
#include "config.h"

#include <math.h>

#include "runtime/model/model_private.h"

enum { STEPS = 5 };

static const double A = 3.4445, B = -4.7750, C = 2.0315; /* x' = A x + B x^3 + C x^5, of its singular values */
static const double EPSILON = 1e-7;

static size_t
less(size_t a, size_t b)
{
	return a < b ? a : b;
}

void
muon_sizes(const struct params *params, size_t *ret_matrix, size_t *ret_square)
{
	*ret_matrix = *ret_square = 0;
	for (size_t i = 0; i < params->n; i++)
		for (size_t k = 0; k < params->items[i].n_parts; k++) {
			size_t rows = params->items[i].rows, columns = params->items[i].parts[k].columns, n = less(rows, columns);

			*ret_matrix = rows * columns > *ret_matrix ? rows * columns : *ret_matrix;
			*ret_square = n * n > *ret_square ? n * n : *ret_square;
		}
}

size_t
muon_scratch(const struct params *params, struct ops_device *d)
{
	size_t most = 0;

	for (size_t i = 0; i < params->n; i++)
		for (size_t k = 0; k < params->items[i].n_parts; k++) {
			size_t rows = params->items[i].rows, columns = params->items[i].parts[k].columns, n = less(rows, columns);
			const struct ops_matmul shapes[] = { { .M = n, .N = n, .K = rows + columns - n }, { .M = n, .N = n, .K = n },
				{ .M = rows, .N = columns, .K = n } };

			for (size_t s = 0; s < sizeof(shapes) / sizeof(*shapes); s++) {
				size_t bytes = d->ops->matmul_scratch(d, &shapes[s]);

				most = bytes > most ? bytes : most;
			}
		}
	return most;
}

/* y = (A + B x x^T + C (x x^T)^2) x, on the shorter side. */
static void
iterate(struct model *m, size_t rows, size_t columns, const void *x, void *y)
{
	const struct ops *ops = m->d->ops;
	const bool tall = rows > columns;
	const size_t n = less(rows, columns);
	void *gram = m->squares[0], *inner = m->squares[1], *outer = m->squares[2];
	struct ops_matmul multiply = { .M = n, .N = n, .K = tall ? rows : columns, .a = x, .lda = columns, .at = tall, .b = x, .ldb = columns,
		.bt = !tall, .c = gram, .ldc = n };

	ops->matmul(m->d, &multiply);
	ops->diagonal(m->d, n, B, C, gram, inner);
	ops->diagonal(m->d, n, A, 0, NULL, outer);
	multiply = (struct ops_matmul){ .M = n, .N = n, .K = n, .a = gram, .lda = n, .b = inner, .ldb = n, .c = outer, .ldc = n, .add = true };
	ops->matmul(m->d, &multiply);
	multiply = (struct ops_matmul){ .M = rows, .N = columns, .K = n, .a = tall ? x : outer, .lda = n, .b = tall ? outer : x, .ldb = columns,
		.c = y, .ldc = columns };
	ops->matmul(m->d, &multiply);
}

/* Where Adam would keep squares there is room for a part's direction. */
void
muon_update(struct model *m, const struct model_update *u, size_t which)
{
	const struct param *p = &m->params.items[which];

	for (size_t k = 0; k < p->n_parts; k++) {
		size_t at = p->at + p->parts[k].column, rows = p->rows, columns = p->parts[k].columns;
		void *x = m->direction, *y = model_at(m, MODEL_SQUARES, which);
		struct ops_muon muon = { .rows = rows, .columns = columns, .ld = p->columns, .p = model_further(m, m->slabs[MODEL_WEIGHTS], at),
			.m = model_further(m, m->slabs[MODEL_MEANS], at), .g = model_further(m, m->slabs[MODEL_GRADIENTS], at), .x = x,
			.momentum = u->momentum, .epsilon = EPSILON, .scale = sqrt(fmax(1, (double)columns / (double)rows)), .clip = m->clip,
			.decay = p->decay, .step = m->step, .narrow = m->narrow ? model_narrow_further(m, m->narrow, at) : NULL };

		m->d->ops->muon_begin(m->d, &muon);
		for (int step = 0; step < STEPS; step++) {
			void *next = y;

			iterate(m, rows, columns, x, y);
			y = x;
			x = next;
		}
		muon.x = x;
		m->d->ops->muon_end(m->d, &muon);
	}
}
