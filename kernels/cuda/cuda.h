/* The device for GPUs, as its files see it. A call of struct ops goes to `record`, which carries it out at once or, between `begin` and
 * `end`, keeps it for the list that a graph is made of; what carries it out is one cuda_… function here, which queues kernels on the one
 * stream and never waits.
 *
 * What a kernel works on comes in `struct ops_…` by value: they hold addresses of the device. Numbers are float, or bf16 where they are
 * narrow and the precision is OPS_BF16. All sums are in an order that the shapes fix. */
#ifndef KERNELS_CUDA_CUDA_H
#define KERNELS_CUDA_CUDA_H

#include "kernels/cuda/device.h"
#include "kernels/ops.h"

struct record;
struct products;
struct host;

struct cuda {
	struct ops_device device; /* first */
	cudaStream_t stream;
	struct host *host;
	struct products *products;
	struct record *record;
	void *scratch; /* of whatever runs: the stream lets one run at a time */
	cudaStream_t side_stream;
	void *side_scratch; /* of what runs there; NULL: nothing does */
	char failure[512];
};

enum {
	CUDA_SCRATCH = 32 << 20, /* bytes; what cuBLASLt likes to have on these chips */
	CUDA_LOGIT_ROWS = 8192, /* more do not make products faster, and 50 k of logits in bfloat16 are 0.8 GB then */
	CUDA_GRID_MAX = 65535, /* of a grid in y and z */
};

static inline bool
cuda_is_narrow(const struct cuda *c)
{
	return c->device.narrow != c->device.real;
}

/* The first failure is kept; the device is of no use then. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void cuda_fail(struct cuda *c, const char *format, ...);
/* Looks at what a call of the runtime said; false: it failed. */
bool cuda_check(struct cuda *c, cudaError_t error, const char *what);

static inline unsigned
cuda_blocks(size_t n, size_t of)
{
	return (unsigned)((n + of - 1) / of);
}

static inline bool
cuda_aligned(const void *at, size_t bytes)
{
	return !at || (uintptr_t)at % bytes == 0;
}

/* ---- what carries calls out ---- */

void cuda_embed_forward(struct cuda *c, const struct ops_embed *e, void *out);
void cuda_embed_backward(struct cuda *c, const struct ops_embed *e, const void *dout, void *dtable, void *dpositions);
void cuda_norm_forward(struct cuda *c, const struct ops_norm *n, void *out);
void cuda_norm_backward(struct cuda *c, const struct ops_norm *n, const void *dout, void *dsum, void *dbranch, void *dgain, void *dbias);
void cuda_matmul(struct cuda *c, const struct ops_matmul *m);
void cuda_column_sums(struct cuda *c, size_t N, size_t C, const void *x, void *sums);
void cuda_activate_forward(struct cuda *c, enum ops_activation kind, size_t n, const void *in, void *out, const struct ops_dropout *dropout);
void cuda_activate_backward(struct cuda *c, enum ops_activation kind, size_t n, const void *in, void *grad,
	const struct ops_dropout *dropout);
void cuda_gate_forward(struct cuda *c, enum ops_activation kind, size_t N, size_t F, const void *in, void *out);
void cuda_gate_backward(struct cuda *c, enum ops_activation kind, size_t N, size_t F, void *in, const void *dout);
void cuda_rotate(struct cuda *c, const struct ops_rotate *r);
void cuda_keep(struct cuda *c, const struct ops_keep *k);
void cuda_decode_attention(struct cuda *c, const struct ops_decode *a);
void cuda_xent(struct cuda *c, const struct ops_xent *x);
void cuda_clip(struct cuda *c, size_t n, const void *g, double max, void *ret, void *norm);
/* All of one optimizer's step: of the same betas, epsilon, clip and step, a matter of `record`. */
void cuda_adam(struct cuda *c, const struct ops_adam *const *a, size_t n);
bool cuda_adam_joins(const struct ops_adam *first, const struct ops_adam *a);
void cuda_muon_begin(struct cuda *c, const struct ops_muon *m);
void cuda_muon_end(struct cuda *c, const struct ops_muon *m);
void cuda_diagonal(struct cuda *c, size_t n, double alpha, double beta, const void *in, void *out);
/* sums (C) += the rows of partial (rows, stride); and `more` (C), unless it is NULL, the columns behind. */
void cuda_add_rows(struct cuda *c, const float *partial, size_t rows, size_t stride, size_t C, float *sums, float *more);

enum { CUDA_ADAM_PIECES = 128 };

#endif
