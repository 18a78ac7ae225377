#include "config.h"

#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Blocks double from the first size on; past the last size that malloc gives, a block is a page of the large kind, which
 * saves five hundred page faults where there is such a kind: they were a third of the time that a large program took. */
enum { FIRST_BLOCK = 4096, MAX_MALLOC_BLOCK = 256 * 1024, HUGE_PAGE = 2 * 1024 * 1024 };

struct block {
	struct block *next;
	size_t used, size;
	size_t mapped; /* bytes to unmap; 0: malloc's */
	alignas(max_align_t) char bytes[];
};

struct arena {
	struct block *head; /* the block that is being filled; full ones behind it */
	size_t used;
};

struct arena *
arena_new(void)
{
	return xcalloc(1, sizeof(struct arena));
}

void
arena_free(struct arena *arena)
{
	if (!arena)
		return;
	for (struct block *b = arena->head, *next; b; b = next) {
		next = b->next;
		if (b->mapped)
			munmap(b, b->mapped);
		else
			free(b);
	}
	free(arena);
}

/* Whole large pages, aligned as such: more than that is mapped, and the ends given back. */
static struct block *
map_block(size_t need)
{
	size_t size = (sizeof(struct block) + need + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE, before;
	char *start = mmap(NULL, size + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct block *b;

	if (start == MAP_FAILED)
		return NULL;
	before = (HUGE_PAGE - (uintptr_t)start % HUGE_PAGE) % HUGE_PAGE;
	if (before)
		munmap(start, before);
	munmap(start + before + size, HUGE_PAGE - before);
	madvise(start + before, size, MADV_HUGEPAGE); /* a wish: without it they are pages of the small kind */
	b = (struct block *)(void *)(start + before);
	b->size = size - sizeof *b;
	b->mapped = size;
	return b;
}

static struct block *
malloc_block(size_t size)
{
	struct block *b = xcalloc(1, sizeof *b + size);

	b->size = size;
	return b;
}

__attribute__((noinline)) static void
add_block(struct arena *arena, size_t need)
{
	size_t size = arena->head ? arena->head->size * 2 : FIRST_BLOCK;
	struct block *b = NULL;

	if (size < need)
		size = need;
	if (size > MAX_MALLOC_BLOCK)
		b = map_block(need);
	if (!b)
		b = malloc_block(size > MAX_MALLOC_BLOCK ? need : size);
	b->next = arena->head;
	arena->head = b;
}

static void *
take(struct arena *arena, size_t need)
{
	struct block *b = arena->head;
	void *p = b->bytes + b->used;

	b->used += need;
	arena->used += need;
	return p;
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	size_t align = alignof(max_align_t);
	size_t need = (size + align - 1) / align * align;
	const struct block *b = arena->head;

	if (b && need >= size && b->size - b->used >= need)
		return take(arena, need);
	if (need < size)
		BUG("arena size overflows");
	add_block(arena, need);
	return take(arena, need);
}

void *
arena_copy(struct arena *arena, const void *bytes, size_t size)
{
	return size ? memcpy(arena_alloc(arena, size), bytes, size) : NULL;
}

char *
arena_strndup(struct arena *arena, const char *text, size_t len)
{
	char *copy = arena_alloc(arena, len + 1);

	if (len)
		memcpy(copy, text, len);
	return copy;
}

char *
arena_strdup(struct arena *arena, const char *text)
{
	return arena_strndup(arena, text, strlen(text));
}

char *
arena_vprintf(struct arena *arena, const char *format, va_list args)
{
	char brief[256]; /* most are: printed once, and copied */
	va_list again;
	char *text;
	int n;

	va_copy(again, args);
	n = vsnprintf(brief, sizeof brief, format, again);
	va_end(again);
	if (n < 0)
		BUG("format `%s` cannot be printed", format);
	if ((size_t)n < sizeof brief)
		return arena_strndup(arena, brief, (size_t)n);
	text = arena_alloc(arena, (size_t)n + 1);
	vsnprintf(text, (size_t)n + 1, format, args);
	return text;
}

char *
arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = arena_vprintf(arena, format, args);
	va_end(args);
	return text;
}

size_t
arena_used(const struct arena *arena)
{
	return arena->used;
}
