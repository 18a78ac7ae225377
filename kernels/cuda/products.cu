#include "config.h"

#include "kernels/cuda/products.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/cuda/choices.h"
#include "kernels/cuda/host.h"
#include "kernels/cuda/numbers.h"

enum {
	WANTED = 12, /* algorithms that are tried */
	RUNS = 5, /* of each */
	THREADS = 256,
};

static const uint32_t ALIGN_MAX = 256;

/* By how much another algorithm must be faster than the one that cuBLASLt names first. */
static const float BETTER = 0.97f;

/* No gaps: it is compared byte for byte. */
struct form {
	uint64_t M, N, K, lda, ldb, ldc;
	uint32_t at, bt, add, bias, wide, align_a, align_b, align_c;
};

struct product {
	struct form form;
	struct lt_desc *desc;
	struct lt_layout *a, *b, *c;
	struct lt_algorithm algorithm;
};

struct products {
	struct cublaslt lt;
	struct lt_handle *handle;
	struct choices *choices;
	struct product *items;
	size_t n, cap;
};

struct products *
products_new(struct cuda *c, const struct cublaslt *lt, const char **why)
{
	struct products *p = (struct products *)calloc(1, sizeof(*p));
	char machine[256];

	*why = "there is no more memory";
	if (!p)
		return NULL;
	p->lt = *lt;
	if (lt->create(&p->handle) != LT_SUCCESS) {
		*why = "libcublasLt.so.13 was found, but cannot be used with this GPU and its driver";
		free(p);
		return NULL;
	}
	host_describe(c, machine, sizeof(machine) - 32);
	snprintf(machine + strlen(machine), 32, "-%zu", lt->version());
	p->choices = choices_open(machine);
	return p;
}

void
products_free(struct products *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n; i++) {
		p->lt.layout_destroy(p->items[i].a);
		p->lt.layout_destroy(p->items[i].b);
		p->lt.layout_destroy(p->items[i].c);
		p->lt.desc_destroy(p->items[i].desc);
	}
	free(p->items);
	choices_close(p->choices);
	p->lt.destroy(p->handle);
	free(p);
}

static uint32_t
alignment_of(const void *at)
{
	uintptr_t lowest = (uintptr_t)at & (~(uintptr_t)at + 1);

	return lowest && lowest < ALIGN_MAX ? (uint32_t)lowest : ALIGN_MAX;
}

static struct form
form_of(const struct ops_matmul *m)
{
	struct form f;

	memset(&f, 0, sizeof(f));
	f.M = m->M;
	f.N = m->N;
	f.K = m->K;
	f.lda = m->lda;
	f.ldb = m->ldb;
	f.ldc = m->ldc;
	f.at = m->at;
	f.bt = m->bt;
	f.add = m->add;
	f.bias = m->bias != NULL;
	f.wide = m->wide;
	f.align_a = alignment_of(m->a);
	f.align_b = alignment_of(m->b);
	f.align_c = alignment_of(m->c);
	return f;
}

/* ---- one form ----
 *
 * Rows that lie one behind the other are columns to cuBLASLt. So it is asked for the transpose of c, as b's times a's: its first factor is
 * our b, N columns of K, and its bias, one number a row, is ours for each of N columns. */

static bool
describe(struct cuda *c, struct product *p)
{
	const struct cublaslt *lt = &c->products->lt;
	const struct form *f = &p->form;
	int narrow = cuda_is_narrow(c) ? LT_R_16BF : LT_R_32F, result = f->wide ? LT_R_32F : narrow;
	int32_t first = f->bt ? LT_OP_T : LT_OP_N, second = f->at ? LT_OP_T : LT_OP_N, bias = LT_EPILOGUE_BIAS;

	return lt->desc_create(&p->desc, LT_COMPUTE_32F, LT_R_32F) == LT_SUCCESS &&
	       lt->desc_set(p->desc, LT_DESC_TRANSA, &first, sizeof(first)) == LT_SUCCESS &&
	       lt->desc_set(p->desc, LT_DESC_TRANSB, &second, sizeof(second)) == LT_SUCCESS &&
	       (!f->bias || lt->desc_set(p->desc, LT_DESC_EPILOGUE, &bias, sizeof(bias)) == LT_SUCCESS) &&
	       lt->layout_create(&p->b, narrow, f->bt ? f->K : f->N, f->bt ? f->N : f->K, (int64_t)f->ldb) == LT_SUCCESS &&
	       lt->layout_create(&p->a, narrow, f->at ? f->M : f->K, f->at ? f->K : f->M, (int64_t)f->lda) == LT_SUCCESS &&
	       lt->layout_create(&p->c, result, f->N, f->M, (int64_t)f->ldc) == LT_SUCCESS;
}

static bool
set_preference(const struct cublaslt *lt, struct lt_preference *preference, const struct form *f)
{
	uint64_t workspace = CUDA_SCRATCH;
	uint32_t reductions = LT_REDUCE_COMPUTE | LT_REDUCE_OUTPUT;

	return lt->preference_set(preference, LT_PREF_MAX_WORKSPACE, &workspace, sizeof(workspace)) == LT_SUCCESS &&
	       lt->preference_set(preference, LT_PREF_REDUCTIONS, &reductions, sizeof(reductions)) == LT_SUCCESS &&
	       lt->preference_set(preference, LT_PREF_ALIGN_A, &f->align_b, sizeof(f->align_b)) == LT_SUCCESS &&
	       lt->preference_set(preference, LT_PREF_ALIGN_B, &f->align_a, sizeof(f->align_a)) == LT_SUCCESS &&
	       lt->preference_set(preference, LT_PREF_ALIGN_C, &f->align_c, sizeof(f->align_c)) == LT_SUCCESS &&
	       lt->preference_set(preference, LT_PREF_ALIGN_D, &f->align_c, sizeof(f->align_c)) == LT_SUCCESS;
}

/* What cuBLASLt thinks of, the best first. */
static int
candidates(struct cuda *c, const struct product *p, struct lt_heuristic ret[WANTED])
{
	const struct cublaslt *lt = &c->products->lt;
	struct lt_preference *preference;
	int n = 0, kept = 0;

	if (lt->preference_create(&preference) != LT_SUCCESS)
		return 0;
	if (!set_preference(lt, preference, &p->form) ||
	    lt->heuristic(c->products->handle, p->desc, p->b, p->a, p->c, p->c, preference, WANTED, ret, &n) != LT_SUCCESS)
		n = 0;
	lt->preference_destroy(preference);
	for (int i = 0; i < n; i++)
		if (ret[i].state == LT_SUCCESS && ret[i].workspace <= CUDA_SCRATCH)
			ret[kept++] = ret[i];
	return kept;
}

static bool
multiply(struct cuda *c, const struct product *p, const struct ops_matmul *m, const struct lt_algorithm *algorithm)
{
	const float one = 1, beta = m->add ? 1 : 0;

	return c->products->lt.matmul(c->products->handle, p->desc, &one, m->b, p->b, m->a, p->a, &beta, m->c, p->c, m->c, p->c, algorithm,
		       c->scratch, CUDA_SCRATCH, c->stream) == LT_SUCCESS;
}

/* Milliseconds; the first run, which loads the kernel, does not count. Negative: it does not run. */
static float
time_of(struct cuda *c, const struct product *p, const struct ops_matmul *m, const struct lt_algorithm *algorithm)
{
	if (!multiply(c, p, m, algorithm))
		return -1;
	host_clock_start(c);
	for (int i = 0; i < RUNS; i++)
		if (!multiply(c, p, m, algorithm))
			return -1;
	return host_clock_stop(c);
}

/* Tries them in c's place, which is put back if anything is added to it. */
static int
fastest(struct cuda *c, const struct product *p, const struct ops_matmul *m, const struct lt_heuristic *all, int n)
{
	size_t bytes = ((m->M - 1) * m->ldc + m->N) * (m->wide ? c->device.real : c->device.narrow);
	void *saved = NULL;
	float best = -1;
	int ret = 0;

	if (m->add && (cudaMalloc(&saved, bytes) != cudaSuccess || cudaMemcpyAsync(saved, m->c, bytes, cudaMemcpyDeviceToDevice, c->stream))) {
		(void)cudaGetLastError(); /* no room to try anything */
		return 0;
	}
	for (int i = 0; i < n; i++) {
		float time = time_of(c, p, m, &all[i].algorithm);

		if (time >= 0 && (best < 0 || time < best * BETTER)) {
			best = time;
			ret = i;
		}
	}
	if (saved) {
		cudaMemcpyAsync(m->c, saved, bytes, cudaMemcpyDeviceToDevice, c->stream);
		cudaStreamSynchronize(c->stream);
		cudaFree(saved);
	}
	return ret;
}

static bool
choose(struct cuda *c, struct product *p, const struct ops_matmul *m)
{
	const struct form *f = &p->form;
	struct lt_heuristic all[WANTED];
	char key[CHOICES_KEY_MAX];
	uint64_t words[CHOICES_WORDS];
	int n = candidates(c, p, all), at = 0;

	if (!n)
		return false;
	snprintf(key, sizeof(key), "%" PRIu64 "x%" PRIu64 "x%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %u%u%u%u%u%d %u %u %u", f->M, f->N,
		f->K, f->lda, f->ldb, f->ldc, f->at, f->bt, f->add, f->bias, f->wide, cuda_is_narrow(c), f->align_a, f->align_b, f->align_c);
	p->algorithm = all[0].algorithm;
	if (!c->products->choices)
		return true;
	if (!choices_find(c->products->choices, key, words)) {
		at = fastest(c, p, m, all, n);
		memcpy(words, &all[at].algorithm, sizeof(words));
		choices_keep(c->products->choices, key, words);
	}
	/* What a file says is taken only if cuBLASLt says it as well. */
	for (int i = 0; i < n; i++)
		if (!memcmp(words, &all[i].algorithm, sizeof(words)))
			p->algorithm = all[i].algorithm;
	return true;
}

static struct product *
product_of(struct cuda *c, const struct ops_matmul *m)
{
	struct products *all = c->products;
	struct product p = {};

	p.form = form_of(m);
	for (size_t i = 0; i < all->n; i++)
		if (!memcmp(&all->items[i].form, &p.form, sizeof(p.form)))
			return &all->items[i];
	if (all->n == all->cap) {
		size_t cap = all->cap ? 2 * all->cap : 64;
		struct product *items = (struct product *)realloc(all->items, cap * sizeof(*items));

		if (!items)
			return NULL;
		all->items = items;
		all->cap = cap;
	}
	if (!describe(c, &p) || (m->bias && all->lt.desc_set(p.desc, LT_DESC_BIAS_POINTER, &m->bias, sizeof(m->bias)) != LT_SUCCESS) ||
	    !choose(c, &p, m))
		return NULL;
	all->items[all->n] = p;
	return &all->items[all->n++];
}

/* ---- what cuBLASLt has no word for: a bias of other numbers than the result's ---- */

static __global__ void
add_bias(size_t M, size_t N, size_t ldc, const bf16 *bias, float *c)
{
	size_t i = (size_t)blockIdx.x * THREADS + threadIdx.x;

	if (i < M * N)
		c[i / N * ldc + i % N] += to_float(bias[i % N]);
}

void
cuda_matmul(struct cuda *c, const struct ops_matmul *op)
{
	struct ops_matmul m = *op;
	struct product *p;

	if (!m.M || !m.N)
		return;
	if (m.wide && cuda_is_narrow(c))
		m.bias = NULL;
	p = product_of(c, &m);
	if (!p || (m.bias && c->products->lt.desc_set(p->desc, LT_DESC_BIAS_POINTER, &m.bias, sizeof(m.bias)) != LT_SUCCESS) ||
	    !multiply(c, p, &m, &p->algorithm)) {
		cuda_fail(c, "cuBLASLt cannot multiply %zu x %zu by %zu", m.M, m.N, m.K);
		return;
	}
	if (op->bias && !m.bias)
		launch(add_bias, cuda_blocks(m.M * m.N, THREADS), THREADS, 0, c->stream, m.M, m.N, m.ldc, (const bf16 *)op->bias, (float *)m.c);
}
