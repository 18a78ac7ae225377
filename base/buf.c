#include "config.h"

#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
buf_release(struct buf *buf)
{
	size_t max = buf->max;

	free(buf->data);
	*buf = (struct buf){ .max = max };
}

void
buf_clear(struct buf *buf)
{
	buf->len = 0;
	buf->overflow = false;
	if (buf->data)
		buf->data[0] = '\0';
}

const char *
buf_text(const struct buf *buf)
{
	return buf->data ? buf->data : "";
}

char *
buf_detach(struct buf *buf, size_t *ret_len)
{
	char *data = buf->data ? buf->data : xcalloc(1, 1);

	if (ret_len)
		*ret_len = buf->len;
	buf->data = NULL;
	buf->len = buf->cap = 0;
	return data;
}

/* The storage never holds more than the ceiling and its NUL, so what fits is allowed. */
static bool
fits(const struct buf *buf, size_t len)
{
	return len < buf->cap - buf->len && !buf->overflow;
}

static bool
grow(struct buf *buf, size_t len)
{
	size_t max = buf->max ? buf->max : BUF_DEFAULT_MAX;
	size_t need = buf->len + len + 1;

	if (buf->overflow || len > max || buf->len > max - len) {
		buf->overflow = true;
		return false;
	}
	buf->cap = need < 64 ? 64 : need + need / 2;
	if (buf->cap - 1 > max)
		buf->cap = max + 1;
	buf->data = xrealloc(buf->data, buf->cap);
	return true;
}

char *
buf_space(struct buf *buf, size_t len)
{
	return fits(buf, len) || grow(buf, len) ? buf->data + buf->len : NULL;
}

void
buf_commit(struct buf *buf, size_t len)
{
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void
buf_add(struct buf *buf, const void *bytes, size_t len)
{
	if (!fits(buf, len) && !grow(buf, len))
		return;
	if (len)
		memcpy(buf->data + buf->len, bytes, len);
	buf_commit(buf, len);
}

void
buf_puts(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void
buf_putc(struct buf *buf, char c)
{
	if (!fits(buf, 1) && !grow(buf, 1))
		return;
	buf->data[buf->len] = c;
	buf_commit(buf, 1);
}

void
buf_repeat(struct buf *buf, char c, size_t count)
{
	char *space = buf_space(buf, count);

	if (!space)
		return;
	memset(space, c, count);
	buf_commit(buf, count);
}

/* Once into what room there is; again only where that was too little. */
void
buf_vprintf(struct buf *buf, const char *format, va_list args)
{
	size_t room = buf->overflow ? 0 : buf->cap - buf->len;
	va_list again;
	char *space;
	int n;

	va_copy(again, args);
	n = vsnprintf(room ? buf->data + buf->len : NULL, room, format, again);
	va_end(again);
	if (n < 0)
		BUG("format `%s` cannot be printed", format);
	space = buf_space(buf, (size_t)n);
	if (space && (size_t)n >= room)
		vsnprintf(space, (size_t)n + 1, format, args);
	if (space)
		buf_commit(buf, (size_t)n);
	else if (room)
		buf->data[buf->len] = '\0';
}

void
buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	buf_vprintf(buf, format, args);
	va_end(args);
}

void
buf_consume(struct buf *buf, size_t n)
{
	if (n > buf->len)
		BUG("consume %zu of %zu bytes", n, buf->len);
	if (!n)
		return;
	memmove(buf->data, buf->data + n, buf->len - n);
	buf->len -= n;
	buf->data[buf->len] = '\0';
}
