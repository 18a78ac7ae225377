#include "config.h"

#include "kernels/cuda/emulate_fiber.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#define FIBERS_ARE_TOLD 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBERS_ARE_TOLD 1
#endif
#endif

#ifdef FIBERS_ARE_TOLD
#include <sanitizer/asan_interface.h>
#endif

enum { STACK = 128 * 1024 };

#ifdef __x86_64__

/* swapcontext asks the system for the signal mask each time, which takes longer than all else: this is a switch and nothing more. */
extern "C" void emulate_switch(void **save, void *to);
__asm__(".text\n"
	".globl emulate_switch\n"
	".type emulate_switch, @function\n"
	"emulate_switch:\n"
	"	pushq %rbp\n"
	"	pushq %rbx\n"
	"	pushq %r12\n"
	"	pushq %r13\n"
	"	pushq %r14\n"
	"	pushq %r15\n"
	"	movq %rsp, (%rdi)\n"
	"	movq %rsi, %rsp\n"
	"	popq %r15\n"
	"	popq %r14\n"
	"	popq %r13\n"
	"	popq %r12\n"
	"	popq %rbx\n"
	"	popq %rbp\n"
	"	ret\n"
	".size emulate_switch, .-emulate_switch\n");

static void
prepare(struct fiber *f, void (*run)(void))
{
	/* Six registers, where to return to, and what makes the stack as the calling convention wants it on entry. */
	void **top = (void **)(f->stack + STACK) - 8;

	for (int i = 0; i < 8; i++)
		top[i] = NULL;
	top[6] = (void *)run;
	f->at = top;
}

static void
to_fiber(struct fiber *f)
{
	emulate_switch(&f->host, f->at);
}

static void
to_host(struct fiber *f)
{
	emulate_switch(&f->at, f->host);
}

#else

static void
prepare(struct fiber *f, void (*run)(void))
{
	getcontext(&f->context);
	f->context.uc_stack.ss_sp = f->stack;
	f->context.uc_stack.ss_size = STACK;
	f->context.uc_link = NULL;
	makecontext(&f->context, run, 0);
}

static void
to_fiber(struct fiber *f)
{
	swapcontext(&f->host, &f->context);
}

static void
to_host(struct fiber *f)
{
	swapcontext(&f->context, &f->host);
}

#endif

#ifdef FIBERS_ARE_TOLD
static const void *host_stack;
static size_t host_stack_size;
#endif

void
fiber_start(struct fiber *f, void (*run)(void))
{
	if (!f->stack) {
		f->stack = (unsigned char *)mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (f->stack == MAP_FAILED)
			abort();
	}
	f->fake = NULL;
	prepare(f, run);
}

void
fiber_resume(struct fiber *f)
{
#ifdef FIBERS_ARE_TOLD
	void *fake;

	__sanitizer_start_switch_fiber(&fake, f->stack, STACK);
	to_fiber(f);
	__sanitizer_finish_switch_fiber(fake, NULL, NULL);
#else
	to_fiber(f);
#endif
}

void
fiber_entered(void)
{
#ifdef FIBERS_ARE_TOLD
	__sanitizer_finish_switch_fiber(NULL, &host_stack, &host_stack_size);
#endif
}

void
fiber_pause(struct fiber *f)
{
#ifdef FIBERS_ARE_TOLD
	__sanitizer_start_switch_fiber(&f->fake, host_stack, host_stack_size);
	to_host(f);
	__sanitizer_finish_switch_fiber(f->fake, NULL, NULL);
#else
	to_host(f);
#endif
}

void
fiber_leave(struct fiber *f)
{
#ifdef FIBERS_ARE_TOLD
	__sanitizer_start_switch_fiber(NULL, host_stack, host_stack_size);
#endif
	to_host(f);
}

void
fiber_wipe(struct fiber *f)
{
	(void)f;
#ifdef FIBERS_ARE_TOLD
	if (f->stack)
		__asan_unpoison_memory_region(f->stack, STACK);
#endif
}
