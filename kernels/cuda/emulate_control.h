/* What tests say to the emulation of emulate.h, and ask of it. Also for C. */
#ifndef KERNELS_CUDA_EMULATE_CONTROL_H
#define KERNELS_CUDA_EMULATE_CONTROL_H

#ifdef __cplusplus
extern "C" {
#endif

enum emulate_order { EMULATE_FORWARD, EMULATE_BACKWARD };

/* How often things happened since emulate_clear. */
struct emulate_counts {
	unsigned long launches, blocks, barriers, mmas, ldmatrixes;
	unsigned long conflicts; /* rows of ldmatrix that meet another of their eight in a bank of shared memory */
};

void emulate_order(enum emulate_order order);
const char *emulate_failure(void); /* NULL: none */
void emulate_clear(void); /* forgets the failure, and counts from zero */
struct emulate_counts *emulate_counters(void);

#ifdef __cplusplus
}
#endif

#endif
