/* The heap of a command that does one thing and ends. */
#ifndef KERNEL_HEAP_H
#define KERNEL_HEAP_H

#include <stddef.h>

/* A hint that about so many bytes will come to be in use at once: they are had in huge pages where the system gives them, and stay in
 * the heap when they are freed. Each 4 KiB that is touched for the first time otherwise costs a page fault. Not for a process that
 * lives on: it would hold what it once needed. */
void heap_expect(size_t bytes);

#endif
