/* The device that tests compare with: each operation as its definition reads, in double precision, on one thread. */
#ifndef KERNELS_PLAIN_H
#define KERNELS_PLAIN_H

#include "kernels/ops.h"

struct ops_device *plain_open(void);

void plain_attention_forward(struct ops_device *d, const struct ops_attention *a);
void plain_attention_backward(struct ops_device *d, const struct ops_attention *a, const void *dout, void *dqkv);
void plain_rotate(struct ops_device *d, const struct ops_rotate *r);
void plain_keep_rows(struct ops_device *d, const struct ops_keep *k);
void plain_decode_attention(struct ops_device *d, const struct ops_decode *a);
void plain_muon_begin(struct ops_device *d, const struct ops_muon *m);
void plain_muon_end(struct ops_device *d, const struct ops_muon *m);
void plain_diagonal(struct ops_device *d, size_t n, double alpha, double beta, const void *in, void *out);

size_t plain_packed_size(struct ops_device *d, const struct ops_pack *p);
void plain_pack(struct ops_device *d, const struct ops_pack *p, void *to);
void plain_packed_matmul(struct ops_device *d, const struct ops_packed *m);

/* The nearest bfloat16. */
double plain_bf16(double x);

/* What a number of a place is multiplied with. */
static inline double
plain_keep(const struct ops_dropout *dropout, uint64_t element)
{
	if (dropout->rate <= 0)
		return 1;
	if (ops_random(dropout->step->seed, dropout->step->step, dropout->site, element) < ops_dropped_below(dropout->rate))
		return 0;
	return 1 / (1 - dropout->rate);
}

#endif
