/* A growing run of bytes, always with a NUL behind it, never past a ceiling that its owner names.
 *
 * Appending past the ceiling leaves the buffer as it was and sets `overflow`; later appends are dropped, so
 * a writer checks once, at the end. `max` 0 means BUF_DEFAULT_MAX; it is set before anything is appended. Zero-initialise it,
 * release it once. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>

#include "base/macros.h"

enum { BUF_DEFAULT_MAX = 256 * 1024 * 1024 };

struct buf {
	char *data; /* NULL while empty and never written: use buf_text for a C string */
	size_t len, cap;
	size_t max;
	bool overflow;
};

void buf_release(struct buf *buf);
void buf_clear(struct buf *buf); /* keeps the storage */
/* The bytes as a C string, "" when empty. */
const char *buf_text(const struct buf *buf);
/* Hands the storage to the caller (free it); the buffer is empty afterwards. Never NULL. */
char *buf_detach(struct buf *buf, size_t *ret_len);

void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_puts(struct buf *buf, const char *text);
void buf_putc(struct buf *buf, char c);
void buf_repeat(struct buf *buf, char c, size_t count);
void buf_printf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);
void buf_vprintf(struct buf *buf, const char *format, va_list args) PRINTF_LIKE(2, 0);
/* Drops the first n bytes. */
void buf_consume(struct buf *buf, size_t n);
/* Room for `len` more bytes to write at the returned place; buf_commit then says how many were. NULL on overflow. */
char *buf_space(struct buf *buf, size_t len);
void buf_commit(struct buf *buf, size_t len);

#endif
