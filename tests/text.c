#include "config.h"

#include "tests/text.h"

#include <stdlib.h>
#include <string.h>

void
text_replace(struct buf *buf, const char *from, const char *to)
{
	struct buf old = *buf;
	const char *text = buf_text(&old), *at;

	*buf = (struct buf){ 0 };
	while ((at = strstr(text, from))) {
		buf_add(buf, text, (size_t)(at - text));
		buf_puts(buf, to);
		text = at + strlen(from);
	}
	buf_puts(buf, text);
	buf_release(&old);
}

void
text_unescape(struct buf *buf, const char *text)
{
	for (; *text; text++) {
		if (*text != '\\') {
			buf_putc(buf, *text);
			continue;
		}
		switch (*++text) {
		case 'r':
			buf_putc(buf, '\r');
			break;
		case 't':
			buf_putc(buf, '\t');
			break;
		case '0':
			buf_putc(buf, '\0');
			break;
		case 'x':
			buf_putc(buf, (char)strtoul((char[]){ text[1], text[2], 0 }, NULL, 16));
			text += 2;
			break;
		case '\n':
			break;
		default:
			buf_putc(buf, *text);
		}
	}
}
