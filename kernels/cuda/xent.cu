/* The loss and, in the logits' place, their gradients. A block has a row, and reads it twice: the second time it comes out of the cache. */
#include "config.h"

#include <float.h>
#include <math.h>

#include "kernels/cuda/cuda.h"
#include "kernels/cuda/numbers.h"

namespace {

enum { WARPS_MAX = 16 };

/* What is found in the logits. */
struct found {
	float max, sum; /* of the exponentials, of logits less max */
	float total; /* of the logits themselves */
	unsigned best; /* where the largest is, the first of equal ones */
};

template <typename T>
__device__ __forceinline__ void
see(found &f, float x, unsigned j)
{
	if (x > f.max) {
		f.sum = f.sum * exp_for<T>(f.max - x) + 1;
		f.max = x;
		f.best = j;
	} else {
		f.sum += exp_for<T>(x - f.max);
	}
	f.total += x;
}

/* The order of the two does not matter for which is best. */
template <typename T>
__device__ __forceinline__ void
join(found &f, const found &g)
{
	if (g.max > f.max) {
		f.sum = f.sum * exp_for<T>(f.max - g.max) + g.sum;
		f.max = g.max;
		f.best = g.best;
	} else {
		f.sum += g.sum * exp_for<T>(g.max - f.max);
		if (g.max == f.max && g.best < f.best)
			f.best = g.best;
	}
	f.total += g.total;
}

template <typename T>
__device__ found
look(const T *row, size_t V, bool by4, found *shared)
{
	found f = { -FLT_MAX, 0, 0, 0xFFFFFFFFu };
	size_t whole = by4 ? V / 4 * 4 : 0;

	for (size_t j = (size_t)threadIdx.x * 4; j < whole; j += (size_t)blockDim.x * 4) {
		float x[4];

		load4(row + j, x);
		for (unsigned k = 0; k < 4; k++)
			see<T>(f, x[k], (unsigned)j + k);
	}
	for (size_t j = whole + threadIdx.x; j < V; j += blockDim.x)
		see<T>(f, to_float(row[j]), (unsigned)j);
	for (int bits = 16; bits; bits >>= 1) {
		found g;

		g.max = __shfl_xor_sync(FULL_WARP, f.max, bits);
		g.sum = __shfl_xor_sync(FULL_WARP, f.sum, bits);
		g.total = __shfl_xor_sync(FULL_WARP, f.total, bits);
		g.best = __shfl_xor_sync(FULL_WARP, f.best, bits);
		join<T>(f, g);
	}
	if (threadIdx.x % 32 == 0)
		shared[threadIdx.x / 32] = f;
	__syncthreads();
	f = shared[0];
	for (unsigned w = 1; w < blockDim.x / 32; w++)
		join<T>(f, shared[w]);
	return f;
}

/* What the target gives the label and each other token, and its entropy. */
struct target {
	float high, low, entropy;
};

template <typename T>
__device__ void
put_gradients(T *row, size_t V, unsigned label, const target &t, float logsum, float scale, bool by4)
{
	size_t whole = by4 ? V / 4 * 4 : 0;

	for (size_t j = (size_t)threadIdx.x * 4; j < whole; j += (size_t)blockDim.x * 4) {
		float x[4];

		load4(row + j, x);
		for (unsigned k = 0; k < 4; k++)
			x[k] = scale == 0 ? 0 : scale * (exp_for<T>(x[k] - logsum) - (j + k == label ? t.high : t.low));
		store4(row + j, x);
	}
	for (size_t j = whole + threadIdx.x; j < V; j += blockDim.x) {
		float x = to_float(row[j]);

		store(row + j, scale == 0 ? 0 : scale * (exp_for<T>(x - logsum) - (j == label ? t.high : t.low)));
	}
}

template <typename T>
__global__ void
xent(ops_xent x, target t, bool by4)
{
	SHARED(found, shared, [WARPS_MAX]);
	size_t i = blockIdx.x;
	T *row = (T *)x.logits + i * x.ld;
	float weight = ((const float *)x.weights)[i], logsum, at_label;
	unsigned label = (unsigned)x.labels[i];
	found f = look(row, x.V, by4, shared);

	logsum = logf(f.sum) + f.max;
	at_label = to_float(row[label]);
	if (threadIdx.x == 0) {
		/* The probabilities of the target add up to 1. */
		((float *)x.losses)[i] = weight == 0 ? 0 : weight * (logsum - t.high * at_label - t.low * (f.total - at_label) - t.entropy);
		((float *)x.hits)[i] = f.best == label ? weight : 0;
	}
	if (!x.backward)
		return;
	__syncthreads(); /* all have read the label's */
	put_gradients(row, x.V, label, t, logsum, weight * (float)x.step->loss_scale, by4);
}

template <typename T>
void
run(cuda *c, const ops_xent *x)
{
	double low = x->V > 1 ? x->smoothing / (double)(x->V - 1) : 0, high = 1 - x->smoothing, entropy = 0;
	unsigned threads = x->V >= 8192 ? 512 : x->V >= 1024 ? 256 : 64;
	target t;

	if (x->smoothing > 0)
		entropy = -(high * log(high) + (x->V > 1 ? (double)(x->V - 1) * low * log(low) : 0));
	t = { (float)high, (float)low, (float)entropy };
	launch(xent<T>, (unsigned)x->N, threads, 0, c->stream, *x, t, x->ld % 4 == 0 && cuda_aligned(x->logits, 16));
}

} // namespace

void
cuda_xent(struct cuda *c, const struct ops_xent *x)
{
	if (x->N)
		CUDA_BY_TYPE(c, run<T>(c, x));
}
