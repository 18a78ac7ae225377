/* The norm of the gradients, and how parameters move: Adam over all of them in one launch, and what Muon does beside its products. */
#include "config.h"

#include "kernels/cuda/cuda.h"
#include "kernels/cuda/numbers.h"

namespace {

enum {
	THREADS = 256,
	EACH = 16, /* numbers of a thread */
	PARTS = 512, /* of a sum of squares */
	MUON_PARTS = 128,
};

/* ---- clip ---- */

/* The squares of a share of g, into one number a block. In double precision where blocks meet: there may be a billion. */
__global__ void __launch_bounds__(THREADS)
square(size_t n, const float *g, bool by4, double *parts)
{
	SHARED(float, shared, [THREADS / 32]);
	size_t step = (size_t)gridDim.x * THREADS, i = (size_t)blockIdx.x * THREADS + threadIdx.x;
	float sum[4] = {}, all;

	if (by4) {
		for (; i < n / 4; i += step) {
			float x[4];

			load4(g + i * 4, x);
			for (int k = 0; k < 4; k++)
				sum[k] += x[k] * x[k];
		}
		i = n / 4 * 4 + (size_t)blockIdx.x * THREADS + threadIdx.x;
	}
	for (; i < n; i += step)
		sum[0] += g[i] * g[i];
	all = block_sum(sum[0] + sum[1] + (sum[2] + sum[3]), shared);
	if (threadIdx.x == 0)
		parts[blockIdx.x] = (double)all;
}

/* One block. */
__global__ void __launch_bounds__(PARTS)
finish_clip(const double *parts, float max, float *ret, float *norm)
{
	SHARED(double, sums, [PARTS]);
	float root;

	sums[threadIdx.x] = parts[threadIdx.x];
	for (unsigned half = PARTS / 2; half; half /= 2) {
		__syncthreads();
		if (threadIdx.x < half)
			sums[threadIdx.x] += sums[threadIdx.x + half];
	}
	if (threadIdx.x)
		return;
	root = (float)sqrt(sums[0]);
	*norm = root;
	*ret = root > max ? max / root : 1;
}

/* ---- adam ---- */

/* All parameters of one optimizer, as pieces of the arrays in which the first one lies. */
struct adam_list {
	float *p, *m, *v;
	const float *g;
	bf16 *narrow; /* or NULL */
	const float *clip; /* or NULL */
	const ops_step *step;
	float beta1, beta2, rest1, rest2, epsilon;
	unsigned n;
	struct piece {
		unsigned long long at; /* numbers from the first one's place */
		unsigned n, first; /* the first block that has some of it */
		bool decay;
	} pieces[CUDA_ADAM_PIECES];
};

/* The piece of which this block has a share: the last that begins at or before it. */
__device__ __forceinline__ unsigned
piece_of(const adam_list &a, unsigned block)
{
	unsigned low = 0, high = a.n;

	while (high - low > 1) {
		unsigned middle = (low + high) / 2;

		if (a.pieces[middle].first <= block)
			low = middle;
		else
			high = middle;
	}
	return low;
}

struct rates {
	float clip, rate, root, decay;
};

__device__ __forceinline__ void
move(const adam_list &a, const rates &r, float &p, float &m, float &v, float g)
{
	g *= r.clip;
	m = a.beta1 * m + a.rest1 * g;
	v = a.beta2 * v + a.rest2 * g * g;
	p -= r.decay * p;
	p -= r.rate * m / (r.root * sqrtf(v) + a.epsilon);
}

__global__ void __launch_bounds__(THREADS)
adam(adam_list a, bool by4)
{
	adam_list::piece piece = a.pieces[piece_of(a, blockIdx.x)];
	size_t from = (size_t)(blockIdx.x - piece.first) * THREADS * EACH;
	rates r = { a.clip ? *a.clip : 1, (float)a.step->rate, (float)a.step->root, piece.decay ? (float)a.step->decay : 0 };

	for (unsigned turn = 0; turn < EACH / 4; turn++) {
		size_t i = from + ((size_t)turn * THREADS + threadIdx.x) * 4, at = piece.at + i;
		float p[4], m[4], v[4], g[4];

		if (by4 && i + 4 <= piece.n) {
			load4(a.p + at, p);
			load4(a.m + at, m);
			load4(a.v + at, v);
			load4(a.g + at, g);
			for (int k = 0; k < 4; k++)
				move(a, r, p[k], m[k], v[k], g[k]);
			store4(a.p + at, p);
			store4(a.m + at, m);
			store4(a.v + at, v);
			if (a.narrow)
				store4(a.narrow + at, p);
			continue;
		}
		for (size_t k = i; k < i + 4 && k < piece.n; k++) {
			size_t one = piece.at + k;

			move(a, r, a.p[one], a.m[one], a.v[one], a.g[one]);
			if (a.narrow)
				store(a.narrow + one, a.p[one]);
		}
	}
}

/* ---- muon ---- */

/* Matrices with `ld` from row to row, as one row of numbers after the other. */
__device__ __forceinline__ size_t
muon_place(const ops_muon &m, size_t i)
{
	return i / m.columns * m.ld + i % m.columns;
}

__global__ void __launch_bounds__(THREADS)
muon_mean(ops_muon m, double *parts)
{
	SHARED(float, shared, [THREADS / 32]);
	float clip = m.clip ? *(const float *)m.clip : 1, momentum = (float)m.momentum, rest = (float)(1 - m.momentum), sum = 0;

	for (size_t i = (size_t)blockIdx.x * THREADS + threadIdx.x; i < m.rows * m.columns; i += (size_t)gridDim.x * THREADS) {
		size_t at = muon_place(m, i);
		float g = ((const float *)m.g)[at] * clip, mean = momentum * ((float *)m.m)[at] + rest * g;

		((float *)m.m)[at] = mean;
		mean = momentum * mean + rest * g;
		sum += mean * mean;
	}
	sum = block_sum(sum, shared);
	if (threadIdx.x == 0)
		parts[blockIdx.x] = (double)sum;
}

template <typename T>
__global__ void __launch_bounds__(THREADS)
muon_direction(ops_muon m, const double *parts)
{
	float clip = m.clip ? *(const float *)m.clip : 1, momentum = (float)m.momentum, rest = (float)(1 - m.momentum), scale;
	double sum = 0;

	for (int k = 0; k < MUON_PARTS; k++)
		sum += parts[k];
	scale = 1 / fmaxf((float)sqrt(sum), (float)m.epsilon);
	for (size_t i = (size_t)blockIdx.x * THREADS + threadIdx.x; i < m.rows * m.columns; i += (size_t)gridDim.x * THREADS) {
		size_t at = muon_place(m, i);

		store((T *)m.x + i, (momentum * ((const float *)m.m)[at] + rest * (((const float *)m.g)[at] * clip)) * scale);
	}
}

template <typename T>
__global__ void __launch_bounds__(THREADS)
muon_move(ops_muon m)
{
	float rate = (float)(m.step->muon_rate * m.scale), decay = m.decay ? (float)m.step->muon_decay : 0;
	size_t i = (size_t)blockIdx.x * THREADS + threadIdx.x, at = muon_place(m, i);
	float p;

	if (i >= m.rows * m.columns)
		return;
	p = ((float *)m.p)[at];
	p -= decay * p;
	p -= rate * to_float(((const T *)m.x)[i]);
	((float *)m.p)[at] = p;
	if (m.narrow)
		store((T *)m.narrow + at, p);
}

template <typename T>
__global__ void __launch_bounds__(THREADS)
diagonal(size_t n, float alpha, float beta, const T *in, T *out)
{
	size_t i = (size_t)blockIdx.x * THREADS + threadIdx.x;

	if (i < n * n)
		store(out + i, (in ? beta * to_float(in[i]) : 0) + (i / n == i % n ? alpha : 0));
}

} // namespace

void
cuda_clip(struct cuda *c, size_t n, const void *g, double max, void *ret, void *norm)
{
	double *parts = (double *)c->scratch;

	launch(square, PARTS, THREADS, 0, c->stream, n, (const float *)g, cuda_aligned(g, 16), parts);
	launch(finish_clip, 1, PARTS, 0, c->stream, (const double *)parts, (float)max, (float *)ret, (float *)norm);
}

bool
cuda_adam_joins(const struct ops_adam *first, const struct ops_adam *a)
{
	ptrdiff_t at = (const float *)a->p - (const float *)first->p;

	return at >= 0 && a->beta1 == first->beta1 && a->beta2 == first->beta2 && a->epsilon == first->epsilon && a->clip == first->clip &&
	       a->step == first->step && (const float *)a->m - (const float *)first->m == at &&
	       (const float *)a->v - (const float *)first->v == at && (const float *)a->g - (const float *)first->g == at &&
	       !a->narrow == !first->narrow && (!a->narrow || (const bf16 *)a->narrow - (const bf16 *)first->narrow == at);
}

void
cuda_adam(struct cuda *c, const struct ops_adam *const *a, size_t n)
{
	const ops_adam *f = a[0];
	bool by4 = cuda_aligned(f->p, 16) && cuda_aligned(f->m, 16) && cuda_aligned(f->v, 16) && cuda_aligned(f->g, 16) &&
		   cuda_aligned(f->narrow, 8);
	adam_list list = {};
	unsigned blocks = 0;

	list.p = (float *)f->p;
	list.m = (float *)f->m;
	list.v = (float *)f->v;
	list.g = (const float *)f->g;
	list.narrow = (bf16 *)f->narrow;
	list.clip = (const float *)f->clip;
	list.step = f->step;
	list.beta1 = (float)f->beta1;
	list.beta2 = (float)f->beta2;
	list.rest1 = (float)(1 - f->beta1);
	list.rest2 = (float)(1 - f->beta2);
	list.epsilon = (float)f->epsilon;
	for (size_t i = 0; i < n; i++) {
		size_t at = (size_t)((const float *)a[i]->p - (const float *)f->p);

		/* Larger ones than any there is would have to be cut in two. */
		if (a[i]->n > 0xFFFFFFFFu - THREADS * EACH) {
			cuda_fail(c, "a parameter of %zu numbers is too large", a[i]->n);
			return;
		}
		if (!a[i]->n)
			continue;
		by4 = by4 && at % 4 == 0;
		list.pieces[list.n++] = { at, (unsigned)a[i]->n, blocks, a[i]->decay };
		blocks += cuda_blocks(a[i]->n, THREADS * EACH);
	}
	if (blocks)
		launch(adam, blocks, THREADS, 0, c->stream, list, by4);
}

void
cuda_muon_begin(struct cuda *c, const struct ops_muon *m)
{
	double *parts = (double *)c->scratch;
	unsigned blocks = cuda_blocks(m->rows * m->columns, THREADS * 4);

	launch(muon_mean, MUON_PARTS, THREADS, 0, c->stream, *m, parts);
	CUDA_BY_TYPE(c, launch(muon_direction<T>, blocks, THREADS, 0, c->stream, *m, (const double *)parts));
}

void
cuda_muon_end(struct cuda *c, const struct ops_muon *m)
{
	CUDA_BY_TYPE(c, launch(muon_move<T>, cuda_blocks(m->rows * m->columns, THREADS), THREADS, 0, c->stream, *m));
}

void
cuda_diagonal(struct cuda *c, size_t n, double alpha, double beta, const void *in, void *out)
{
	CUDA_BY_TYPE(c, launch(diagonal<T>, cuda_blocks(n * n, THREADS), THREADS, 0, c->stream, n, (float)alpha, (float)beta, (const T *)in,
				(T *)out));
}
