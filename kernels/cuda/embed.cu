/* Rows of the embedding and back. */
#include "config.h"

#include "kernels/cuda/cuda.h"
#include "kernels/cuda/numbers.h"

namespace {

enum {
	THREADS = 256,
	WARPS = THREADS / 32,
	WINDOW = 1024, /* ids that a block looks at, at a time */
	TILE = 32 * QUARTER, /* channels that a warp adds up, at a time */
};

/* ---- forward ---- */

__device__ __forceinline__ float
scale_of(const ops_embed &e, int32_t id)
{
	return e.blank && !id ? 0 : (float)e.scale;
}

/* A quarter a thread; rows are a multiple of 64. */
__global__ void __launch_bounds__(THREADS)
forward(ops_embed e, drop d, float *out)
{
	size_t q = (size_t)blockIdx.x * THREADS + threadIdx.x, at = q / 4 * 64 + q % 4 * 4, row = at / e.C, c = at % e.C;
	float x[QUARTER], scale;
	int32_t id;

	if (row >= e.N)
		return;
	id = e.ids[row];
	scale = scale_of(e, id);
	load_quarter((const float *)e.table + (size_t)id * e.C + c, x);
	for (int i = 0; i < QUARTER; i++)
		x[i] = scale == 0 ? 0 : x[i] * scale;
	if (e.positions) {
		float place[QUARTER];

		load_quarter((const float *)e.positions + (size_t)e.places[row] * e.C + c, place);
		for (int i = 0; i < QUARTER; i++)
			x[i] += place[i];
	}
	drop_quarter(d, at, x);
	store_quarter(out + at, x);
}

__global__ void __launch_bounds__(THREADS)
forward_any(ops_embed e, drop d, float *out)
{
	size_t at = (size_t)blockIdx.x * THREADS + threadIdx.x, row = at / e.C, c = at % e.C;
	float x = 0, scale;

	if (row >= e.N)
		return;
	scale = scale_of(e, e.ids[row]);
	if (scale != 0)
		x = ((const float *)e.table)[(size_t)e.ids[row] * e.C + c] * scale;
	if (e.positions)
		x += ((const float *)e.positions)[(size_t)e.places[row] * e.C + c];
	out[at] = x * drop_one(d, at);
}

/* ---- backward ----
 *
 * All rows of dout with the same key (id, or place) are added to one row of the result. A block for each of them: the first with its key
 * looks for the others and adds them up, in their order; the blocks of the others have nothing to do. */

struct gather {
	size_t N, C;
	const int32_t *keys;
	const float *dout;
	float *to;
	float scale;
	bool blank; /* key 0 is left alone */
};

/* Whether an earlier row has this key. The same for all threads. */
__device__ bool
came_before(const int32_t *keys, size_t row, int32_t key, int *shared)
{
	for (size_t base = 0; base < row; base += WINDOW) {
		bool found = false;

		for (size_t j = base + threadIdx.x; j < base + WINDOW && j < row; j += THREADS)
			found = found || keys[j] == key;
		if (threadIdx.x == 0)
			*shared = 0;
		__syncthreads();
		if (found)
			*shared = 1; /* whoever writes it writes the same */
		__syncthreads();
		found = *shared;
		__syncthreads();
		if (found)
			return true;
	}
	return false;
}

/* The rows of one window that have the key, in order, into `list`; how many. The same for all threads. */
__device__ unsigned
find_rows(const gather &g, size_t base, int32_t key, unsigned *list, unsigned *counts)
{
	unsigned warp = threadIdx.x / 32, lane = threadIdx.x % 32, votes[WINDOW / THREADS], mine = 0, before = 0, all = 0;

	for (int k = 0; k < WINDOW / THREADS; k++) {
		size_t j = base + warp * (WINDOW / WARPS) + (unsigned)k * 32 + lane;

		votes[k] = __ballot_sync(FULL_WARP, j < g.N && g.keys[j] == key);
		mine += (unsigned)__popc(votes[k]);
	}
	if (lane == 0)
		counts[warp] = mine;
	__syncthreads();
	for (unsigned w = 0; w < WARPS; w++) {
		before += w < warp ? counts[w] : 0;
		all += counts[w];
	}
	for (int k = 0; k < WINDOW / THREADS; k++) {
		if (votes[k] >> lane & 1)
			list[before + (unsigned)__popc(votes[k] & ((1u << lane) - 1))] = warp * (WINDOW / WARPS) + (unsigned)k * 32 + lane;
		before += (unsigned)__popc(votes[k]);
	}
	__syncthreads();
	return all;
}

/* Adds some channels of a row of dout to x. */
template <bool ALIGNED>
__device__ __forceinline__ void
add_row(const gather &g, const drop &d, size_t row, size_t c, float x[QUARTER])
{
	size_t e = row * g.C + c;

	if constexpr (ALIGNED) {
		float y[QUARTER];

		load_quarter(g.dout + e, y);
		drop_quarter(d, e, y);
		for (int i = 0; i < QUARTER; i++)
			x[i] += y[i];
	} else {
		for (unsigned i = 0; i < QUARTER; i++) {
			unsigned further = i / 4 * 16 + i % 4;

			if (c + further < g.C)
				x[i] += g.dout[e + further] * drop_one(d, e + further);
		}
	}
}

template <bool ALIGNED>
__global__ void __launch_bounds__(THREADS)
backward(gather g, drop d)
{
	SHARED(float, sums, [WARPS][TILE]);
	SHARED(unsigned, list, [WINDOW]);
	SHARED(unsigned, counts, [WARPS]);
	SHARED(int, found, [1]);
	size_t first = blockIdx.x;
	int32_t key = g.keys[first];
	unsigned warp = threadIdx.x / 32, lane = threadIdx.x % 32;

	if ((g.blank && !key) || came_before(g.keys, first, key, found))
		return;
	for (size_t tile = 0; tile < g.C; tile += TILE) {
		unsigned in_tile = lane / 4 * 64 + lane % 4 * 4, n = 0;
		float x[QUARTER] = {};

		for (size_t base = first / WINDOW * WINDOW; base < g.N; base += WINDOW) {
			unsigned rows = find_rows(g, base, key, list, counts);

			/* Turns go on over windows, so that each warp gets its share. */
			for (unsigned i = (warp + WARPS - n % WARPS) % WARPS; i < rows; i += WARPS)
				if (tile + in_tile < g.C)
					add_row<ALIGNED>(g, d, base + list[i], tile + in_tile, x);
			n += rows;
			__syncthreads();
		}
		store_quarter(&sums[warp][in_tile], x);
		__syncthreads();
		for (unsigned i = threadIdx.x; i < TILE && tile + i < g.C; i += THREADS) {
			float sum = 0;

			for (int w = 0; w < WARPS; w++)
				sum += sums[w][i];
			g.to[(size_t)key * g.C + tile + i] += sum * g.scale;
		}
		__syncthreads();
	}
}

void
run_backward(cuda *c, const ops_embed *e, const int32_t *keys, float scale, bool blank, const float *dout, float *to)
{
	gather g = { e->N, e->C, keys, dout, to, scale, blank };
	bool aligned = e->C % 64 == 0 && cuda_aligned(dout, 16);

	if (e->N)
		launch(aligned ? backward<true> : backward<false>, (unsigned)e->N, THREADS, 0, c->stream, g, drop_of(&e->dropout));
}

} // namespace

void
cuda_embed_forward(struct cuda *c, const struct ops_embed *e, void *out)
{
	bool aligned = e->C % 64 == 0 && cuda_aligned(e->table, 16) && cuda_aligned(e->positions, 16) && cuda_aligned(out, 16);

	if (!e->N)
		return;
	launch(aligned ? forward : forward_any, cuda_blocks(aligned ? e->N * e->C / QUARTER : e->N * e->C, THREADS), THREADS, 0, c->stream, *e,
		drop_of(&e->dropout), (float *)out);
}

void
cuda_embed_backward(struct cuda *c, const struct ops_embed *e, const void *dout, void *dtable, void *dpositions)
{
	run_backward(c, e, e->ids, (float)e->scale, e->blank, (const float *)dout, (float *)dtable);
	if (dpositions)
		run_backward(c, e, e->places, 1, false, (const float *)dout, (float *)dpositions);
}
