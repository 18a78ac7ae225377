/* One call of struct ops, written down. Between record.cu and calls.cu. */
#ifndef KERNELS_CUDA_CALLS_H
#define KERNELS_CUDA_CALLS_H

#include "kernels/cuda/cuda.h"

enum call_kind {
	CALL_UPLOAD,
	CALL_CLEAR,
	CALL_COPY,
	CALL_EMBED,
	CALL_EMBED_BACK,
	CALL_NORM,
	CALL_NORM_BACK,
	CALL_MATMUL,
	CALL_COLUMN_SUMS,
	CALL_ACTIVATE,
	CALL_ACTIVATE_BACK,
	CALL_GATE,
	CALL_GATE_BACK,
	CALL_ROTATE,
	CALL_ATTENTION,
	CALL_ATTENTION_BACK,
	CALL_KEEP,
	CALL_DECODE,
	CALL_XENT,
	CALL_CLIP,
	CALL_ADAM,
	CALL_MUON_BEGIN,
	CALL_MUON_END,
	CALL_DIAGONAL
};

/* Zero wherever nothing is said, gaps too: lists are compared byte for byte. */
struct call {
	enum call_kind kind;
	enum ops_activation activation;
	void *p[4]; /* what is written comes first */
	const void *from[2];
	size_t n[2];
	double x[2];
	union {
		struct ops_embed embed;
		struct ops_norm norm;
		struct ops_matmul matmul;
		struct ops_dropout dropout;
		struct ops_rotate rotate;
		struct ops_attention attention;
		struct ops_keep keep;
		struct ops_decode decode;
		struct ops_xent xent;
		struct ops_adam adam;
		struct ops_muon muon;
	};
};

/* beside: some may run beside others (side.h). */
void calls_run(struct cuda *c, const struct call *calls, size_t n, bool beside);

#endif
