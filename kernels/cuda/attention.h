/* Attention of ops.h on a CUDA device: launches on a stream, one after the other, without a word to the host, so that a graph may record
 * them. The same bits each time: no sum depends on which block comes first.
 *
 * Under `narrow` queries, keys, values, outputs and their gradients are bfloat16, else single precision; logsum and delta are single
 * precision in both. Heads of 32, 64 and 128 channels in bfloat16 go by tensor cores, when the pointers are aligned to 16 bytes. */
#ifndef KERNELS_CUDA_ATTENTION_H
#define KERNELS_CUDA_ATTENTION_H

#include "kernels/cuda/device.h"
#include "kernels/ops.h"

/* What all kernels of a call are given. */
struct attention {
	const void *qkv, *out_read, *dout;
	void *out, *dqkv;
	float *logsum, *delta; /* (N, NH) */
	const int32_t *starts;
	int documents, N, NH, NKV, D;
	size_t row; /* numbers of a row of qkv and dqkv */
	float scale; /* 1 / sqrt(D) */
	uint32_t below, site; /* of dropout */
	float keep; /* 1 / (1 - rate) */
	const struct ops_step *step;
};

void attention_forward(cudaStream_t stream, const struct ops_attention *a, bool narrow);
/* delta: N * NH floats to work with. */
void attention_backward(cudaStream_t stream, const struct ops_attention *a, bool narrow, const void *dout, void *dqkv, float *delta);

/* Their two ways: false where the tensor cores cannot have it. */
bool attention_tensor_forward(cudaStream_t stream, const struct attention *a, size_t longest);
bool attention_tensor_backward(cudaStream_t stream, const struct attention *a);
void attention_plain_forward(cudaStream_t stream, const struct attention *a, bool narrow);
void attention_plain_backward(cudaStream_t stream, const struct attention *a, bool narrow);

#endif
