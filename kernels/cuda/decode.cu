/* Rotary positions, and what decoding has of its own: keeping keys and values, and a few rows' attention over them. */
#include "config.h"

#include <float.h>

#include "kernels/cuda/cuda.h"
#include "kernels/cuda/numbers.h"

namespace {

enum { THREADS = 256 };

/* ---- rotary positions ---- */

/* A pair of channels a thread. */
template <typename T>
__global__ void __launch_bounds__(THREADS)
rotate(ops_rotate r)
{
	size_t D = r.C / r.NH, half = D / 2, CK = ops_key_channels(r.C, r.NH, r.NKV), i = (size_t)blockIdx.x * THREADS + threadIdx.x;
	size_t pairs = (r.NH + r.NKV) * half, row = i / pairs, head = i % pairs / half, k = i % half;
	const float *angles;
	float x, y, cosine, sine;
	T *at;

	if (row >= r.N)
		return;
	angles = (const float *)r.angles + (size_t)r.places[row] * D;
	cosine = angles[k];
	sine = r.back ? -angles[half + k] : angles[half + k];
	at = (T *)r.qkv + row * (r.C + 2 * CK) + head * D + k; /* the keys' heads follow the queries' */
	x = to_float(at[0]);
	y = to_float(at[half]);
	store(at, x * cosine - y * sine);
	store(at + half, y * cosine + x * sine);
}

/* ---- what is kept ---- */

template <typename T>
__global__ void __launch_bounds__(THREADS)
keep(ops_keep k)
{
	size_t CK = ops_key_channels(k.C, k.NH, k.NKV), i = (size_t)blockIdx.x * THREADS + threadIdx.x, row = i / (2 * CK), c = i % (2 * CK);
	size_t to;

	if (row >= k.N)
		return;
	to = ((size_t)k.slots[row] * k.L + (size_t)k.at[row]) * CK;
	((T *)(c < CK ? k.keys : k.values))[to + (c < CK ? c : c - CK)] = ((const T *)k.qkv)[row * (k.C + 2 * CK) + k.C + c];
}

/* ---- attention of one row ----
 *
 * A block has a head of a row. It takes as many tokens at a time as it has threads: a score a thread; then each thread has a channel of
 * the values and some of the tokens. What came before is scaled down as larger scores come. */

template <typename T>
__device__ __forceinline__ float
score_of(const float *query, const T *key, size_t D, bool by4)
{
	float sum = 0;

	if (by4)
		for (size_t c = 0; c < D; c += 4) {
			float k[4];

			load4(key + c, k);
			sum += query[c] * k[0] + query[c + 1] * k[1] + (query[c + 2] * k[2] + query[c + 3] * k[3]);
		}
	else
		for (size_t c = 0; c < D; c++)
			sum += query[c] * to_float(key[c]);
	return sum;
}

template <typename T>
__global__ void __launch_bounds__(THREADS)
attend(ops_decode a, float scale, bool by4)
{
	SHARED(float, query, [OPS_HEAD_MAX]);
	SHARED(float, scores, [THREADS]);
	SHARED(float, sums, [THREADS / 32]);
	SHARED(size_t, rows, [THREADS]); /* of the tokens, in keys and values */
	size_t r = blockIdx.x, head = blockIdx.y, D = a.C / a.NH, CK = ops_key_channels(a.C, a.NH, a.NKV), tokens = (size_t)a.at[r] + 1;
	const T *keys = (const T *)a.keys + head / (a.NH / a.NKV) * D, *values = (const T *)a.values + head / (a.NH / a.NKV) * D;
	const int32_t *from = a.from + (size_t)a.slots[r] * a.L;
	unsigned slices = THREADS / (unsigned)D, channel = threadIdx.x % (unsigned)D, slice = threadIdx.x / (unsigned)D;
	float max = -FLT_MAX, sum = 0, out = 0;

	for (unsigned c = threadIdx.x; c < D; c += THREADS)
		query[c] = to_float(((const T *)a.qkv)[r * (a.C + 2 * CK) + head * D + c]) * scale;
	__syncthreads();
	for (size_t base = 0; base < tokens; base += THREADS) {
		size_t left = tokens - base, here = left < THREADS ? left : (size_t)THREADS;
		float score = -FLT_MAX, larger, less;

		if (threadIdx.x < here) {
			size_t row = (size_t)from[base + threadIdx.x] * a.L + base + threadIdx.x;

			rows[threadIdx.x] = row * CK;
			score = score_of(query, keys + row * CK, D, by4);
		}
		larger = fmaxf(max, block_max(score, sums));
		less = exp_for<float>(max - larger);
		score = threadIdx.x < here ? exp_for<float>(score - larger) : 0;
		scores[threadIdx.x] = score;
		__syncthreads(); /* the scores are there, and block_max's numbers are read */
		sum = sum * less + block_sum(score, sums);
		out *= less;
		if (slice < slices)
			for (size_t j = slice; j < here; j += slices)
				out += scores[j] * to_float(values[rows[j] + channel]);
		max = larger;
		__syncthreads();
	}
	/* The slices of a channel meet. */
	scores[threadIdx.x] = out;
	__syncthreads();
	if (slice)
		return;
	for (unsigned s = 1; s < slices; s++)
		out += scores[s * (unsigned)D + channel];
	store((T *)a.out + r * a.C + head * D + channel, out / sum);
}

template <typename T>
void
run_decode(cuda *c, const ops_decode *a)
{
	size_t D = a->C / a->NH, CK = ops_key_channels(a->C, a->NH, a->NKV);
	bool by4 = D % 4 == 0 && CK % 4 == 0 && cuda_aligned(a->keys, 16);

	launch(attend<T>, dim3((unsigned)a->R, (unsigned)a->NH), THREADS, 0, c->stream, *a, 1 / sqrtf((float)D), by4);
}

} // namespace

void
cuda_rotate(struct cuda *c, const struct ops_rotate *r)
{
	size_t pairs = r->N * (r->NH + r->NKV) * (r->C / r->NH / 2);

	if (pairs)
		CUDA_BY_TYPE(c, launch(rotate<T>, cuda_blocks(pairs, THREADS), THREADS, 0, c->stream, *r));
}

void
cuda_keep(struct cuda *c, const struct ops_keep *k)
{
	if (k->N)
		CUDA_BY_TYPE(c, launch(keep<T>, cuda_blocks(k->N * 2 * ops_key_channels(k->C, k->NH, k->NKV), THREADS), THREADS, 0, c->stream, *k));
}

void
cuda_decode_attention(struct cuda *c, const struct ops_decode *a)
{
	if (a->R)
		CUDA_BY_TYPE(c, run_decode<T>(c, a));
}
