/* A thread of the emulation: a stack of its own, on which it runs until it switches to the host's. The address sanitizer is told. */
#ifndef KERNELS_CUDA_EMULATE_FIBER_H
#define KERNELS_CUDA_EMULATE_FIBER_H

#include <stddef.h>

#ifndef __x86_64__
#include <ucontext.h>
#endif

struct fiber {
	unsigned char *stack; /* NULL before the first start; the process keeps it */
	void *fake; /* the address sanitizer's own stack of this one */
#ifdef __x86_64__
	void *at, *host; /* stack pointers, of the one that does not run */
#else
	ucontext_t context, host;
#endif
};

/* The next fiber_resume calls `run`, which never returns: it ends by fiber_leave. */
void fiber_start(struct fiber *f, void (*run)(void));
/* From the host: until the fiber leaves or pauses. */
void fiber_resume(struct fiber *f);
/* The first thing that `run` does. */
void fiber_entered(void);
/* From the fiber: until it is resumed. */
void fiber_pause(struct fiber *f);
/* From the fiber, for good. */
void fiber_leave(struct fiber *f);
/* Forgets what frames of a fiber that never left them are marked with. */
void fiber_wipe(struct fiber *f);

#endif
