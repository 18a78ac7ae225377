/* What the kernels of attention share: which rows a block works on, random bits of probabilities, tiles of bfloat16 in shared memory and
 * their fragments. */
#ifndef KERNELS_CUDA_ATTENTION_CUH
#define KERNELS_CUDA_ATTENTION_CUH

#include "kernels/cuda/attention.h"

constexpr float LOG2_E = 1.4426950408889634f, LN_2 = 0.6931471805599453f;

/* ---- documents in tiles ----
 *
 * Document d's tiles of M rows have the numbers from starts[d] / M + d on. That many lie before them at most, for a document of n rows
 * that begins at row s has at most (s + n) / M - s / M + 1 tiles: so a block finds its tile in `starts` alone, and some blocks, at most
 * one a document, find none. */
struct tile {
	int start, length; /* the document's; length 0: there is no such tile */
	int first; /* row of the document */
};

static inline unsigned
tile_blocks(const struct attention *a, int M)
{
	return (unsigned)(a->N / M + a->documents);
}

/* All lanes of a warp come. `last_first`: the tiles of a document in the opposite order, for those with the most work to begin first. */
static __device__ __forceinline__ struct tile
find_tile(const struct attention &a, int M, int block, bool last_first)
{
	int low = 0, high = a.documents, lane = (int)(threadIdx.x % 32);
	struct tile ret = { 0, 0, 0 };

	while (high - low > 1) {
		int step = (high - low + 31) / 32, at = low + lane * step;
		unsigned before = __ballot_sync(FULL_WARP, at < high && a.starts[at] / M + at <= block);

		low += (__popc(before) - 1) * step;
		high = min(high, low + step);
	}
	int number = block - (a.starts[low] / M + low), length = a.starts[low + 1] - a.starts[low], tiles = (length + M - 1) / M;

	if (number < tiles) {
		ret.start = a.starts[low];
		ret.length = length;
		ret.first = (last_first ? tiles - 1 - number : number) * M;
	}
	return ret;
}

/* ---- dropout ---- */

struct draw {
	uint64_t seed;
	uint32_t step;
};

template <bool DROPOUT>
static __device__ __forceinline__ struct draw
draw_of(const struct attention &a)
{
	struct draw ret = { 0, 0 };

	if (DROPOUT)
		ret = { a.step->seed, (uint32_t)a.step->step };
	return ret;
}

/* Row i of the batch in head h. Bit w of what comes is 0 where key tile * 64 + w * 16 + rest of the document is dropped. */
static __device__ __forceinline__ unsigned
kept_keys(const struct attention &a, const struct draw &draw, int i, int h, int tile, int rest)
{
	uint64_t block = ops_attention_element((uint64_t)i, (uint64_t)a.NH, (uint64_t)h, (uint64_t)tile * 64) / 4 + (uint64_t)rest;
	uint32_t counter[4] = { (uint32_t)block, (uint32_t)(block >> 32), a.site, draw.step }, words[4];

	ops_philox(counter, draw.seed, words);
	return (words[0] >= a.below ? 1u : 0) | (words[1] >= a.below ? 2u : 0) | (words[2] >= a.below ? 4u : 0) |
		(words[3] >= a.below ? 8u : 0);
}

/* What is kept of a result of 16 queries from row i of the batch on, by 64 keys, is multiplied with `factor`. */
static __device__ __forceinline__ void
drop_keys(const struct attention &a, const struct draw &draw, float s[8][4], int i, int h, int tile, float factor)
{
	int lane = (int)(threadIdx.x % 32), g = lane / 4, t = lane % 4 * 2;

	UNROLL
	for (int half = 0; half < 2; half++)
		UNROLL
		for (int c = 0; c < 4; c++) {
			unsigned kept = kept_keys(a, draw, i + g + 8 * half, h, tile, c / 2 * 8 + t + c % 2);

			UNROLL
			for (int w = 0; w < 4; w++)
				s[2 * w + c / 2][2 * half + c % 2] *= kept >> w & 1 ? factor : 0;
		}
}

/* ---- tiles of bfloat16: rows of D, in pieces of 16 bytes ---- */

/* Where piece `piece` of a row lies: so that the same piece of eight rows falls into different banks. */
template <int D>
static __device__ __forceinline__ int
place(int row, int piece)
{
	return row * D + (D == 32 ? piece ^ (row >> 1 & 3) : piece ^ (row & 7)) * 8;
}

/* Begins to copy rows 0 to ROWS of `from`, `stride` apart, by THREADS threads; past `valid` rows zeros. */
template <int D, int ROWS, int THREADS>
static __device__ __forceinline__ void
load_tile(bf16 *tile, const bf16 *from, size_t stride, int valid)
{
	UNROLL
	for (int i = (int)threadIdx.x; i < ROWS * D / 8; i += THREADS) {
		int row = i / (D / 8), piece = i % (D / 8);

		cp_async16(tile + place<D>(row, piece), from + (row < valid ? (size_t)row * stride : 0) + piece * 8, row < valid);
	}
}

/* The left factor: rows row to row + 16, channels 16 k to 16 k + 16. */
template <int D>
static __device__ __forceinline__ void
left_fragment(unsigned ret[4], const bf16 *tile, int row, int k)
{
	int lane = (int)(threadIdx.x % 32);

	ldmatrix4(ret, tile + place<D>(row + lane % 16, 2 * k + lane / 16));
}

/* The right factor is the tile transposed: (channels 16 k to 16 k + 16) by (rows row to row + 8), then by the next 8 rows. */
template <int D>
static __device__ __forceinline__ void
right_transposed(unsigned ret[4], const bf16 *tile, int row, int k)
{
	int lane = (int)(threadIdx.x % 32);

	ldmatrix4(ret, tile + place<D>(row + lane / 16 * 8 + lane % 8, 2 * k + lane / 8 % 2));
}

/* The right factor is the tile itself: (rows row to row + 16) by (channels 16 n to 16 n + 8), then by the next 8 channels. */
template <int D>
static __device__ __forceinline__ void
right_fragment(unsigned ret[4], const bf16 *tile, int row, int n)
{
	int lane = (int)(threadIdx.x % 32);

	ldmatrix4_trans(ret, tile + place<D>(row + lane % 16, 2 * n + lane / 16));
}

/* MB products: sums (16, 64) = rows row to row + 16 of a tile, and so on, times the 64 rows of another: over all D channels. */
template <int D, int MB>
static __device__ __forceinline__ void
multiply_transposed(float sums[MB][8][4], const bf16 *left, int row, const bf16 *right)
{
	UNROLL
	for (int m = 0; m < MB; m++)
		UNROLL
		for (int n = 0; n < 8; n++)
			for (int r = 0; r < 4; r++)
				sums[m][n][r] = 0;
	UNROLL
	for (int k = 0; k < D / 16; k++) {
		unsigned a[MB][4], b[4];

		UNROLL
		for (int m = 0; m < MB; m++)
			left_fragment<D>(a[m], left, row + 16 * m, k);
		UNROLL
		for (int n = 0; n < 4; n++) {
			right_transposed<D>(b, right, 16 * n, k);
			UNROLL
			for (int m = 0; m < MB; m++) {
				mma_bf16(sums[m][2 * n], a[m], b);
				mma_bf16(sums[m][2 * n + 1], a[m], b + 2);
			}
		}
	}
}

/* A left factor out of columns 16 k to 16 k + 16 of a product's result, rounded to bfloat16. */
static __device__ __forceinline__ void
left_of_result(unsigned ret[4], const float s[8][4], int k)
{
	ret[0] = pack_bf16(s[2 * k][0], s[2 * k][1]);
	ret[1] = pack_bf16(s[2 * k][2], s[2 * k][3]);
	ret[2] = pack_bf16(s[2 * k + 1][0], s[2 * k + 1][1]);
	ret[3] = pack_bf16(s[2 * k + 1][2], s[2 * k + 1][3]);
}

/* MB products: sums (16, D) += left (16, 64), the result of a product, times a tile of 64 rows. */
template <int D, int MB>
static __device__ __forceinline__ void
multiply_add(float sums[MB][D / 8][4], const float left[MB][8][4], const bf16 *right)
{
	UNROLL
	for (int k = 0; k < 4; k++) {
		unsigned a[MB][4], b[4];

		UNROLL
		for (int m = 0; m < MB; m++)
			left_of_result(a[m], left[m], k);
		UNROLL
		for (int n = 0; n < D / 16; n++) {
			right_fragment<D>(b, right, 16 * k, n);
			UNROLL
			for (int m = 0; m < MB; m++) {
				mma_bf16(sums[m][2 * n], a[m], b);
				mma_bf16(sums[m][2 * n + 1], a[m], b + 2);
			}
		}
	}
}

/* Scores of 16 queries from `query` on, by 64 keys from `key` on: none for keys behind the query. */
static __device__ __forceinline__ void
mask(float s[8][4], int query, int key)
{
	int lane = (int)(threadIdx.x % 32), g = lane / 4, t = lane % 4 * 2;

	if (key + 63 <= query)
		return;
	UNROLL
	for (int n = 0; n < 8; n++)
		UNROLL
		for (int r = 0; r < 4; r++)
			if (key + 8 * n + t + r % 2 > query + g + r / 2 * 8)
				s[n][r] = -INFINITY;
}

/* The same of scores that stand the other way: 16 keys by 64 queries. */
static __device__ __forceinline__ void
mask_transposed(float s[8][4], int query, int key)
{
	int lane = (int)(threadIdx.x % 32), g = lane / 4, t = lane % 4 * 2;

	if (key + 15 <= query)
		return;
	UNROLL
	for (int n = 0; n < 8; n++)
		UNROLL
		for (int r = 0; r < 4; r++)
			if (key + g + r / 2 * 8 > query + 8 * n + t + r % 2)
				s[n][r] = -INFINITY;
}

/* Stores 16 rows of a result, of which `valid` exist, times a factor for each of a lane's two rows; by way of 16 rows of a tile that this warp has for itself. */
template <int D>
static __device__ __forceinline__ void
store_rows(bf16 *to, size_t stride, int valid, const float sums[D / 8][4], const float factor[2], bf16 *tile)
{
	int lane = (int)(threadIdx.x % 32), g = lane / 4, t = lane % 4 * 2;

	__syncwarp();
	UNROLL
	for (int n = 0; n < D / 8; n++) {
		*(unsigned *)(tile + place<D>(g, n) + t) = pack_bf16(sums[n][0] * factor[0], sums[n][1] * factor[0]);
		*(unsigned *)(tile + place<D>(g + 8, n) + t) = pack_bf16(sums[n][2] * factor[1], sums[n][3] * factor[1]);
	}
	__syncwarp();
	UNROLL
	for (int i = lane; i < 16 * D / 8; i += 32) {
		int row = i / (D / 8), piece = i % (D / 8);

		if (row < valid)
			*(uint4 *)(to + (size_t)row * stride + piece * 8) = *(const uint4 *)(tile + place<D>(row, piece));
	}
}

#endif
