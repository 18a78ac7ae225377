#include "config.h"

#include "base/macros.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
bug_at(const char *file, int line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "lateen: bug at %s:%d: ", file, line);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	abort();
}

static NORETURN void
out_of_memory(size_t size)
{
	fprintf(stderr, "lateen: out of memory (wanted %zu bytes)\n", size);
	abort();
}

void *
xmalloc(size_t size)
{
	void *p = malloc(size ? size : 1);

	if (!p)
		out_of_memory(size);
	return p;
}

void *
xcalloc(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size ? size : 1);

	if (!p)
		out_of_memory(size);
	return p;
}

void *
xrealloc(void *old, size_t size)
{
	void *p = realloc(old, size ? size : 1);

	if (!p)
		out_of_memory(size);
	return p;
}

char *
xstrndup(const char *text, size_t len)
{
	char *copy = xmalloc(len + 1);

	if (len)
		memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

char *
xstrdup(const char *text)
{
	return xstrndup(text, strlen(text));
}

void
freep(void *pointer_to_pointer)
{
	void **p = pointer_to_pointer;

	free(*p);
	*p = NULL;
}

/* Most arrays are small, and there may be one in each of many items: they begin small, whatever is in them. */
enum { FIRST_BYTES = 64 };

void
vec_reserve(void **items, size_t *cap, size_t need, size_t item_size)
{
	size_t first;

	if (need <= *cap)
		return;
	first = item_size < FIRST_BYTES / 2 ? FIRST_BYTES / item_size : 2;
	*cap = need < first ? first : need + need / 2;
	*items = xrealloc(*items, *cap * item_size);
}
