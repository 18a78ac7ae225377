#include "kernels/cuda/attention.cuh"

/* The backward half, from logsum: probabilities are computed again. With delta, the sum of dout * out of a query and head, the gradient
 * of a score is p * (dp - delta), where p is the probability and dp = dout times the value.
 *
 * Blocks of two kinds run side by side, four warps each, with nothing to add up between them. One kind has 64 queries and goes through
 * their keys: dq. The other has 64 keys and goes through the queries that see them, of all heads that share these keys: dk, dv; its
 * products are transposed, keys by queries, so that each warp has 16 keys for itself and what it computes is a left factor as it is. */

constexpr int TILE = 64, THREADS = 128;

/* ---- delta ---- */

/* A row and head is PARTS lanes with 8 channels each. */
template <int D>
static __global__ void __launch_bounds__(256)
deltas(struct attention a)
{
	constexpr unsigned PARTS = D / 8;
	size_t at = ((size_t)blockIdx.x * 256 + threadIdx.x) / PARTS, n = (size_t)a.N * (size_t)a.NH;
	size_t part = (at < n ? at : 0) * D + threadIdx.x % PARTS * 8;
	uint4 x = *(const uint4 *)((const bf16 *)a.out_read + part), y = *(const uint4 *)((const bf16 *)a.dout + part);
	const unsigned left[4] = { x.x, x.y, x.z, x.w }, right[4] = { y.x, y.y, y.z, y.w };
	float sum = 0;

	UNROLL
	for (int i = 0; i < 4; i++)
		sum += low_bf16(left[i]) * low_bf16(right[i]) + high_bf16(left[i]) * high_bf16(right[i]);
	UNROLL
	for (unsigned bits = PARTS / 2; bits; bits >>= 1)
		sum += __shfl_xor_sync(FULL_WARP, sum, (int)bits);
	if (at < n && threadIdx.x % PARTS == 0)
		a.delta[at] = sum;
}

/* ---- queries ---- */

/* Of two rows of a lane. */
struct statistics {
	float logsum[2]; /* to base 2; infinite past the document's end */
	float delta[2];
};

static __device__ __forceinline__ struct statistics
statistics_of(const struct attention &a, const struct tile &tile, int h, int first)
{
	struct statistics ret;

	UNROLL
	for (int half = 0; half < 2; half++) {
		int row = first + (int)(threadIdx.x % 32) / 4 + 8 * half;
		size_t at = (size_t)(tile.start + row) * (size_t)a.NH + (size_t)h;

		ret.logsum[half] = row < tile.length ? a.logsum[at] * LOG2_E : INFINITY;
		ret.delta[half] = row < tile.length ? a.delta[at] : 0;
	}
	return ret;
}

/* s, of 16 queries, becomes the gradients of scores; dp is what the values say of the probabilities, after dropout. */
static __device__ __forceinline__ void
score_gradients(float s[8][4], const float dp[8][4], const struct statistics &of, float scale)
{
	UNROLL
	for (int n = 0; n < 8; n++)
		UNROLL
		for (int r = 0; r < 4; r++) {
			float p = exp2_fast(s[n][r] * scale - of.logsum[r / 2]);

			s[n][r] = p * (dp[n][r] - of.delta[r / 2]);
		}
}

template <int D, bool DROPOUT>
static __device__ __forceinline__ void
query_block(const struct attention &a, int h)
{
	bf16 *q = (bf16 *)dynamic_shared(), *dout = q + TILE * D, *k = dout + TILE * D, *v = k + 2 * TILE * D;
	int row = (int)(threadIdx.x / 32) * 16;
	struct tile tile = find_tile(a, TILE, (int)blockIdx.x, true);
	const struct draw draw = draw_of<DROPOUT>(a);
	float dq[1][D / 8][4] = {};

	if (!tile.length)
		return;
	const bf16 *queries = (const bf16 *)a.qkv + (size_t)(tile.start + tile.first) * a.row + (size_t)h * D;
	const bf16 *keys = (const bf16 *)a.qkv + (size_t)tile.start * a.row + (size_t)(a.NH + h / (a.NH / a.NKV)) * D;
	const bf16 *values = keys + (size_t)a.NKV * D;
	size_t C = (size_t)a.NH * D, row_at = (size_t)(tile.start + tile.first);
	int end = min(tile.first + TILE, tile.length), first = tile.first + row;

	load_tile<D, TILE, THREADS>(q, queries, a.row, tile.length - tile.first);
	load_tile<D, TILE, THREADS>(dout, (const bf16 *)a.dout + row_at * C + (size_t)h * D, C, tile.length - tile.first);
	load_tile<D, TILE, THREADS>(k, keys, a.row, tile.length);
	load_tile<D, TILE, THREADS>(v, values, a.row, tile.length);
	cp_async_commit();
	const struct statistics of = statistics_of(a, tile, h, first);

	for (int key = 0, side = 0; key < end; key += TILE, side = !side) {
		int next = key + TILE;
		float s[1][8][4], dp[1][8][4];

		cp_async_wait<0>();
		__syncthreads();
		if (next < end) {
			load_tile<D, TILE, THREADS>(k + !side * TILE * D, keys + (size_t)next * a.row, a.row, tile.length - next);
			load_tile<D, TILE, THREADS>(v + !side * TILE * D, values + (size_t)next * a.row, a.row, tile.length - next);
			cp_async_commit();
		}
		if (first >= tile.length)
			continue;
		multiply_transposed<D, 1>(s, q, row, k + side * TILE * D);
		multiply_transposed<D, 1>(dp, dout, row, v + side * TILE * D);
		if (DROPOUT)
			drop_keys(a, draw, dp[0], tile.start + first, h, key / TILE, a.keep);
		mask(s[0], first, key);
		score_gradients(s[0], dp[0], of, a.scale * LOG2_E);
		multiply_add<D, 1>(dq, s, k + side * TILE * D);
	}
	const float factor[2] = { a.scale, a.scale };
	bf16 *to = (bf16 *)a.dqkv + (size_t)(tile.start + first) * a.row + (size_t)h * D;

	store_rows<D>(to, a.row, tile.length - first, dq[0], factor, q + row * D);
}

/* ---- keys ---- */

/* What a block has of a tile of queries besides their rows. */
struct query_side {
	float logsum[TILE]; /* to base 2; infinite past the document's end: no probability there */
	float delta[TILE];
	unsigned char kept[TILE][16]; /* bit w of [query][rest]: key w * 16 + rest */
};

template <bool DROPOUT>
static __device__ __forceinline__ void
fill_side(const struct attention &a, const struct draw &draw, const struct tile &tile, int h, int first, struct query_side *side)
{
	int i = (int)threadIdx.x;

	if (i < TILE) {
		bool exists = first + i < tile.length;
		size_t at = (size_t)(tile.start + first + i) * (size_t)a.NH + (size_t)h;

		side->logsum[i] = exists ? a.logsum[at] * LOG2_E : INFINITY;
		side->delta[i] = exists ? a.delta[at] : 0;
	}
	if (DROPOUT) {
		UNROLL
		for (int j = i; j < TILE * 16; j += THREADS)
			side->kept[j / 16][j % 16] =
				(unsigned char)kept_keys(a, draw, tile.start + first + j / 16, h, tile.first / TILE, j % 16);
	}
}

/* s, 16 keys by the queries, becomes what the probabilities are after dropout, and dp the gradients of scores. */
template <bool DROPOUT>
static __device__ __forceinline__ void
transposed_gradients(const struct attention &a, float s[8][4], float dp[8][4], const struct query_side *side)
{
	int lane = (int)(threadIdx.x % 32), g = lane / 4, t = lane % 4 * 2, warp = (int)(threadIdx.x / 32);
	float scale = a.scale * LOG2_E;

	UNROLL
	for (int n = 0; n < 8; n++)
		UNROLL
		for (int r = 0; r < 4; r++) {
			int query = 8 * n + t + r % 2, mine = g + r / 2 * 8;
			float p = exp2_fast(s[n][r] * scale - side->logsum[query]), keep = 1;

			if (DROPOUT)
				keep = side->kept[query][mine] >> warp & 1 ? a.keep : 0;
			s[n][r] = p * keep;
			dp[n][r] = p * (dp[n][r] * keep - side->delta[query]);
		}
}

template <int D>
static constexpr int
key_block_bytes(void)
{
	return 6 * TILE * D * 2 + 2 * (int)sizeof(struct query_side);
}

template <int D, bool DROPOUT>
static __device__ __forceinline__ void
key_block(const struct attention &a, int h)
{
	bf16 *k = (bf16 *)dynamic_shared(), *v = k + TILE * D, *q = v + TILE * D, *dout = q + 2 * TILE * D;
	struct query_side *sides = (struct query_side *)(dout + 2 * TILE * D);
	int row = (int)(threadIdx.x / 32) * 16, group = a.NH / a.NKV;
	struct tile tile = find_tile(a, TILE, (int)blockIdx.x, false);
	const struct draw draw = draw_of<DROPOUT>(a);
	float dk[1][D / 8][4] = {}, dv[1][D / 8][4] = {};

	if (!tile.length)
		return;
	size_t C = (size_t)a.NH * D, own = (size_t)(tile.start + tile.first) * a.row + (size_t)(a.NH + h) * D;
	const bf16 *keys = (const bf16 *)a.qkv + own, *values = keys + (size_t)a.NKV * D;
	int tiles = (tile.length - tile.first + TILE - 1) / TILE, rounds = tiles * group;

	load_tile<D, TILE, THREADS>(k, keys, a.row, tile.length - tile.first);
	load_tile<D, TILE, THREADS>(v, values, a.row, tile.length - tile.first);
	/* A round more than there are: round i loads the queries of round i, and works on those of round i - 1. */
	for (int i = 0; i <= rounds; i++) {
		int loads = i % 2;

		if (i) {
			cp_async_wait<0>();
			__syncthreads();
		}
		if (i < rounds) {
			int head = h * group + i / tiles, first = tile.first + i % tiles * TILE, valid = tile.length - first;
			size_t at = (size_t)(tile.start + first);

			load_tile<D, TILE, THREADS>(q + loads * TILE * D, (const bf16 *)a.qkv + at * a.row + (size_t)head * D, a.row, valid);
			load_tile<D, TILE, THREADS>(dout + loads * TILE * D, (const bf16 *)a.dout + at * C + (size_t)head * D, C, valid);
			cp_async_commit();
			fill_side<DROPOUT>(a, draw, tile, head, first, &sides[loads]);
		}
		if (i && tile.first + row < tile.length) {
			const bf16 *queries = q + !loads * TILE * D, *gradients = dout + !loads * TILE * D;
			float s[1][8][4], dp[1][8][4];

			multiply_transposed<D, 1>(s, k, row, queries);
			multiply_transposed<D, 1>(dp, v, row, gradients);
			mask_transposed(s[0], tile.first + (i - 1) % tiles * TILE, tile.first + row);
			transposed_gradients<DROPOUT>(a, s[0], dp[0], &sides[!loads]);
			multiply_add<D, 1>(dv, s, gradients);
			multiply_add<D, 1>(dk, dp, queries);
		}
	}
	const float factors[2] = { a.scale, a.scale }, ones[2] = { 1, 1 };
	bf16 *to = (bf16 *)a.dqkv + own + (size_t)row * a.row;

	store_rows<D>(to, a.row, tile.length - tile.first - row, dk[0], factors, k + row * D);
	store_rows<D>(to + (size_t)a.NKV * D, a.row, tile.length - tile.first - row, dv[0], ones, v + row * D);
}

/* Heads of keys first: they have more to do. Three blocks share a processor, for which a few registers are spilled. */
template <int D, bool DROPOUT>
static __global__ void __launch_bounds__(THREADS, D < 128 ? 3 : 2)
backward(struct attention a)
{
	int h = (int)blockIdx.y;

	if (h < a.NKV)
		key_block<D, DROPOUT>(a, h);
	else
		query_block<D, DROPOUT>(a, h - a.NKV);
}

template <int D, bool DROPOUT>
static bool
launch_backward(cudaStream_t stream, const struct attention *a)
{
	constexpr int bytes = key_block_bytes<D>();
	size_t threads = (size_t)a->N * (size_t)a->NH * (D / 8);

	cudaFuncSetAttribute(backward<D, DROPOUT>, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
	launch(deltas<D>, (unsigned)((threads + 255) / 256), 256, 0, stream, *a);
	launch(backward<D, DROPOUT>, dim3(tile_blocks(a, TILE), (unsigned)(a->NKV + a->NH)), THREADS, bytes, stream, *a);
	return true;
}

bool
attention_tensor_backward(cudaStream_t stream, const struct attention *a)
{
	if (((uintptr_t)a->qkv | (uintptr_t)a->out_read | (uintptr_t)a->dout | (uintptr_t)a->dqkv) % 16)
		return false;
	switch (a->D) {
	case 32:
		return (a->below ? launch_backward<32, true> : launch_backward<32, false>)(stream, a);
	case 64:
		return (a->below ? launch_backward<64, true> : launch_backward<64, false>)(stream, a);
	case 128:
		return (a->below ? launch_backward<128, true> : launch_backward<128, false>)(stream, a);
	default:
		return false;
	}
}
