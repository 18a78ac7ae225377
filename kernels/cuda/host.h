/* What the device asks of the machine besides launching kernels: streams, clocks, graphs, memory that both sides see, and cuBLASLt. On a
 * real one CUDA's runtime does it; under the emulation the host itself. */
#ifndef KERNELS_CUDA_HOST_H
#define KERNELS_CUDA_HOST_H

#include "kernels/cuda/cublaslt.h"
#include "kernels/cuda/cuda.h"

/* Finds the chip and makes the stream; *lt is filled. False with a sentence in *why, a constant. */
bool host_open(struct cuda *c, struct cublaslt *lt, const char **why);
void host_close(struct cuda *c);
/* The chip and what its drivers are: what choices of algorithms hold for. Without blanks. */
void host_describe(const struct cuda *c, char *ret, size_t size);

/* Memory of the host that kernels may read. NULL: there is none. */
void *host_pinned(size_t bytes);
void host_unpin(void *memory);
/* Bytes of the chip's memory. */
void host_memory(size_t *ret_free, size_t *ret_total);

/* Remembers this place in the stream; waits until all before it is done. */
void host_mark(struct cuda *c);
void host_wait(struct cuda *c);
/* Milliseconds that the stream took between the two; waits. */
void host_clock_start(struct cuda *c);
float host_clock_stop(struct cuda *c);

/* A product beside what is launched from now on, behind all that was before; `which`, below SIDE_MAX, names it. */
void host_side(struct cuda *c, const struct ops_matmul *m, size_t which);
/* What is launched from now on comes behind that product and those started before it. */
void host_join(struct cuda *c, size_t which);

/* What is launched between the two becomes a graph; NULL: the device failed. */
void host_capture(struct cuda *c);
void *host_captured(struct cuda *c);
void host_play(struct cuda *c, void *graph);
void host_forget(void *graph);

#endif
