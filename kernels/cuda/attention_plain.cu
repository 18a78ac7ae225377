#include "kernels/cuda/attention.cuh"

/* Attention without tensor cores: in single precision, and for heads of any size up to OPS_HEAD_MAX. A block of four warps has OWN rows of
 * one head of one document, four a warp, and goes through the OTHER rows that matter to them. For scores each lane has one of the other
 * rows, for results every 32nd channel; what is read of the other rows serves all four. */

constexpr int OWN = 16, OTHER = 32, THREADS = 128, CHANNELS = OPS_HEAD_MAX / 32 /* of a lane */;

/* Rows of a head, as single precision in shared memory; past `valid` rows zeros. */
template <typename real>
static __device__ __forceinline__ void
load_other(float *to, const real *from, size_t row, int valid, int D)
{
	for (int i = (int)threadIdx.x; i < OTHER * D; i += THREADS)
		to[i / D * (D + 1) + i % D] = i / D < valid ? to_float(from[(size_t)(i / D) * row + (size_t)(i % D)]) : 0;
}

/* The same channel of a warp's four rows side by side. */
template <typename real>
static __device__ __forceinline__ void
load_own(float4 *to, const real *from, size_t row, int valid, int D)
{
	for (int i = (int)threadIdx.x; i < OWN * D; i += THREADS) {
		int r = i / D, c = i % D;

		((float *)(to + r / 4 * D + c))[r % 4] = r < valid ? to_float(from[(size_t)r * row + (size_t)c]) : 0;
	}
}

/* Four products of a warp's rows with this lane's one of the others. */
static __device__ __forceinline__ void
dots(float ret[4], const float4 *own, const float *other, int D)
{
	UNROLL
	for (int r = 0; r < 4; r++)
		ret[r] = 0;
	for (int c = 0; c < D; c++) {
		float4 x = own[c];
		float y = other[c];

		ret[0] = fmaf(x.x, y, ret[0]);
		ret[1] = fmaf(x.y, y, ret[1]);
		ret[2] = fmaf(x.z, y, ret[2]);
		ret[3] = fmaf(x.w, y, ret[3]);
	}
}

/* sums += the weights of OTHER rows, of each of the four, times these rows. */
static __device__ __forceinline__ void
add_rows(float sums[4][CHANNELS], const float4 *weights, const float *rows, int D)
{
	int lane = (int)(threadIdx.x % 32);

	UNROLL
	for (int c = 0; c < CHANNELS; c++)
		for (int i = 0; lane + 32 * c < D && i < OTHER; i++) {
			float4 w = weights[i];
			float x = rows[i * (D + 1) + lane + 32 * c];

			sums[0][c] = fmaf(w.x, x, sums[0][c]);
			sums[1][c] = fmaf(w.y, x, sums[1][c]);
			sums[2][c] = fmaf(w.z, x, sums[2][c]);
			sums[3][c] = fmaf(w.w, x, sums[3][c]);
		}
}

template <typename real>
static __device__ __forceinline__ void
store_row(real *to, const float sums[CHANNELS], float factor, int D)
{
	int lane = (int)(threadIdx.x % 32);

	UNROLL
	for (int c = 0; c < CHANNELS; c++)
		if (lane + 32 * c < D)
			store(to + lane + 32 * c, sums[c] * factor);
}

/* What the probability of a key is multiplied with. */
static __device__ __forceinline__ float
keep_of(const struct attention &a, const struct draw &draw, int i, int h, int key)
{
	if (!a.below)
		return 1;
	return ops_random(draw.seed, draw.step, a.site, ops_attention_element((uint64_t)i, (uint64_t)a.NH, (uint64_t)h, (uint64_t)key)) <
		a.below ? 0 : a.keep;
}

/* Shared memory: own rows of two kinds, this warp's weights, the other rows of two kinds. With OPS_HEAD_MAX channels not more than the 99 KiB
 * that the smaller chips have. */
struct room {
	float4 *own[2], *weights;
	float *other[2];
};

static __device__ __forceinline__ struct room
room_of(int D)
{
	float4 *at = (float4 *)dynamic_shared();
	struct room ret;

	ret.own[0] = at;
	ret.own[1] = ret.own[0] + OWN / 4 * D;
	ret.weights = ret.own[1] + OWN / 4 * D + threadIdx.x / 32 * OTHER;
	ret.other[0] = (float *)(ret.own[1] + OWN / 4 * D + THREADS / 32 * OTHER);
	ret.other[1] = ret.other[0] + OTHER * (D + 1);
	return ret;
}

static inline size_t
room_bytes(int D)
{
	return (size_t)(2 * OWN * D + 4 * THREADS / 32 * OTHER + 2 * OTHER * (D + 1)) * sizeof(float);
}

/* ---- forward ---- */

/* What a warp has of its rows. */
struct rows {
	float max[4], sum[4] /* of this lane's keys */, out[4][CHANNELS];
};

/* Rows of queries from `first` on meet the keys from `key` on. */
static __device__ __forceinline__ void
meet(const struct attention &a, const struct draw &draw, struct rows &rows, const struct room &room, const float4 *queries,
	const struct tile &tile, int h, int first, int key)
{
	int lane = (int)(threadIdx.x % 32), mine = key + lane;
	float s[4];

	dots(s, queries, room.other[0] + lane * (a.D + 1), a.D);
	UNROLL
	for (int r = 0; r < 4; r++) {
		float score = mine <= first + r ? s[r] * a.scale : -INFINITY;
		float max = fmaxf(rows.max[r], warp_max(score)), shrink = expf(rows.max[r] - max), p = expf(score - max);

		rows.max[r] = max;
		rows.sum[r] = rows.sum[r] * shrink + p;
		UNROLL
		for (int c = 0; c < CHANNELS; c++)
			rows.out[r][c] *= shrink;
		s[r] = p > 0 ? p * keep_of(a, draw, tile.start + first + r, h, mine) : 0;
	}
	room.weights[lane] = make_float4(s[0], s[1], s[2], s[3]);
	__syncwarp();
	add_rows(rows.out, room.weights, room.other[1], a.D);
	__syncwarp();
}

template <typename real>
static __global__ void __launch_bounds__(THREADS)
forward(struct attention a)
{
	const struct room room = room_of(a.D);
	int h = (int)blockIdx.y, warp = (int)(threadIdx.x / 32);
	struct tile tile = find_tile(a, OWN, (int)blockIdx.x, true);
	const struct draw draw = a.below ? draw_of<true>(a) : draw_of<false>(a);
	struct rows rows = { { -INFINITY, -INFINITY, -INFINITY, -INFINITY }, {}, {} };

	if (!tile.length)
		return;
	const real *queries = (const real *)a.qkv + (size_t)(tile.start + tile.first) * a.row + (size_t)(h * a.D);
	const real *keys = (const real *)a.qkv + (size_t)tile.start * a.row + (size_t)((a.NH + h / (a.NH / a.NKV)) * a.D);
	int end = min(tile.first + OWN, tile.length), first = tile.first + 4 * warp;

	load_own(room.own[0], queries, a.row, tile.length - tile.first, a.D);
	for (int key = 0; key < end; key += OTHER) {
		const real *from = keys + (size_t)key * a.row;

		__syncthreads();
		load_other(room.other[0], from, a.row, tile.length - key, a.D);
		load_other(room.other[1], from + a.NKV * a.D, a.row, tile.length - key, a.D);
		__syncthreads();
		meet(a, draw, rows, room, room.own[0] + warp * a.D, tile, h, first, key);
	}
	UNROLL
	for (int r = 0; r < 4; r++) {
		size_t at = (size_t)(tile.start + first + r) * (size_t)a.NH + (size_t)h;
		float sum = warp_sum(rows.sum[r]);

		if (first + r >= tile.length)
			continue;
		store_row((real *)a.out + at * (size_t)a.D, rows.out[r], 1 / sum, a.D);
		if (threadIdx.x % 32 == 0)
			a.logsum[at] = rows.max[r] + logf(sum);
	}
}

/* ---- backward ---- */

template <typename real>
static __global__ void __launch_bounds__(THREADS)
deltas(struct attention a)
{
	size_t at = ((size_t)blockIdx.x * THREADS + threadIdx.x) / 32, first = at * (size_t)a.D;
	float sum = 0;

	if (at >= (size_t)a.N * (size_t)a.NH)
		return;
	for (size_t c = threadIdx.x % 32; c < (size_t)a.D; c += 32)
		sum = fmaf(to_float(((const real *)a.out_read)[first + c]), to_float(((const real *)a.dout)[first + c]), sum);
	sum = warp_sum(sum);
	if (threadIdx.x % 32 == 0)
		a.delta[at] = sum;
}

/* Of query i and a key of a document: what the probability is after dropout, and the gradient of the score. */
static __device__ __forceinline__ void
gradients(const struct attention &a, const struct draw &draw, const struct tile &tile, int h, int i, int key, float s, float dp, float *ret_p,
	float *ret_ds)
{
	size_t at = (size_t)(tile.start + i) * (size_t)a.NH + (size_t)h;
	bool seen = i < tile.length && key <= i;
	float p = seen ? expf(s * a.scale - a.logsum[at]) : 0, keep = seen ? keep_of(a, draw, tile.start + i, h, key) : 0;

	*ret_p = p * keep;
	*ret_ds = seen ? p * (dp * keep - a.delta[at]) * a.scale : 0;
}

template <typename real>
static __device__ __forceinline__ void
query_block(const struct attention &a, const struct draw &draw, const struct room &room, int h)
{
	struct tile tile = find_tile(a, OWN, (int)blockIdx.x, true);
	int warp = (int)(threadIdx.x / 32), lane = (int)(threadIdx.x % 32);
	float dq[4][CHANNELS] = {};

	if (!tile.length)
		return;
	size_t at = (size_t)(tile.start + tile.first), C = (size_t)(a.NH * a.D);
	const real *keys = (const real *)a.qkv + (size_t)tile.start * a.row + (size_t)((a.NH + h / (a.NH / a.NKV)) * a.D);
	int end = min(tile.first + OWN, tile.length), first = tile.first + 4 * warp;

	load_own(room.own[0], (const real *)a.qkv + at * a.row + (size_t)(h * a.D), a.row, tile.length - tile.first, a.D);
	load_own(room.own[1], (const real *)a.dout + at * C + (size_t)(h * a.D), C, tile.length - tile.first, a.D);
	for (int key = 0; key < end; key += OTHER) {
		const real *from = keys + (size_t)key * a.row;
		float s[4], dp[4], ds[4], p;

		__syncthreads();
		load_other(room.other[0], from, a.row, tile.length - key, a.D);
		load_other(room.other[1], from + a.NKV * a.D, a.row, tile.length - key, a.D);
		__syncthreads();
		dots(s, room.own[0] + warp * a.D, room.other[0] + lane * (a.D + 1), a.D);
		dots(dp, room.own[1] + warp * a.D, room.other[1] + lane * (a.D + 1), a.D);
		UNROLL
		for (int r = 0; r < 4; r++)
			gradients(a, draw, tile, h, first + r, key + lane, s[r], dp[r], &p, &ds[r]);
		room.weights[lane] = make_float4(ds[0], ds[1], ds[2], ds[3]);
		__syncwarp();
		add_rows(dq, room.weights, room.other[0], a.D);
	}
	UNROLL
	for (int r = 0; r < 4; r++)
		if (first + r < tile.length)
			store_row((real *)a.dqkv + (size_t)(tile.start + first + r) * a.row + (size_t)(h * a.D), dq[r], 1, a.D);
}

template <typename real>
static __device__ __forceinline__ void
key_block(const struct attention &a, const struct draw &draw, const struct room &room, int h)
{
	struct tile tile = find_tile(a, OWN, (int)blockIdx.x, false);
	int warp = (int)(threadIdx.x / 32), lane = (int)(threadIdx.x % 32), group = a.NH / a.NKV;
	float dk[4][CHANNELS] = {}, dv[4][CHANNELS] = {};

	if (!tile.length)
		return;
	size_t mine = (size_t)(tile.start + tile.first) * a.row + (size_t)((a.NH + h) * a.D), C = (size_t)(a.NH * a.D);
	int steps = (tile.length - tile.first + OTHER - 1) / OTHER, first = tile.first + 4 * warp;

	load_own(room.own[0], (const real *)a.qkv + mine, a.row, tile.length - tile.first, a.D);
	load_own(room.own[1], (const real *)a.qkv + mine + a.NKV * a.D, a.row, tile.length - tile.first, a.D);
	for (int i = 0; i < steps * group; i++) {
		int head = h * group + i / steps, query = tile.first + i % steps * OTHER;
		size_t at = (size_t)(tile.start + query);
		float s[4], dp[4], p[4], ds[4];

		__syncthreads();
		load_other(room.other[0], (const real *)a.qkv + at * a.row + (size_t)(head * a.D), a.row, tile.length - query, a.D);
		load_other(room.other[1], (const real *)a.dout + at * C + (size_t)(head * a.D), C, tile.length - query, a.D);
		__syncthreads();
		dots(s, room.own[0] + warp * a.D, room.other[0] + lane * (a.D + 1), a.D);
		dots(dp, room.own[1] + warp * a.D, room.other[1] + lane * (a.D + 1), a.D);
		UNROLL
		for (int r = 0; r < 4; r++)
			gradients(a, draw, tile, head, query + lane, first + r, s[r], dp[r], &p[r], &ds[r]);
		room.weights[lane] = make_float4(p[0], p[1], p[2], p[3]);
		__syncwarp();
		add_rows(dv, room.weights, room.other[1], a.D);
		__syncwarp();
		room.weights[lane] = make_float4(ds[0], ds[1], ds[2], ds[3]);
		__syncwarp();
		add_rows(dk, room.weights, room.other[0], a.D);
	}
	UNROLL
	for (int r = 0; r < 4; r++)
		if (first + r < tile.length) {
			real *to = (real *)a.dqkv + mine + (size_t)(4 * warp + r) * a.row;

			store_row(to, dk[r], 1, a.D);
			store_row(to + a.NKV * a.D, dv[r], 1, a.D);
		}
}

template <typename real>
static __global__ void __launch_bounds__(THREADS)
backward(struct attention a)
{
	const struct room room = room_of(a.D);
	const struct draw draw = a.below ? draw_of<true>(a) : draw_of<false>(a);

	if ((int)blockIdx.y < a.NKV)
		key_block<real>(a, draw, room, (int)blockIdx.y);
	else
		query_block<real>(a, draw, room, (int)blockIdx.y - a.NKV);
}

/* ---- launches ---- */

template <typename real>
static void
launch_forward(cudaStream_t stream, const struct attention *a)
{
	cudaFuncSetAttribute(forward<real>, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)room_bytes(a->D));
	launch(forward<real>, dim3(tile_blocks(a, OWN), (unsigned)a->NH), THREADS, room_bytes(a->D), stream, *a);
}

template <typename real>
static void
launch_backward(cudaStream_t stream, const struct attention *a)
{
	unsigned pairs = (unsigned)a->N * (unsigned)a->NH;

	cudaFuncSetAttribute(backward<real>, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)room_bytes(a->D));
	launch(deltas<real>, (pairs + 3) / 4, THREADS, 0, stream, *a);
	launch(backward<real>, dim3(tile_blocks(a, OWN), (unsigned)(a->NKV + a->NH)), THREADS, room_bytes(a->D), stream, *a);
}

void
attention_plain_forward(cudaStream_t stream, const struct attention *a, bool narrow)
{
	(narrow ? launch_forward<bf16> : launch_forward<float>)(stream, a);
}

void
attention_plain_backward(cudaStream_t stream, const struct attention *a, bool narrow)
{
	(narrow ? launch_backward<bf16> : launch_backward<float>)(stream, a);
}
