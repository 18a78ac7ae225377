#include "config.h"

#include "kernels/cuda/side.h"

#include <string.h>

#include "kernels/cuda/host.h"

bool
side_takes(const struct cuda *c, const struct call *call)
{
	return c->side_scratch && call->kind == CALL_MATMUL && call->matmul.add && call->matmul.wide && !call->matmul.bias;
}

/* ---- what a call writes ---- */

struct range {
	const char *at;
	size_t bytes;
};

enum { RANGES = 4, UNKNOWN = -1 };

static struct range
matrix(const void *at, size_t rows, size_t columns, size_t ld, size_t size)
{
	return { (const char *)at, rows && columns ? ((rows - 1) * ld + columns) * size : 0 };
}

/* UNKNOWN: anything, or it reads gradients of parameters. */
static int
writes_of(const struct cuda *c, const struct call *call, struct range ret[RANGES])
{
	size_t narrow = c->device.narrow, real = c->device.real;
	const struct ops_matmul *m = &call->matmul;
	const struct ops_norm *n = &call->norm;

	switch (call->kind) {
	case CALL_MATMUL:
		ret[0] = matrix(m->c, m->M, m->N, m->ldc, m->wide ? real : narrow);
		return 1;
	case CALL_COLUMN_SUMS:
		ret[0] = { (const char *)call->p[0], call->n[1] * real };
		return 1;
	case CALL_ACTIVATE_BACK:
		ret[0] = { (const char *)call->p[0], call->n[0] * narrow };
		return 1;
	case CALL_GATE_BACK:
		ret[0] = { (const char *)call->p[0], 2 * call->n[0] * call->n[1] * narrow };
		return 1;
	case CALL_NORM_BACK:
		ret[0] = { (const char *)call->p[0], n->N * n->C * real };
		ret[1] = { (const char *)call->p[1], call->p[1] ? n->N * n->C * narrow : 0 };
		ret[2] = { (const char *)call->p[2], n->C * real };
		ret[3] = { (const char *)call->p[3], call->p[3] ? n->C * real : 0 };
		return 4;
	case CALL_ATTENTION_BACK:
		ret[0] = { (const char *)call->p[0], call->attention.N * narrow *
			(call->attention.C + 2 * ops_key_channels(call->attention.C, call->attention.NH, call->attention.NKV)) };
		return 1;
	case CALL_ROTATE:
		ret[0] = { (const char *)call->rotate.qkv, call->rotate.N * narrow *
			(call->rotate.C + 2 * ops_key_channels(call->rotate.C, call->rotate.NH, call->rotate.NKV)) };
		return 1;
	default:
		return UNKNOWN;
	}
}

static bool
meet(const struct range *a, const struct range *b)
{
	return a->bytes && b->bytes && a->at < b->at + b->bytes && b->at < a->at + a->bytes;
}

/* Whether what the product reads or writes is written. */
static bool
disturbs(const struct cuda *c, const struct range *writes, int n, const struct ops_matmul *m)
{
	const struct range all[] = { matrix(m->a, m->at ? m->K : m->M, m->at ? m->M : m->K, m->lda, c->device.narrow),
		matrix(m->b, m->bt ? m->N : m->K, m->bt ? m->K : m->N, m->ldb, c->device.narrow),
		matrix(m->c, m->M, m->N, m->ldc, c->device.real) };

	for (int i = 0; i < n; i++)
		for (const struct range &r : all)
			if (meet(&writes[i], &r))
				return true;
	return false;
}

/* ---- there and back ---- */

void
side_start(struct cuda *c, struct side *s, const struct call *call)
{
	if (s->n == SIDE_MAX)
		side_join(c, s, NULL);
	host_side(c, &call->matmul, s->n);
	s->calls[s->n++] = call;
}

void
side_join(struct cuda *c, struct side *s, const struct call *call)
{
	struct range writes[RANGES];
	int n = call ? writes_of(c, call, writes) : UNKNOWN;
	size_t last = s->n;

	if (n != UNKNOWN)
		while (last > s->done && !disturbs(c, writes, n, &s->calls[last - 1]->matmul))
			last--;
	if (last == s->done)
		return;
	host_join(c, last - 1);
	s->done = last;
	if (last == s->n)
		s->n = s->done = 0; /* else what is done stays in the list, for its places are names */
}
