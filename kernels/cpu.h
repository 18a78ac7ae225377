/* The CPU device: memory, threads and scratch, which its sets of instructions share. The operations themselves are in simd_*.h, built
 * once for each set. Private to kernels/. */
#ifndef KERNELS_CPU_H
#define KERNELS_CPU_H

#include "kernels/ops.h"
#include "kernels/team.h"

struct cpu {
	struct ops_device device; /* first */
	struct team *team;
	struct cpu_scratch {
		void *memory;
		size_t size;
	} shared, own[OPS_THREADS_MAX]; /* of an operation, and of each worker in a piece of one */
};

/* At least so many bytes, on a cache line; what was there is lost. NULL when there is no memory: the device has failed then, and the
 * caller leaves its work undone. */
void *cpu_scratch(struct cpu *cpu, struct cpu_scratch *scratch, size_t bytes);

/* What all sets of instructions have in common of struct ops. */
void cpu_close(struct ops_device *d);
void *cpu_alloc(struct ops_device *d, size_t bytes);
void cpu_free(struct ops_device *d, void *memory);
void cpu_copy(struct ops_device *d, void *to, const void *from, size_t bytes);
void cpu_put(struct ops_device *d, void *to, const float *from, size_t n);
void cpu_get(struct ops_device *d, float *to, const void *from, size_t n);
void cpu_clear(struct ops_device *d, void *at, size_t bytes);
int cpu_sync(struct ops_device *d);
void cpu_mark(struct ops_device *d);

extern const struct ops CPU_BASE, CPU_AVX2, CPU_AVX512, CPU_AVX512_BF16; /* what this machine has not must not be called */

#endif
