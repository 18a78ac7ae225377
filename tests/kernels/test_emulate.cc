/* The emulation of CUDA itself: what it computes, and that it tells what hardware would leave undefined. */
#include "config.h"

#include "kernels/cuda/device.h"

extern "C" {
#include "tests/tap.h"
}

/* ---- what works ---- */

static __global__ void
places(int *out)
{
	unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
	unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);

	out[block * blockDim.x * blockDim.y * blockDim.z + thread] = (int)(1000 * block + thread);
}

/* The sum of 96 numbers through shared memory and shuffles. */
static __global__ void
sums(const float *in, float *out)
{
	SHARED(float, part, [3]);
	float *all = (float *)dynamic_shared(), sum;

	all[threadIdx.x] = in[blockIdx.x * 96 + threadIdx.x];
	__syncthreads();
	sum = warp_sum(all[95 - threadIdx.x]);
	if (threadIdx.x % 32 == 0)
		part[threadIdx.x / 32] = sum;
	__syncthreads();
	if (threadIdx.x == 0)
		out[blockIdx.x] = part[0] + part[1] + part[2];
}

static __global__ void
shuffles(int *out)
{
	int lane = (int)threadIdx.x, *mine = out + 8 * lane;

	mine[0] = __shfl_sync(FULL_WARP, lane, 5);
	mine[1] = __shfl_sync(FULL_WARP, lane, 3, 8);
	mine[2] = __shfl_xor_sync(FULL_WARP, lane, 17);
	mine[3] = __shfl_up_sync(FULL_WARP, lane, 2, 16);
	mine[4] = __shfl_down_sync(FULL_WARP, lane, 2, 16);
	mine[5] = (int)__ballot_sync(FULL_WARP, lane % 3 == 0);
	/* Two halves that go their own ways. */
	if (lane < 16)
		mine[6] = __shfl_sync(0xFFFFu, lane, 1);
	else
		mine[6] = __shfl_sync(0xFFFF0000u, lane, 18);
	mine[7] = __any_sync(FULL_WARP, lane == 7) + 2 * __all_sync(FULL_WARP, lane < 31);
}

static void
test_places(void)
{
	int out[2 * 3 * 2 * 24], wrong = 0;

	launch(places, dim3(2, 3, 2), dim3(2, 3, 4), 0, NULL, out);
	for (int i = 0; i < 12 * 24; i++)
		wrong += out[i] != 1000 * (i / 24) + i % 24;
	is_int(wrong, 0, "each thread of each block knows its place");
	is_int((int64_t)emulate_counters()->blocks, 12, "blocks are counted");
}

static void
test_sums(void)
{
	float in[2 * 96], out[2];

	for (int i = 0; i < 192; i++)
		in[i] = (float)i;
	launch(sums, 2, 96, 96 * sizeof(float), NULL, in, out);
	ok(out[0] == 4560 && out[1] == 13776, "sums of a block: %g %g", (double)out[0], (double)out[1]);
}

static void
test_shuffles(void)
{
	int out[32 * 8], wrong[8] = {};
	static const char *const names[] = { "shfl", "shfl of 8", "shfl_xor", "shfl_up of 16", "shfl_down of 16", "ballot", "halves", "any, all" };

	launch(shuffles, 1, 32, 0, NULL, out);
	for (int lane = 0; lane < 32; lane++) {
		int *mine = out + 8 * lane;

		wrong[0] += mine[0] != 5;
		wrong[1] += mine[1] != lane / 8 * 8 + 3;
		wrong[2] += mine[2] != (lane ^ 17);
		wrong[3] += mine[3] != (lane % 16 < 2 ? lane : lane - 2);
		wrong[4] += mine[4] != (lane % 16 < 14 ? lane + 2 : lane);
		wrong[5] += mine[5] != 0x49249249;
		wrong[6] += mine[6] != (lane < 16 ? 1 : 18);
		wrong[7] += mine[7] != 1;
	}
	for (int i = 0; i < 8; i++)
		is_int(wrong[i], 0, "%s", names[i]);
}

/* ---- tensor cores ---- */

/* c (16, 8) = a (16, 16) b (16, 8), read as a kernel reads them: b by rows, so its fragment needs `trans`. */
static __global__ void
product(const bf16 *a, const bf16 *b, float *c)
{
	SHARED(bf16, tile_a, [16][24]);
	SHARED(bf16, tile_b, [16][8]);
	unsigned lane = threadIdx.x, fa[4], fb[4];
	float sum[4] = { 1, 1, 1, 1 };

	for (unsigned i = lane; i < 256; i += 32)
		tile_a[i / 16][i % 16] = a[i];
	for (unsigned i = lane; i < 128; i += 32)
		tile_b[i / 8][i % 8] = b[i];
	__syncwarp();
	ldmatrix4(fa, &tile_a[lane % 16][lane / 16 * 8]);
	ldmatrix4_trans(fb, &tile_b[lane % 16][0]);
	mma_bf16(sum, fa, fb);
	for (unsigned r = 0; r < 4; r++)
		c[(lane / 4 + r / 2 * 8) * 8 + lane % 4 * 2 + r % 2] = sum[r];
}

static void
test_product(void)
{
	bf16 a[256], b[128];
	float c[128];
	int wrong = 0;

	for (int i = 0; i < 256; i++)
		a[i] = to_bf16((float)(i * 7 % 31 - 15));
	for (int i = 0; i < 128; i++)
		b[i] = to_bf16((float)(i * 5 % 29) / 4);
	launch(product, 1, 32, 0, NULL, a, b, c);
	for (int i = 0; i < 128; i++) {
		float sum = 1;

		for (int k = 0; k < 16; k++)
			sum += to_float(a[i / 8 * 16 + k]) * to_float(b[k * 8 + i % 8]);
		wrong += sum != c[i];
	}
	is_int(wrong, 0, "mma of fragments by ldmatrix is the product");
	is_int((int64_t)emulate_counters()->conflicts, 0, "rows of 48 and of 16 bytes meet in no bank");
}

/* What each lane holds of two 8 x 8 matrices: rows of 32 bytes meet in banks. */
static __global__ void
fragments(unsigned *out)
{
	SHARED(unsigned short, tile, [16][16]);
	unsigned lane = threadIdx.x;

	for (unsigned i = lane; i < 256; i += 32)
		tile[i / 16][i % 16] = (unsigned short)i;
	__syncwarp();
	ldmatrix4(out + 8 * lane, &tile[lane % 16][lane / 16 * 8]);
	ldmatrix4_trans(out + 8 * lane + 4, &tile[lane % 16][lane / 16 * 8]);
}

static void
test_fragments(void)
{
	unsigned out[32 * 8];
	int wrong = 0;

	launch(fragments, 1, 32, 0, NULL, out);
	for (unsigned lane = 0; lane < 32; lane++)
		for (unsigned m = 0; m < 4; m++) {
			unsigned corner = m % 2 * 8 * 16 + m / 2 * 8, g = lane / 4, t = lane % 4 * 2;
			unsigned row = corner + g * 16 + t, column = corner + t * 16 + g;

			wrong += out[8 * lane + m] != (row | (row + 1) << 16);
			wrong += out[8 * lane + 4 + m] != (column | (column + 16) << 16);
		}
	is_int(wrong, 0, "fragments of ldmatrix, as they are and transposed");
	is_int((int64_t)emulate_counters()->conflicts, 2 * 4 * 4, "rows that meet in a bank are counted");
}

/* ---- asynchronous copies ---- */

static __global__ void
copies(const float *in, float *out, int wait)
{
	SHARED(float, tile, [3][32]);
	unsigned i = threadIdx.x;

	for (unsigned part = 0; part < 3 && i < 8; part++) {
		cp_async16(&tile[part][4 * i], in + 4 * i, part != 1);
		cp_async_commit();
	}
	if (wait == 1)
		cp_async_wait<1>();
	if (wait == 0)
		cp_async_wait<0>();
	__syncthreads();
	for (unsigned part = 0; part < 3; part++)
		out[32 * part + i] = tile[part][i];
	__syncthreads();
	cp_async_wait<0>();
}

static void
test_copies(void)
{
	alignas(16) float in[32];
	float out[96];
	bool landed = true, zeros = true, late = true;

	for (int i = 0; i < 32; i++)
		in[i] = (float)i;
	launch(copies, 1, 32, 0, NULL, in, out, 1);
	for (int i = 0; i < 32; i++) {
		landed &= out[i] == (float)i;
		zeros &= out[32 + i] == 0;
		late &= isnan(out[64 + i]);
	}
	ok(landed && zeros, "copies land when they are waited for, and zeros where not valid");
	ok(late, "one that is not waited for leaves NaN");
	launch(copies, 1, 32, 0, NULL, in, out, 0);
	ok(out[64 + 9] == 9, "until it is");
	is_str(emulate_failure(), NULL, "nothing failed");
}

/* ---- bfloat16 ---- */

static void
test_bf16(void)
{
	static const struct {
		float x;
		unsigned short bits;
	} cases[] = { { 1, 0x3F80 }, { -2.5f, 0xC020 }, { 1.00390625f, 0x3F80 }, { 1.01171875f, 0x3F82 }, { 1.003907f, 0x3F81 },
		{ INFINITY, 0x7F80 }, { 3.4e38f, 0x7F80 }, { 0, 0 } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		is_int(to_bf16(cases[i].x).bits, cases[i].bits, "bfloat16 of %.9g", (double)cases[i].x);
	ok(isnan(to_float(to_bf16(NAN))), "of NaN");
	ok(low_bf16(pack_bf16(1, 2)) == 1 && high_bf16(pack_bf16(1, 2)) == 2, "the first of a pair is the low half");
}

/* ---- what is told ---- */

enum mistake {
	HALF_A_BARRIER, TWO_BARRIERS, EARLY_END, DIVERGED, ALIEN_MASK, BARRIER_IN_WARP, OUTSIDE_MASK, ENDED_LANE, TWO_PLACES, CROOKED_COPY,
	CROOKED_ROW, COPY_AT_END, MISTAKES
};

static __global__ void
mistaken(int which, float *memory)
{
	SHARED(float, tile, [128]);
	unsigned i = threadIdx.x, fragment[4];

	tile[i] = 0;
	switch (which) {
	case HALF_A_BARRIER:
		if (i < 32)
			__syncthreads();
		else
			for (;;)
				__syncwarp(1u << i % 32 | 1u << (i + 1) % 32);
		break;
	case TWO_BARRIERS:
		if (i < 32)
			__syncthreads();
		else
			__syncthreads();
		break;
	case EARLY_END:
		if (i < 50)
			__syncthreads();
		break;
	case DIVERGED:
		if (i % 2)
			__syncwarp();
		else
			__ballot_sync(FULL_WARP, 1);
		break;
	case ALIEN_MASK:
		__syncwarp(0xFFFFu);
		break;
	case BARRIER_IN_WARP:
		if (i % 32 == 9)
			__syncthreads();
		else
			warp_sum(1);
		break;
	case OUTSIDE_MASK:
		if (i < 8)
			__shfl_sync(0xFFu, 1, 9);
		break;
	case ENDED_LANE:
		if (i != 3)
			warp_sum(1);
		break;
	case TWO_PLACES:
		if (i % 32)
			__syncwarp(1u << i % 32 | 1);
		else
			__syncwarp(3);
		break;
	case CROOKED_COPY:
		cp_async16(&tile[4], memory + 1, true);
		break;
	case CROOKED_ROW:
		ldmatrix4(fragment, &tile[i % 32 * 2]);
		break;
	case COPY_AT_END:
		cp_async16(&tile[4], memory, true);
		break;
	}
}

static void
test_mistakes(void)
{
	static const char *const said[MISTAKES] = { "thread 0 waits at a barrier to which not all come", "are at different barriers, test_emulate.cc:",
		"others wait at a barrier", "in __syncwarp of mask FFFFFFFF, and lane 0 in __ballot_sync", "which its mask 0000FFFF does not hold",
		"lane 9, which is at the barrier of test_emulate.cc:", "reads lane 9, which is not in the mask 000000FF",
		"waits for lane 3, which has ended", "lane 1 is in __syncwarp of mask 00000003, and lane 0 in", "is not aligned to 16 bytes", "is not aligned to 16 bytes",
		"ends with copies in flight" };
	alignas(16) float memory[8] = {};

	for (int which = 0; which < MISTAKES; which++) {
		emulate_clear();
		launch(mistaken, 1, 64, 0, NULL, which, memory);
		contains(emulate_failure() ? emulate_failure() : "nothing", said[which], "mistake %d is told", which);
		is_int(cudaGetLastError(), cudaErrorLaunchFailure, "and is an error of the launch");
	}
	emulate_clear();
	launch(mistaken, 1, 64, 50000, NULL, (int)MISTAKES, memory);
	contains(emulate_failure(), "50000 bytes of dynamic shared memory", "so is shared memory that needs leave");
	emulate_clear();
	is_int(cudaFuncSetAttribute(mistaken, cudaFuncAttributeMaxDynamicSharedMemorySize, 50000), cudaSuccess, "leave is given");
	launch(mistaken, 1, 64, 50000, NULL, (int)MISTAKES, memory);
	is_str(emulate_failure(), NULL, "then it goes on");
	is_int(cudaFuncSetAttribute(mistaken, cudaFuncAttributeMaxDynamicSharedMemorySize, 250000), cudaErrorInvalidValue,
		"no leave for more than the chip has");
}

/* Threads hand numbers on without a barrier: which ones arrive depends on who runs first. */
static __global__ void
race(float *out)
{
	SHARED(float, tile, [64]);

	tile[threadIdx.x] = 1;
	out[threadIdx.x] = tile[threadIdx.x ^ 1];
}

static void
test_race(void)
{
	float out[2][64];

	emulate_clear();
	launch(race, 1, 64, 0, NULL, out[0]);
	emulate_order(EMULATE_BACKWARD);
	launch(race, 1, 64, 0, NULL, out[1]);
	emulate_order(EMULATE_FORWARD);
	ok(isnan(out[0][0]) && out[0][1] == 1, "forward the first thread reads what nobody wrote yet");
	ok(out[1][0] == 1 && isnan(out[1][1]), "backward the last one");
}

int
main(void)
{
	emulate_clear();
	for (int order = EMULATE_FORWARD; order <= EMULATE_BACKWARD; order++) {
		emulate_order((enum emulate_order)order);
		emulate_clear();
		test_places();
		test_sums();
		test_shuffles();
		emulate_clear();
		test_product();
		emulate_clear();
		test_fragments();
		test_copies();
	}
	emulate_order(EMULATE_FORWARD);
	test_bf16();
	test_mistakes();
	test_race();
	return done_testing();
}
