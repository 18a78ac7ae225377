#include "config.h"

#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BLOCK = 4096, MAX_BLOCK = 256 * 1024 };

struct block {
	struct block *next;
	size_t used, size;
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
		free(b);
	}
	free(arena);
}

static struct block *
add_block(struct arena *arena, size_t need)
{
	size_t size = arena->head ? arena->head->size * 2 : FIRST_BLOCK;
	struct block *b;

	if (size > MAX_BLOCK)
		size = MAX_BLOCK;
	if (size < need)
		size = need;
	b = xcalloc(1, sizeof *b + size);
	b->size = size;
	b->next = arena->head;
	arena->head = b;
	return b;
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	size_t align = alignof(max_align_t);
	size_t need = (size + align - 1) / align * align;
	struct block *b = arena->head;
	void *p;

	if (need < size)
		BUG("arena size overflows");
	if (!b || b->size - b->used < need)
		b = add_block(arena, need);
	p = b->bytes + b->used;
	b->used += need;
	arena->used += need;
	return p;
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
	va_list again;
	char *text;
	int n;

	va_copy(again, args);
	n = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (n < 0)
		BUG("format `%s` cannot be printed", format);
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
