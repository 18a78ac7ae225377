/* Our declarations of cuBLASLt against its own header, where that is: compiled, and never run. Otherwise nothing. */
#include "config.h"

#if __has_include(<cublasLt.h>)
#include <cublasLt.h>
#include <stdlib.h>

#include "kernels/cuda/cublaslt.h"

#define SAME(ours, theirs) static_assert((long)(ours) == (long)(theirs), #theirs)

SAME(LT_SUCCESS, CUBLAS_STATUS_SUCCESS);
SAME(LT_OP_N, CUBLAS_OP_N);
SAME(LT_OP_T, CUBLAS_OP_T);
SAME(LT_R_32F, CUDA_R_32F);
SAME(LT_R_16BF, CUDA_R_16BF);
SAME(LT_COMPUTE_32F, CUBLAS_COMPUTE_32F);
SAME(LT_DESC_TRANSA, CUBLASLT_MATMUL_DESC_TRANSA);
SAME(LT_DESC_TRANSB, CUBLASLT_MATMUL_DESC_TRANSB);
SAME(LT_DESC_EPILOGUE, CUBLASLT_MATMUL_DESC_EPILOGUE);
SAME(LT_DESC_BIAS_POINTER, CUBLASLT_MATMUL_DESC_BIAS_POINTER);
SAME(LT_EPILOGUE_DEFAULT, CUBLASLT_EPILOGUE_DEFAULT);
SAME(LT_EPILOGUE_BIAS, CUBLASLT_EPILOGUE_BIAS);
SAME(LT_PREF_MAX_WORKSPACE, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES);
SAME(LT_PREF_REDUCTIONS, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK);
SAME(LT_PREF_ALIGN_A, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES);
SAME(LT_PREF_ALIGN_B, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES);
SAME(LT_PREF_ALIGN_C, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES);
SAME(LT_PREF_ALIGN_D, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES);
SAME(LT_REDUCE_COMPUTE, CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE);
SAME(LT_REDUCE_OUTPUT, CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE);
SAME(sizeof(struct lt_algorithm), sizeof(cublasLtMatmulAlgo_t));
SAME(sizeof(struct lt_heuristic), sizeof(cublasLtMatmulHeuristicResult_t));
SAME(offsetof(struct lt_heuristic, workspace), offsetof(cublasLtMatmulHeuristicResult_t, workspaceSize));
SAME(offsetof(struct lt_heuristic, state), offsetof(cublasLtMatmulHeuristicResult_t, state));

/* The functions, by what they are given. */
int takes_ours(struct cublaslt *lt);

int
takes_ours(struct cublaslt *lt)
{
	lt->create = (int (*)(struct lt_handle **))(cublasStatus_t (*)(cublasLtHandle_t *))cublasLtCreate;
	lt->layout_create = (int (*)(struct lt_layout **, int, uint64_t, uint64_t, int64_t))(cublasStatus_t (*)(cublasLtMatrixLayout_t *,
		cudaDataType, uint64_t, uint64_t, int64_t))cublasLtMatrixLayoutCreate;
	lt->desc_create = (int (*)(struct lt_desc **, int, int))(cublasStatus_t (*)(cublasLtMatmulDesc_t *, cublasComputeType_t,
		cudaDataType_t))cublasLtMatmulDescCreate;
	lt->matmul = (decltype(lt->matmul))(cublasStatus_t (*)(cublasLtHandle_t, cublasLtMatmulDesc_t, const void *, const void *,
		cublasLtMatrixLayout_t, const void *, cublasLtMatrixLayout_t, const void *, const void *, cublasLtMatrixLayout_t, void *,
		cublasLtMatrixLayout_t, const cublasLtMatmulAlgo_t *, void *, size_t, cudaStream_t))cublasLtMatmul;
	lt->heuristic = (decltype(lt->heuristic))(cublasStatus_t (*)(cublasLtHandle_t, cublasLtMatmulDesc_t, cublasLtMatrixLayout_t,
		cublasLtMatrixLayout_t, cublasLtMatrixLayout_t, cublasLtMatrixLayout_t, cublasLtMatmulPreference_t, int,
		cublasLtMatmulHeuristicResult_t *, int *))cublasLtMatmulAlgoGetHeuristic;
	return 0;
}
#endif
