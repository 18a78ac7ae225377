/* Shapes of attention that devices for GPUs are tested with: what has a path of its own in their kernels. */
#ifndef TESTS_KERNELS_ATTENTION_CASES_H
#define TESTS_KERNELS_ATTENTION_CASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct attention_case {
	const char *name;
	size_t documents;
	int32_t starts[7]; /* none: documents of 0, 1, 2, 3, 0 … tokens */
	size_t D, NH, NKV, longest; /* longest: 0 for what it is */
	bool narrow, tensor;
};

static const struct attention_case ATTENTION_CASES[] = {
	{ "one token", 1, { 0, 1 }, 32, 1, 1, 0, true, true },
	{ "documents of all kinds", 6, { 0, 17, 17, 18, 83, 147, 276 }, 32, 2, 2, 0, true, true },
	{ "heads of 64", 4, { 0, 0, 70, 70, 199 }, 64, 2, 2, 0, true, true },
	{ "heads of 128", 2, { 0, 65, 131 }, 128, 1, 1, 0, true, true },
	{ "fewer heads of keys", 3, { 0, 5, 69, 141 }, 64, 4, 2, 0, true, true },
	{ "tiles of 128 queries", 4, { 0, 129, 130, 257, 420 }, 64, 1, 1, 1000, true, true },
	{ "tiles of 128, heads of 32", 2, { 0, 40, 190 }, 32, 2, 1, 1000, true, true },
	{ "more documents than a warp has lanes", 101, { 0 }, 32, 1, 1, 0, true, true },
	{ "bfloat16, heads of 20", 3, { 0, 17, 17, 52 }, 20, 3, 3, 0, true, false },
	{ "single precision", 6, { 0, 17, 17, 18, 51, 83, 120 }, 20, 3, 3, 0, false, false },
	{ "single precision, heads of 64", 2, { 0, 3, 40 }, 64, 2, 1, 0, false, false },
	{ "single precision, heads of 256", 2, { 0, 1, 19 }, 256, 1, 1, 0, false, false },
	{ "single precision, heads of 7", 1, { 0, 35 }, 7, 3, 1, 0, false, false },
};

static inline int32_t
attention_start(const struct attention_case *c, size_t document)
{
	static const int32_t before[4] = { 0, 0, 1, 3 };

	return c->documents < sizeof(c->starts) / sizeof(c->starts[0]) ? c->starts[document] : (int32_t)(document / 4 * 6) + before[document % 4];
}

#endif
