/* Memory that is freed all at once. What an arena returns is aligned for any type, zeroed, and lives until
 * arena_free. Not for use from two threads at a time. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "base/macros.h"

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *arena); /* NULL is fine */

void *arena_alloc(struct arena *arena, size_t size);
/* A copy of `size` bytes; NULL for size 0. Used to settle a VEC: arena_copy(a, v.items, v.n * sizeof *v.items). */
void *arena_copy(struct arena *arena, const void *bytes, size_t size);
char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t len);
char *arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);
char *arena_vprintf(struct arena *arena, const char *format, va_list args) PRINTF_LIKE(2, 0);

/* Bytes handed out so far, for tests and size reports. */
size_t arena_used(const struct arena *arena);

#define arena_new_struct(arena, type) ((type *)arena_alloc((arena), sizeof(type)))

#endif
