/* What the kernels have in common: numbers by fours, the random numbers of dropout, sums over a block. */
#ifndef KERNELS_CUDA_NUMBERS_H
#define KERNELS_CUDA_NUMBERS_H

#include "kernels/cuda/device.h"
#include "kernels/ops.h"

/* ---- four neighbours, aligned to their size ---- */

static __device__ __forceinline__ void
load4(const float *at, float ret[4])
{
	float4 x = *(const float4 *)at;

	ret[0] = x.x;
	ret[1] = x.y;
	ret[2] = x.z;
	ret[3] = x.w;
}

static __device__ __forceinline__ void
load4(const bf16 *at, float ret[4])
{
	uint2 x = *(const uint2 *)at;

	ret[0] = low_bf16(x.x);
	ret[1] = high_bf16(x.x);
	ret[2] = low_bf16(x.y);
	ret[3] = high_bf16(x.y);
}

static __device__ __forceinline__ void
store4(float *at, const float x[4])
{
	*(float4 *)at = make_float4(x[0], x[1], x[2], x[3]);
}

static __device__ __forceinline__ void
store4(bf16 *at, const float x[4])
{
	*(uint2 *)at = make_uint2(pack_bf16(x[0], x[1]), pack_bf16(x[2], x[3]));
}

/* ---- dropout ----
 *
 * One Philox gives the words of four elements that are 16 apart (ops_random). So a thread that has many elements takes them as four
 * times four neighbours, 16 apart: a quarter of 64, at 4 times the quarter's number. */

enum { QUARTER = 16 };

struct drop {
	const struct ops_step *step; /* NULL: nothing is dropped */
	uint32_t site, below;
	float scale;
};

static inline struct drop
drop_of(const struct ops_dropout *d)
{
	struct drop ret = { NULL, 0, 0, 1 };

	if (d->rate > 0)
		ret = { d->step, d->site, ops_dropped_below(d->rate), (float)(1 / (1 - d->rate)) };
	return ret;
}

/* What element e is multiplied with. */
static __device__ __forceinline__ float
drop_one(const struct drop &d, uint64_t e)
{
	if (!d.step)
		return 1;
	return ops_random(d.step->seed, d.step->step, d.site, e) < d.below ? 0 : d.scale;
}

/* The same for a quarter that begins at element e: x[4 k + i] is element e + 16 k + i. */
static __device__ __forceinline__ void
drop_quarter(const struct drop &d, uint64_t e, float x[QUARTER])
{
	uint64_t seed, block = e / 64 * 16 + e % 16;
	uint32_t step;

	if (!d.step)
		return;
	seed = d.step->seed;
	step = (uint32_t)d.step->step;
	UNROLL
	for (unsigned i = 0; i < 4; i++) {
		uint32_t counter[4] = { (uint32_t)(block + i), (uint32_t)((block + i) >> 32), d.site, step }, words[4];

		ops_philox(counter, seed, words);
		UNROLL
		for (unsigned k = 0; k < 4; k++)
			x[4 * k + i] = words[k] < d.below ? 0 : x[4 * k + i] * d.scale;
	}
}

/* A quarter that begins at `at`. */
template <typename T>
static __device__ __forceinline__ void
load_quarter(const T *at, float ret[QUARTER])
{
	UNROLL
	for (int k = 0; k < 4; k++)
		load4(at + 16 * k, ret + 4 * k);
}

template <typename T>
static __device__ __forceinline__ void
store_quarter(T *at, const float x[QUARTER])
{
	UNROLL
	for (int k = 0; k < 4; k++)
		store4(at + 16 * k, x + 4 * k);
}

/* ---- sums over a block, the same in all of its threads ---- */

/* `shared` is one number a warp; a barrier comes before it may be used again. */
static __device__ __forceinline__ float
block_sum(float x, float *shared)
{
	float sum = 0;

	x = warp_sum(x);
	if (threadIdx.x % 32 == 0)
		shared[threadIdx.x / 32] = x;
	__syncthreads();
	for (unsigned w = 0; w < blockDim.x / 32; w++)
		sum += shared[w];
	return sum;
}

static __device__ __forceinline__ float
block_max(float x, float *shared)
{
	float max = x;

	x = warp_max(x);
	if (threadIdx.x % 32 == 0)
		shared[threadIdx.x / 32] = x;
	__syncthreads();
	max = shared[0];
	for (unsigned w = 1; w < blockDim.x / 32; w++)
		max = fmaxf(max, shared[w]);
	return max;
}

/* ---- functions ---- */

/* exp and tanh, fast where what comes out is rounded to bfloat16. */
template <typename T>
static __device__ __forceinline__ float
exp_for(float x)
{
	if constexpr (sizeof(T) == 2)
		return exp2_fast(x * 1.44269504088896340736f);
	else
		return expf(x);
}

template <typename T>
static __device__ __forceinline__ float
tanh_for(float x)
{
	if constexpr (sizeof(T) == 2)
		return 1 - __fdividef(2, exp_for<T>(fminf(2 * x, 80)) + 1);
	else
		return tanhf(x);
}

/* ---- launches by precision ---- */

/* CUDA_BY_TYPE(c, f<T>(…)): with T float or bf16. */
#define CUDA_BY_TYPE(c, ...) \
	do { \
		if (cuda_is_narrow(c)) { \
			typedef bf16 T; \
			__VA_ARGS__; \
		} else { \
			typedef float T; \
			__VA_ARGS__; \
		} \
	} while (0)

#endif
