/* Calls of struct ops on their way: carried out at once or, between `begin` and `end`, first written down as a list. A list that comes for
 * the second time, byte for byte, becomes a graph, and from then on costs one launch. What its calls upload lies in memory that both sides
 * see, at the same place each time, and what changes from step to step is in struct ops_step, which is such an upload.
 *
 * On the way calls that belong together become one: uploads that follow each other, and Adam's over all parameters. */
#ifndef KERNELS_CUDA_RECORD_H
#define KERNELS_CUDA_RECORD_H

#include "kernels/cuda/cuda.h"

struct record *record_new(void); /* NULL: there is no memory */
void record_free(struct record *r); /* NULL is fine */

void record_begin(struct cuda *c);
void record_end(struct cuda *c);
/* Carries out what is written down so far: somebody wants to see what came of it. */
void record_flush(struct cuda *c);
/* Puts bytes of the host where the device has them when it comes to that. */
void record_upload(struct cuda *c, void *to, const void *from, size_t bytes);

/* What stands in struct ops. */
void record_clear(struct ops_device *d, void *at, size_t bytes);
void record_copy(struct ops_device *d, void *to, const void *from, size_t bytes);
void record_embed_forward(struct ops_device *d, const struct ops_embed *e, void *out);
void record_embed_backward(struct ops_device *d, const struct ops_embed *e, const void *dout, void *dtable, void *dpositions);
void record_norm_forward(struct ops_device *d, const struct ops_norm *n, void *out);
void record_norm_backward(struct ops_device *d, const struct ops_norm *n, const void *dout, void *dsum, void *dbranch, void *dgain,
	void *dbias);
void record_matmul(struct ops_device *d, const struct ops_matmul *m);
void record_column_sums(struct ops_device *d, size_t N, size_t C, const void *x, void *sums);
void record_activate_forward(struct ops_device *d, enum ops_activation kind, size_t n, const void *in, void *out,
	const struct ops_dropout *dropout);
void record_activate_backward(struct ops_device *d, enum ops_activation kind, size_t n, const void *in, void *grad,
	const struct ops_dropout *dropout);
void record_gate_forward(struct ops_device *d, enum ops_activation kind, size_t N, size_t F, const void *in, void *out);
void record_gate_backward(struct ops_device *d, enum ops_activation kind, size_t N, size_t F, void *in, const void *dout);
void record_rotate(struct ops_device *d, const struct ops_rotate *r);
void record_attention_forward(struct ops_device *d, const struct ops_attention *a);
void record_attention_backward(struct ops_device *d, const struct ops_attention *a, const void *dout, void *dqkv);
void record_keep(struct ops_device *d, const struct ops_keep *k);
void record_decode_attention(struct ops_device *d, const struct ops_decode *a);
void record_xent(struct ops_device *d, const struct ops_xent *x);
void record_clip(struct ops_device *d, size_t n, const void *g, double max, void *ret, void *norm);
void record_adam(struct ops_device *d, const struct ops_adam *a);
void record_muon_begin(struct ops_device *d, const struct ops_muon *m);
void record_muon_end(struct ops_device *d, const struct ops_muon *m);
void record_diagonal(struct ops_device *d, size_t n, double alpha, double beta, const void *in, void *out);

#endif
