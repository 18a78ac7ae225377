/* The host's part under the emulation, for tests: no stream, no clock and no graphs; and in cuBLASLt's place plain loops, which take what
 * it takes, and refuse what it does not. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "kernels/cuda/host.h"
#include "kernels/cuda/side.h"

/* ---- cuBLASLt's part ---- */

struct lt_desc {
	int transposed[2], epilogue;
	const void *bias;
};

struct lt_layout {
	int type;
	uint64_t rows, columns;
	int64_t ld;
};

struct lt_preference {
	uint32_t align[4];
};

static const int LT_NO_MEMORY = 3, LT_INVALID = 7, LT_UNSUPPORTED = 15;
static const uint64_t ALGORITHM = 0x7A; /* the only one there is */

static int
lt_create(struct lt_handle **ret)
{
	*ret = NULL;
	return LT_SUCCESS;
}

static int
lt_destroy(struct lt_handle *)
{
	return LT_SUCCESS;
}

static size_t
lt_version(void)
{
	return 0;
}

static int
desc_create(struct lt_desc **ret, int compute, int scale)
{
	*ret = (struct lt_desc *)calloc(1, sizeof(**ret));
	if (*ret)
		(*ret)->epilogue = LT_EPILOGUE_DEFAULT;
	return compute != LT_COMPUTE_32F || scale != LT_R_32F ? LT_UNSUPPORTED : *ret ? 0 : LT_NO_MEMORY;
}

static int
desc_destroy(struct lt_desc *desc)
{
	free(desc);
	return LT_SUCCESS;
}

static int
desc_set(struct lt_desc *desc, int attribute, const void *value, size_t size)
{
	if (attribute == LT_DESC_BIAS_POINTER && size == sizeof(desc->bias)) {
		memcpy(&desc->bias, value, size);
		return LT_SUCCESS;
	}
	if (size != sizeof(int32_t))
		return LT_INVALID;
	if (attribute == LT_DESC_TRANSA || attribute == LT_DESC_TRANSB)
		memcpy(&desc->transposed[attribute - LT_DESC_TRANSA], value, size);
	else if (attribute == LT_DESC_EPILOGUE)
		memcpy(&desc->epilogue, value, size);
	else
		return LT_INVALID;
	return LT_SUCCESS;
}

static int
layout_create(struct lt_layout **ret, int type, uint64_t rows, uint64_t columns, int64_t ld)
{
	if ((type != LT_R_32F && type != LT_R_16BF) || ld < (int64_t)rows)
		return LT_INVALID;
	*ret = (struct lt_layout *)calloc(1, sizeof(**ret));
	if (!*ret)
		return LT_NO_MEMORY;
	**ret = { type, rows, columns, ld };
	return LT_SUCCESS;
}

static int
layout_destroy(struct lt_layout *layout)
{
	free(layout);
	return LT_SUCCESS;
}

static int
preference_create(struct lt_preference **ret)
{
	*ret = (struct lt_preference *)calloc(1, sizeof(**ret));
	return *ret ? 0 : LT_NO_MEMORY;
}

static int
preference_destroy(struct lt_preference *preference)
{
	free(preference);
	return LT_SUCCESS;
}

static int
preference_set(struct lt_preference *preference, int attribute, const void *value, size_t size)
{
	if (attribute >= LT_PREF_ALIGN_A && attribute <= LT_PREF_ALIGN_D && size == sizeof(uint32_t))
		memcpy(&preference->align[attribute - LT_PREF_ALIGN_A], value, size);
	return LT_SUCCESS;
}

/* Whether op(a) is (m, k), op(b) is (k, n), and c is (m, n). */
static bool
fits(struct lt_desc *desc, struct lt_layout *a, struct lt_layout *b, struct lt_layout *c, struct lt_layout *d)
{
	uint64_t m = desc->transposed[0] ? a->columns : a->rows, k = desc->transposed[0] ? a->rows : a->columns;
	uint64_t n = desc->transposed[1] ? b->rows : b->columns, k2 = desc->transposed[1] ? b->columns : b->rows;

	return k == k2 && c->rows == m && c->columns == n && !memcmp(c, d, sizeof(*c)) && a->type == b->type &&
	       (a->type == LT_R_16BF || c->type == LT_R_32F) && (desc->epilogue != LT_EPILOGUE_BIAS || c->type == a->type);
}

static int
heuristic(struct lt_handle *, struct lt_desc *desc, struct lt_layout *a, struct lt_layout *b, struct lt_layout *c, struct lt_layout *d,
	struct lt_preference *preference, int wanted, struct lt_heuristic *ret, int *ret_n)
{
	*ret_n = 0;
	if (wanted < 1 || !fits(desc, a, b, c, d))
		return LT_UNSUPPORTED;
	for (int i = 0; i < 4; i++)
		if (!preference->align[i] || preference->align[i] % (a->type == LT_R_16BF ? 2 : 4))
			return LT_INVALID;
	memset(ret, 0, sizeof(*ret));
	ret->algorithm.data[0] = ALGORITHM;
	*ret_n = 1;
	return LT_SUCCESS;
}

static float
number_at(const void *at, int type, size_t i)
{
	return type == LT_R_16BF ? to_float(((const bf16 *)at)[i]) : ((const float *)at)[i];
}

static float
product_at(struct lt_desc *desc, const void *a, struct lt_layout *la, const void *b, struct lt_layout *lb, uint64_t i, uint64_t j)
{
	uint64_t k = desc->transposed[0] ? la->rows : la->columns, lda = (uint64_t)la->ld, ldb = (uint64_t)lb->ld;
	float sum = 0;

	for (uint64_t l = 0; l < k; l++)
		sum += number_at(a, la->type, desc->transposed[0] ? l + i * lda : i + l * lda) *
		       number_at(b, lb->type, desc->transposed[1] ? j + l * ldb : l + j * ldb);
	return sum;
}

static int
multiply(struct lt_handle *, struct lt_desc *desc, const void *alpha, const void *a, struct lt_layout *la, const void *b, struct lt_layout *lb,
	const void *beta, const void *c, struct lt_layout *lc, void *d, struct lt_layout *ld, const struct lt_algorithm *algorithm, void *, size_t,
	cudaStream_t)
{
	float by = *(const float *)alpha, old = *(const float *)beta;

	if (!fits(desc, la, lb, lc, ld) || algorithm->data[0] != ALGORITHM || (desc->epilogue == LT_EPILOGUE_BIAS && !desc->bias))
		return LT_INVALID;
	for (uint64_t j = 0; j < ld->columns; j++)
		for (uint64_t i = 0; i < ld->rows; i++) {
			size_t at = i + j * (uint64_t)ld->ld;
			float x = by * product_at(desc, a, la, b, lb, i, j);

			if (old != 0)
				x += old * number_at(c, lc->type, at);
			if (desc->epilogue == LT_EPILOGUE_BIAS)
				x += number_at(desc->bias, ld->type, i);
			if (ld->type == LT_R_16BF)
				store((bf16 *)d + at, x);
			else
				((float *)d)[at] = x;
		}
	return LT_SUCCESS;
}

/* ---- the machine ---- */

/* What goes beside others is done as late as it may be: what it reads must be there still. */
struct host {
	struct ops_matmul beside[SIDE_MAX];
	size_t first, n; /* of those that are not done */
};

bool
host_open(struct cuda *c, struct cublaslt *lt, const char **why)
{
	*why = "there is no more memory";
	c->host = (struct host *)calloc(1, sizeof(*c->host));
	if (!c->host)
		return false;
	*lt = { lt_create, lt_destroy, lt_version, desc_create, desc_destroy, desc_set, layout_create, layout_destroy, preference_create,
		preference_destroy, preference_set, heuristic, multiply };
	return true;
}

void
host_close(struct cuda *c)
{
	free(c->host);
}

void
host_describe(const struct cuda *, char *ret, size_t size)
{
	strncpy(ret, "emulated", size);
}

void *
host_pinned(size_t bytes)
{
	return malloc(bytes);
}

void
host_unpin(void *memory)
{
	free(memory);
}

void
host_memory(size_t *ret_free, size_t *ret_total)
{
	*ret_free = *ret_total = (size_t)1 << 40;
}

void
host_mark(struct cuda *)
{
}

void
host_wait(struct cuda *)
{
}

void
host_clock_start(struct cuda *)
{
}

float
host_clock_stop(struct cuda *)
{
	return 0;
}

void
host_side(struct cuda *c, const struct ops_matmul *m, size_t which)
{
	if (which == 0)
		c->host->first = 0;
	c->host->beside[which] = *m;
	c->host->n = which + 1;
}

void
host_join(struct cuda *c, size_t which)
{
	while (c->host->first <= which)
		cuda_matmul(c, &c->host->beside[c->host->first++]);
}

/* A graph that does nothing would be one that nobody finds missing: what is recorded is carried out instead, each time. */
void
host_capture(struct cuda *)
{
}

void *
host_captured(struct cuda *)
{
	return NULL;
}

void
host_play(struct cuda *, void *)
{
}

void
host_forget(void *)
{
}
