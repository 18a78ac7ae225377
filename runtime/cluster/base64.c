#include "config.h"

#include "runtime/cluster/base64.h"

#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int
digit(char c)
{
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

char *
base64_decode(struct arena *arena, const char *text, size_t len, size_t *ret_len)
{
	char *bytes = arena_alloc(arena, len / 4 * 3 + 4);
	unsigned group = 0, n_digits = 0, n_pads = 0;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		int value = digit(text[i]);

		if (text[i] && strchr(" \t\r\n", text[i]))
			continue;
		if (text[i] == '=' ? ++n_pads > 2 : value < 0 || n_pads)
			return NULL;
		if (text[i] == '=')
			continue;
		group = (group << 6 | (unsigned)value) & 0xffffff;
		if (++n_digits % 4)
			continue;
		bytes[n++] = (char)(group >> 16);
		bytes[n++] = (char)(group >> 8 & 0xff);
		bytes[n++] = (char)(group & 0xff);
	}
	if (n_digits % 4 == 1 || (n_pads && (n_digits + n_pads) % 4))
		return NULL;
	if (n_digits % 4 == 2)
		bytes[n++] = (char)(group >> 4 & 0xff);
	if (n_digits % 4 == 3) {
		bytes[n++] = (char)(group >> 10 & 0xff);
		bytes[n++] = (char)(group >> 2 & 0xff);
	}
	bytes[n] = '\0';
	*ret_len = n;
	return bytes;
}

void
base64_encode(struct buf *buf, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i += 3) {
		unsigned n = len - i < 3 ? (unsigned)(len - i) : 3, group = 0;

		for (unsigned j = 0; j < 3; j++)
			group = group << 8 | (j < n ? (unsigned char)bytes[i + j] : 0);
		for (unsigned j = 0; j < 4; j++)
			buf_putc(buf, j > n ? '=' : digits[group >> (18 - 6 * j) & 63]);
	}
}
