/* How much memory this process can still have, and how much it has had. */
#ifndef RUNTIME_STEP_MEMORY_H
#define RUNTIME_STEP_MEMORY_H

#include <stddef.h>

struct memory_free {
	size_t bytes; /* SIZE_MAX: nobody knows */
	const char *why; /* what sets the limit, a constant */
};

/* The least of what the kernel says is available, what is left of the limit of the control group or of one around it (files in its cache
 * count as free, for they go when memory is wanted), and what is left of the address space that the process may have. */
struct memory_free memory_free(void);
/* The same with the files of /proc and /sys below that folder, without the address space. */
struct memory_free memory_free_below(const char *root);
/* The most that was resident at a time, in bytes; 0 where that is not told. */
size_t memory_peak(void);

#endif
