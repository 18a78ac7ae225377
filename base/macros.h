/* Language helpers that every room may use: attributes, array length, assertions of our own.
 *
 * BUG() is for what can only be our mistake; it prints one line and aborts. What a user or the world
 * did wrong is never a BUG(). Running out of memory is fatal: every size that comes from outside has a
 * named ceiling, so an allocation that fails means that the machine is out of memory. */
#ifndef BASE_MACROS_H
#define BASE_MACROS_H

#include <stddef.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define CLEANUP(fn) __attribute__((cleanup(fn)))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define NORETURN __attribute__((noreturn))
#define UNUSED __attribute__((unused))
#define MUST_CHECK __attribute__((warn_unused_result))

/* Our own mistake: says where, then aborts. */
#define BUG(...) bug_at(__FILE__, __LINE__, __VA_ARGS__)
NORETURN void bug_at(const char *file, int line, const char *format, ...) PRINTF_LIKE(3, 4);

/* malloc and friends that never return NULL. */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t len);

/* Cleanup function for `CLEANUP(freep) char *p`. */
void freep(void *pointer_to_pointer);

/* A growing array. `struct { ITEM *items; size_t n, cap; }` by any name is one:
 *     VEC(struct token) tokens = {0};
 *     vec_push(&tokens, tok);
 * Items move when it grows. vec_release frees the storage, not what the items own. */
#define VEC(item_type) struct { item_type *items; size_t n, cap; }
#define vec_push(v, item) \
	(vec_reserve((void **)&(v)->items, &(v)->cap, (v)->n + 1, sizeof *(v)->items), (void)((v)->items[(v)->n++] = (item)))
#define vec_release(v) (freep(&(v)->items), (void)((v)->n = (v)->cap = 0))
void vec_reserve(void **items, size_t *cap, size_t need, size_t item_size);

#endif
