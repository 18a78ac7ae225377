/* Products that nothing waits for: gradients of parameters, which only the optimizer reads. In a graph they go beside the calls that follow
 * them, on a stream of their own, until one of those is about to write what they read. */
#ifndef KERNELS_CUDA_SIDE_H
#define KERNELS_CUDA_SIDE_H

#include "kernels/cuda/calls.h"

enum { SIDE_MAX = 32 /* under way at a time */ };

struct side {
	const struct call *calls[SIDE_MAX]; /* in their order */
	size_t n, done;
};

/* Whether this call may go there. */
bool side_takes(const struct cuda *c, const struct call *call);
void side_start(struct cuda *c, struct side *s, const struct call *call);
/* Before another call: waits for those that it would disturb. NULL: for all. */
void side_join(struct cuda *c, struct side *s, const struct call *call);

#endif
