/* Of cuBLASLt what we use: it is opened at run time, for it is half a gigabyte, and only where there is a GPU. The declarations are our own,
 * so that the plugin is built without its headers; tests/kernels/cublaslt_numbers.cu holds them against the real ones. */
#ifndef KERNELS_CUDA_CUBLASLT_H
#define KERNELS_CUDA_CUBLASLT_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/cuda/device.h"

enum { LT_SUCCESS = 0, LT_OP_N = 0, LT_OP_T = 1, LT_R_32F = 0, LT_R_16BF = 14 };
enum { LT_COMPUTE_32F = 68 };
enum { LT_DESC_TRANSA = 3, LT_DESC_TRANSB = 4, LT_DESC_EPILOGUE = 7, LT_DESC_BIAS_POINTER = 8 };
enum { LT_EPILOGUE_DEFAULT = 1, LT_EPILOGUE_BIAS = 4 };
enum {
	LT_PREF_MAX_WORKSPACE = 1,
	LT_PREF_REDUCTIONS = 3,
	LT_PREF_ALIGN_A = 5,
	LT_PREF_ALIGN_B = 6,
	LT_PREF_ALIGN_C = 7,
	LT_PREF_ALIGN_D = 8
};
/* Sums that are cut along k are put together in a fixed order under these two; under the third, in place, in whichever comes. */
enum { LT_REDUCE_COMPUTE = 2, LT_REDUCE_OUTPUT = 4 };

struct lt_algorithm {
	uint64_t data[8];
};

struct lt_heuristic {
	struct lt_algorithm algorithm;
	size_t workspace;
	int state;
	float waves;
	int reserved[4];
};

struct lt_handle;
struct lt_desc;
struct lt_layout;
struct lt_preference;

struct cublaslt {
	int (*create)(struct lt_handle **);
	int (*destroy)(struct lt_handle *);
	size_t (*version)(void);
	int (*desc_create)(struct lt_desc **, int compute, int scale);
	int (*desc_destroy)(struct lt_desc *);
	int (*desc_set)(struct lt_desc *, int attribute, const void *value, size_t size);
	int (*layout_create)(struct lt_layout **, int type, uint64_t rows, uint64_t columns, int64_t ld); /* column-major */
	int (*layout_destroy)(struct lt_layout *);
	int (*preference_create)(struct lt_preference **);
	int (*preference_destroy)(struct lt_preference *);
	int (*preference_set)(struct lt_preference *, int attribute, const void *value, size_t size);
	/* a, b, c, d */
	int (*heuristic)(struct lt_handle *, struct lt_desc *, struct lt_layout *, struct lt_layout *, struct lt_layout *, struct lt_layout *,
		struct lt_preference *, int wanted, struct lt_heuristic *ret, int *ret_n);
	/* d = alpha a b + beta c */
	int (*matmul)(struct lt_handle *, struct lt_desc *, const void *alpha, const void *a, struct lt_layout *, const void *b,
		struct lt_layout *, const void *beta, const void *c, struct lt_layout *, void *d, struct lt_layout *,
		const struct lt_algorithm *, void *workspace, size_t workspace_size, cudaStream_t);
};

/* The names under which they are found, in the order of the struct. */
#define CUBLASLT_NAMES \
	{ \
		"cublasLtCreate", "cublasLtDestroy", "cublasLtGetVersion", "cublasLtMatmulDescCreate", "cublasLtMatmulDescDestroy", \
			"cublasLtMatmulDescSetAttribute", "cublasLtMatrixLayoutCreate", "cublasLtMatrixLayoutDestroy", \
			"cublasLtMatmulPreferenceCreate", "cublasLtMatmulPreferenceDestroy", "cublasLtMatmulPreferenceSetAttribute", \
			"cublasLtMatmulAlgoGetHeuristic", "cublasLtMatmul" \
	}

#endif
