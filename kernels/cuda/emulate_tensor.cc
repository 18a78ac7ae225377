#include "config.h"

#include "kernels/cuda/emulate.h"

/* The fragments are as the PTX ISA has them, "Matrix Fragments for mma.m16n8k16 with floating point type" and ldmatrix. */

static float
number(unsigned pair, unsigned which)
{
	return __uint_as_float(which ? pair & 0xFFFF0000u : pair << 16);
}

static unsigned
element(const void *row, unsigned column)
{
	uint16_t ret;

	memcpy(&ret, (const char *)row + 2 * column, sizeof(ret));
	return ret;
}

/* Rows of eight whose 16 bytes share banks with an earlier one's. */
static unsigned
conflicts(struct emulate_meeting *const lanes[32], unsigned first)
{
	unsigned seen = 0, ret = 0;

	for (unsigned i = first; i < first + 8; i++) {
		unsigned bank = (uintptr_t)lanes[i]->in / 16 % 8;

		ret += seen >> bank & 1;
		seen |= 1u << bank;
	}
	return ret;
}

static void
load(struct emulate_meeting *const lanes[32], bool trans)
{
	size_t matrices = lanes[0]->size;

	emulate_counters()->ldmatrixes++;
	for (unsigned m = 0; m < matrices; m++) {
		emulate_counters()->conflicts += conflicts(lanes, 8 * m);
		for (unsigned lane = 0; lane < 32; lane++) {
			unsigned g = lane / 4, t = lane % 4 * 2, low, high;

			low = trans ? element(lanes[8 * m + t]->in, g) : element(lanes[8 * m + g]->in, t);
			high = trans ? element(lanes[8 * m + t + 1]->in, g) : element(lanes[8 * m + g]->in, t + 1);
			((unsigned *)lanes[lane]->out)[m] = low | high << 16;
		}
	}
}

static void
load_plain(struct emulate_meeting *const lanes[32], unsigned)
{
	load(lanes, false);
}

static void
load_trans(struct emulate_meeting *const lanes[32], unsigned)
{
	load(lanes, true);
}

void
emulate_ldmatrix(unsigned *ret, int matrices, bool trans, const void *row, const char *file, int line)
{
	struct emulate_meeting m = { "ldmatrix", file, line, 0xFFFFFFFFu, trans ? load_trans : load_plain, row, ret, (size_t)matrices, 0 };

	if ((uintptr_t)row % 16)
		emulate_fail("%s:%d: the row of lane %u is not aligned to 16 bytes", emulate_base_name(file), line, emulate_lane());
	emulate_meet(&m);
}

struct factors {
	const unsigned *a, *b;
};

static const struct factors *
of(struct emulate_meeting *const lanes[32], unsigned lane)
{
	return (const struct factors *)lanes[lane]->in;
}

/* Element (i, k) of a, and (k, j) of b. */
static float
a_of(struct emulate_meeting *const lanes[32], unsigned i, unsigned k)
{
	return number(of(lanes, i % 8 * 4 + k % 8 / 2)->a[i / 8 + k / 8 * 2], k % 2);
}

static float
b_of(struct emulate_meeting *const lanes[32], unsigned k, unsigned j)
{
	return number(of(lanes, j * 4 + k % 8 / 2)->b[k / 8], k % 2);
}

/* Products of bfloat16 are exact in single precision; their sum here is rounded once. */
static void
multiply(struct emulate_meeting *const lanes[32], unsigned)
{
	float a[16][16], b[16][8];

	emulate_counters()->mmas++;
	for (unsigned i = 0; i < 16; i++)
		for (unsigned k = 0; k < 16; k++)
			a[i][k] = a_of(lanes, i, k);
	for (unsigned k = 0; k < 16; k++)
		for (unsigned j = 0; j < 8; j++)
			b[k][j] = b_of(lanes, k, j);
	for (unsigned lane = 0; lane < 32; lane++)
		for (unsigned r = 0; r < 4; r++) {
			unsigned i = lane / 4 + r / 2 * 8, j = lane % 4 * 2 + r % 2;
			float *c = (float *)lanes[lane]->out + r;
			double sum = (double)*c;

			for (unsigned k = 0; k < 16; k++)
				sum += (double)(a[i][k] * b[k][j]);
			*c = (float)sum;
		}
}

void
emulate_mma_bf16(float *c, const unsigned *a, const unsigned *b, const char *file, int line)
{
	struct factors f = { a, b };
	struct emulate_meeting m = { "mma", file, line, 0xFFFFFFFFu, multiply, &f, c, 0, 0 };

	emulate_meet(&m);
}
