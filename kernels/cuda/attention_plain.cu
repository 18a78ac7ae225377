#include "kernels/cuda/attention.cuh"

/* Attention without tensor cores: in single precision, and for heads of any size up to OPS_HEAD_MAX. A block of four warps has OWN rows of
 * one head of one document, and goes through the OTHER rows that matter to them. For scores each lane has one of the other rows, for
 * results every 32nd channel. */

constexpr int OWN = 16, OTHER = 32, THREADS = 128, EACH = OWN / 4 /* rows of a warp */, CHANNELS = OPS_HEAD_MAX / 32 /* of a lane */;

/* Rows of a head, as single precision in shared memory; past `valid` rows zeros. */
template <typename real>
static __device__ __forceinline__ void
load_rows(float *to, int stride, const real *from, size_t row, int rows, int valid, int D)
{
	for (int i = (int)threadIdx.x; i < rows * D; i += THREADS)
		to[i / D * stride + i % D] = i / D < valid ? to_float(from[(size_t)(i / D) * row + (size_t)(i % D)]) : 0;
}

static __device__ __forceinline__ float
dot(const float *x, const float *y, int D)
{
	float sum = 0;

	for (int c = 0; c < D; c++)
		sum = fmaf(x[c], y[c], sum);
	return sum;
}

/* sums += the weights of OTHER rows times these rows. */
static __device__ __forceinline__ void
add_rows(float sums[CHANNELS], const float *weights, const float *rows, int D)
{
	int lane = (int)(threadIdx.x % 32);

	UNROLL
	for (int c = 0; c < CHANNELS; c++)
		for (int i = 0; lane + 32 * c < D && i < OTHER; i++)
			sums[c] = fmaf(weights[i], rows[i * (D + 1) + lane + 32 * c], sums[c]);
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

/* Shared memory: own rows of two kinds, other rows of two kinds, a warp's weights of two kinds. */
struct room {
	float *own[2], *other[2], *weights[2];
};

static __device__ __forceinline__ struct room
room_of(int D)
{
	float *at = (float *)dynamic_shared();
	struct room ret;

	ret.own[0] = at;
	ret.own[1] = ret.own[0] + OWN * D;
	ret.other[0] = ret.own[1] + OWN * D;
	ret.other[1] = ret.other[0] + OTHER * (D + 1);
	ret.weights[0] = ret.other[1] + OTHER * (D + 1) + threadIdx.x / 32 * 2 * OTHER;
	ret.weights[1] = ret.weights[0] + OTHER;
	return ret;
}

static inline size_t
room_bytes(int D)
{
	return (size_t)(2 * OWN * D + 2 * OTHER * (D + 1) + 4 * 2 * OTHER) * sizeof(float);
}

/* ---- forward ---- */

struct row {
	float max, sum /* of this lane's keys */, out[CHANNELS];
};

/* A row of queries meets the keys from `key` on. */
static __device__ __forceinline__ void
meet(const struct attention &a, const struct draw &draw, struct row &r, const struct room &room, const float *query, const struct tile &tile,
	int h, int i, int key)
{
	int mine = key + (int)(threadIdx.x % 32);
	float s = mine <= i ? dot(query, room.other[0] + (mine - key) * (a.D + 1), a.D) * a.scale : -INFINITY;
	float max = fmaxf(r.max, warp_max(s)), shrink = expf(r.max - max), p = expf(s - max);

	r.max = max;
	r.sum = r.sum * shrink + p;
	UNROLL
	for (int c = 0; c < CHANNELS; c++)
		r.out[c] *= shrink;
	room.weights[0][mine - key] = p * keep_of(a, draw, tile.start + i, h, mine);
	__syncwarp();
	add_rows(r.out, room.weights[0], room.other[1], a.D);
	__syncwarp();
}

template <typename real>
static __global__ void __launch_bounds__(THREADS)
forward(struct attention a)
{
	const struct room room = room_of(a.D);
	int h = (int)blockIdx.y, own = (int)(threadIdx.x / 32) * EACH;
	struct tile tile = find_tile(a, OWN, (int)blockIdx.x, true);
	const struct draw draw = a.below ? draw_of<true>(a) : draw_of<false>(a);
	struct row rows[EACH];

	if (!tile.length)
		return;
	const real *queries = (const real *)a.qkv + (size_t)(tile.start + tile.first) * a.row + (size_t)(h * a.D);
	const real *keys = (const real *)a.qkv + (size_t)tile.start * a.row + (size_t)((a.NH + h / (a.NH / a.NKV)) * a.D);
	int end = min(tile.first + OWN, tile.length);

	UNROLL
	for (int r = 0; r < EACH; r++)
		rows[r] = { -INFINITY, 0, {} };
	load_rows(room.own[0], a.D, queries, a.row, OWN, tile.length - tile.first, a.D);
	for (int key = 0; key < end; key += OTHER) {
		const real *from = keys + (size_t)key * a.row;

		__syncthreads();
		load_rows(room.other[0], a.D + 1, from, a.row, OTHER, tile.length - key, a.D);
		load_rows(room.other[1], a.D + 1, from + a.NKV * a.D, a.row, OTHER, tile.length - key, a.D);
		__syncthreads();
		UNROLL
		for (int r = 0; r < EACH; r++)
			if (key <= tile.first + own + r)
				meet(a, draw, rows[r], room, room.own[0] + (own + r) * a.D, tile, h, tile.first + own + r, key);
	}
	UNROLL
	for (int r = 0; r < EACH; r++) {
		int i = tile.first + own + r;
		size_t at = (size_t)(tile.start + i) * (size_t)a.NH + (size_t)h;
		float sum = warp_sum(rows[r].sum);

		if (i >= tile.length)
			continue;
		store_row((real *)a.out + at * (size_t)a.D, rows[r].out, 1 / sum, a.D);
		if (threadIdx.x % 32 == 0)
			a.logsum[at] = rows[r].max + logf(sum);
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
	int own = (int)(threadIdx.x / 32) * EACH, lane = (int)(threadIdx.x % 32);
	float dq[EACH][CHANNELS] = {};

	if (!tile.length)
		return;
	size_t at = (size_t)(tile.start + tile.first), C = (size_t)(a.NH * a.D);
	const real *keys = (const real *)a.qkv + (size_t)tile.start * a.row + (size_t)((a.NH + h / (a.NH / a.NKV)) * a.D);
	int end = min(tile.first + OWN, tile.length);

	load_rows(room.own[0], a.D, (const real *)a.qkv + at * a.row + (size_t)(h * a.D), a.row, OWN, tile.length - tile.first, a.D);
	load_rows(room.own[1], a.D, (const real *)a.dout + at * C + (size_t)(h * a.D), C, OWN, tile.length - tile.first, a.D);
	for (int key = 0; key < end; key += OTHER) {
		const real *from = keys + (size_t)key * a.row;

		__syncthreads();
		load_rows(room.other[0], a.D + 1, from, a.row, OTHER, tile.length - key, a.D);
		load_rows(room.other[1], a.D + 1, from + a.NKV * a.D, a.row, OTHER, tile.length - key, a.D);
		__syncthreads();
		UNROLL
		for (int r = 0; r < EACH; r++) {
			float s = dot(room.own[0] + (own + r) * a.D, room.other[0] + lane * (a.D + 1), a.D), p;
			float dp = dot(room.own[1] + (own + r) * a.D, room.other[1] + lane * (a.D + 1), a.D);

			gradients(a, draw, tile, h, tile.first + own + r, key + lane, s, dp, &p, &room.weights[0][lane]);
			__syncwarp();
			add_rows(dq[r], room.weights[0], room.other[0], a.D);
			__syncwarp();
		}
	}
	UNROLL
	for (int r = 0; r < EACH; r++)
		if (tile.first + own + r < tile.length)
			store_row((real *)a.dqkv + (at + (size_t)(own + r)) * a.row + (size_t)(h * a.D), dq[r], 1, a.D);
}

template <typename real>
static __device__ __forceinline__ void
key_block(const struct attention &a, const struct draw &draw, const struct room &room, int h)
{
	struct tile tile = find_tile(a, OWN, (int)blockIdx.x, false);
	int own = (int)(threadIdx.x / 32) * EACH, lane = (int)(threadIdx.x % 32), group = a.NH / a.NKV;
	float dk[EACH][CHANNELS] = {}, dv[EACH][CHANNELS] = {};

	if (!tile.length)
		return;
	size_t mine = (size_t)(tile.start + tile.first) * a.row + (size_t)((a.NH + h) * a.D), C = (size_t)(a.NH * a.D);
	int steps = (tile.length - tile.first + OTHER - 1) / OTHER;

	load_rows(room.own[0], a.D, (const real *)a.qkv + mine, a.row, OWN, tile.length - tile.first, a.D);
	load_rows(room.own[1], a.D, (const real *)a.qkv + mine + a.NKV * a.D, a.row, OWN, tile.length - tile.first, a.D);
	for (int i = 0; i < steps * group; i++) {
		int head = h * group + i / steps, query = tile.first + i % steps * OTHER;
		size_t at = (size_t)(tile.start + query);

		__syncthreads();
		load_rows(room.other[0], a.D + 1, (const real *)a.qkv + at * a.row + (size_t)(head * a.D), a.row, OTHER, tile.length - query, a.D);
		load_rows(room.other[1], a.D + 1, (const real *)a.dout + at * C + (size_t)(head * a.D), C, OTHER, tile.length - query, a.D);
		__syncthreads();
		UNROLL
		for (int r = 0; r < EACH; r++) {
			float s = dot(room.own[0] + (own + r) * a.D, room.other[0] + lane * (a.D + 1), a.D);
			float dp = dot(room.own[1] + (own + r) * a.D, room.other[1] + lane * (a.D + 1), a.D);

			gradients(a, draw, tile, head, query + lane, tile.first + own + r, s, dp, &room.weights[0][lane], &room.weights[1][lane]);
			__syncwarp();
			add_rows(dv[r], room.weights[0], room.other[1], a.D);
			add_rows(dk[r], room.weights[1], room.other[0], a.D);
			__syncwarp();
		}
	}
	UNROLL
	for (int r = 0; r < EACH; r++)
		if (tile.first + own + r < tile.length) {
			real *to = (real *)a.dqkv + mine + (size_t)(own + r) * a.row;

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
	cudaFuncSetAttribute(forward<real>, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)room_bytes(OPS_HEAD_MAX));
	launch(forward<real>, dim3(tile_blocks(a, OWN), (unsigned)a->NH), THREADS, room_bytes(a->D), stream, *a);
}

template <typename real>
static void
launch_backward(cudaStream_t stream, const struct attention *a)
{
	unsigned pairs = (unsigned)a->N * (unsigned)a->NH;

	cudaFuncSetAttribute(backward<real>, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)room_bytes(OPS_HEAD_MAX));
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
