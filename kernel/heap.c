#include "config.h"

#include "kernel/heap.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { HUGE_PAGE = 2 * 1024 * 1024 };

void
heap_expect(size_t bytes)
{
	uintptr_t start, end;
	void *first;

	/* Not twice, or for no more than what one page holds: then it is as it was. */
	if (bytes < HUGE_PAGE || bytes > INT32_MAX)
		return;
	mallopt(M_MMAP_THRESHOLD, (int)bytes);
	mallopt(M_TRIM_THRESHOLD, (int)bytes);
	mallopt(M_TOP_PAD, (int)bytes);
	first = malloc(HUGE_PAGE); /* the heap grows by that and the pad */
	start = ((uintptr_t)first + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
	end = (uintptr_t)sbrk(0) / HUGE_PAGE * HUGE_PAGE;
	/* Another malloc than glibc's may have its heap elsewhere. */
	if (first && start < end)
		madvise((void *)start, end - start, MADV_HUGEPAGE);
	free(first);
	mallopt(M_TOP_PAD, HUGE_PAGE);
}
