#include "kernels/cuda/attention.cuh"

/* Attention as Dao has it in "FlashAttention-2" (2023): a block of four warps takes 64 * MB queries of one head of one document and goes
 * through their keys, 64 at a time. Each warp has 16 * MB queries for itself; scores and probabilities never leave its registers. The
 * next keys and values are on their way while these are worked on. */

constexpr int KEYS = 64, THREADS = 128;

/* What a lane keeps of two rows of each 16 queries. */
struct rows {
	float max[2], sum[2]; /* sum: of this lane's columns only */
	int first; /* of the 16, in the document */
};

/* Scores become probabilities, to be divided by their sum at last; what was summed so far shrinks where a larger score came. */
template <int D>
static __device__ __forceinline__ void
softmax(struct rows &r, float out[D / 8][4], float s[8][4], float scale)
{
	UNROLL
	for (int half = 0; half < 2; half++) {
		float max = r.max[half], shrink;

		UNROLL
		for (int n = 0; n < 8; n++)
			max = fmaxf(max, fmaxf(s[n][2 * half], s[n][2 * half + 1]));
		max = fmaxf(max, __shfl_xor_sync(FULL_WARP, max, 1));
		max = fmaxf(max, __shfl_xor_sync(FULL_WARP, max, 2));
		shrink = exp2_fast((r.max[half] - max) * scale);
		r.max[half] = max;
		r.sum[half] *= shrink;
		UNROLL
		for (int n = 0; n < D / 8; n++) {
			out[n][2 * half] *= shrink;
			out[n][2 * half + 1] *= shrink;
		}
		UNROLL
		for (int n = 0; n < 8; n++)
			UNROLL
			for (int c = 0; c < 2; c++) {
				float p = exp2_fast(s[n][2 * half + c] * scale - max * scale);

				r.sum[half] += p;
				s[n][2 * half + c] = p;
			}
	}
}

/* The logarithms of the sums; ret_factor is what the sums of values are multiplied with at last. */
static __device__ __forceinline__ void
finish(const struct attention &a, const struct rows &r, const struct tile &tile, int h, float ret_factor[2])
{
	int lane = (int)(threadIdx.x % 32);

	UNROLL
	for (int half = 0; half < 2; half++) {
		int row = r.first + lane / 4 + 8 * half;
		float sum = r.sum[half];

		sum += __shfl_xor_sync(FULL_WARP, sum, 1);
		sum += __shfl_xor_sync(FULL_WARP, sum, 2);
		ret_factor[half] = a.keep / sum;
		if (lane % 4 == 0 && row < tile.length)
			a.logsum[(size_t)(tile.start + row) * (size_t)a.NH + (size_t)h] = r.max[half] * a.scale + log2_fast(sum) * LN_2;
	}
}

template <int D, int MB, bool DROPOUT>
static __global__ void __launch_bounds__(THREADS)
forward(struct attention a)
{
	constexpr int M = 64 * MB;
	bf16 *q = (bf16 *)dynamic_shared(), *k = q + M * D, *v = k + 2 * KEYS * D; /* keys and values twice */
	int h = (int)blockIdx.y, row = (int)(threadIdx.x / 32) * 16 * MB; /* of this warp, in the tile */
	struct tile tile = find_tile(a, M, (int)blockIdx.x, true);
	const struct draw draw = draw_of<DROPOUT>(a);
	struct rows rows[MB];
	float out[MB][D / 8][4] = {};

	if (!tile.length)
		return;
	const bf16 *queries = (const bf16 *)a.qkv + (size_t)(tile.start + tile.first) * a.row + (size_t)h * D;
	const bf16 *keys = (const bf16 *)a.qkv + (size_t)tile.start * a.row + (size_t)(a.NH + h / (a.NH / a.NKV)) * D;
	const bf16 *values = keys + (size_t)a.NKV * D;
	int end = min(tile.first + M, tile.length);

	UNROLL
	for (int m = 0; m < MB; m++)
		rows[m] = { { -INFINITY, -INFINITY }, { 0, 0 }, tile.first + row + 16 * m };
	load_tile<D, M, THREADS>(q, queries, a.row, tile.length - tile.first);
	load_tile<D, KEYS, THREADS>(k, keys, a.row, tile.length);
	load_tile<D, KEYS, THREADS>(v, values, a.row, tile.length);
	cp_async_commit();
	for (int key = 0, side = 0; key < end; key += KEYS, side = !side) {
		int next = key + KEYS;
		float s[MB][8][4];

		/* Behind this barrier the keys are there, and nobody reads those before them any more. */
		cp_async_wait<0>();
		__syncthreads();
		if (next < end) {
			load_tile<D, KEYS, THREADS>(k + !side * KEYS * D, keys + (size_t)next * a.row, a.row, tile.length - next);
			load_tile<D, KEYS, THREADS>(v + !side * KEYS * D, values + (size_t)next * a.row, a.row, tile.length - next);
			cp_async_commit();
		}
		/* None of these keys is for this warp's queries, or it has none. */
		if (key > rows[MB - 1].first + 15 || rows[0].first >= tile.length)
			continue;
		multiply_transposed<D, MB>(s, q, row, k + side * KEYS * D);
		UNROLL
		for (int m = 0; m < MB; m++) {
			mask(s[m], rows[m].first, key);
			softmax<D>(rows[m], out[m], s[m], a.scale * LOG2_E);
			if (DROPOUT)
				drop_keys(a, draw, s[m], tile.start + rows[m].first, h, key / KEYS, 1);
		}
		multiply_add<D, MB>(out, s, v + side * KEYS * D);
	}
	UNROLL
	for (int m = 0; m < MB; m++) {
		float factor[2];
		size_t C = (size_t)a.NH * D, to = (size_t)(tile.start + rows[m].first) * C + (size_t)h * D;

		finish(a, rows[m], tile, h, factor);
		store_rows<D>((bf16 *)a.out + to, C, tile.length - rows[m].first, out[m], factor, q + (row + 16 * m) * D);
	}
}

template <int D, int MB, bool DROPOUT>
static void
launch_forward(cudaStream_t stream, const struct attention *a)
{
	constexpr int bytes = (64 * MB + 4 * KEYS) * D * 2;

	cudaFuncSetAttribute(forward<D, MB, DROPOUT>, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
	launch(forward<D, MB, DROPOUT>, dim3(tile_blocks(a, 64 * MB), (unsigned)a->NH), THREADS, bytes, stream, *a);
}

/* Queries by 128 are faster where documents have many of them, for each key is read half as often. */
template <int D, bool DROPOUT>
static void
choose_forward(cudaStream_t stream, const struct attention *a, size_t longest)
{
	if (D < 128 && longest > 512)
		launch_forward<D, D < 128 ? 2 : 1, DROPOUT>(stream, a);
	else
		launch_forward<D, 1, DROPOUT>(stream, a);
}

bool
attention_tensor_forward(cudaStream_t stream, const struct attention *a, size_t longest)
{
	if (((uintptr_t)a->qkv | (uintptr_t)a->out) % 16)
		return false;
	switch (a->D) {
	case 32:
		(a->below ? choose_forward<32, true> : choose_forward<32, false>)(stream, a, longest);
		return true;
	case 64:
		(a->below ? choose_forward<64, true> : choose_forward<64, false>)(stream, a, longest);
		return true;
	case 128:
		(a->below ? choose_forward<128, true> : choose_forward<128, false>)(stream, a, longest);
		return true;
	default:
		return false;
	}
}
