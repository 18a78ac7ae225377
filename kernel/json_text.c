#include "config.h"

#include "kernel/json_text.h"

#include <string.h>

#include "base/utf8.h"

/* Behind the backslash; 'u' stands for the long form. */
static char
escape_of(unsigned char c)
{
	switch (c) {
	case '"':
	case '\\':
		return (char)c;
	case '\b':
		return 'b';
	case '\f':
		return 'f';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return c < 0x20 ? 'u' : '\0';
	}
}

void
json_text_escape(struct buf *buf, const char *text, size_t len)
{
	size_t plain = 0; /* where the run of characters that stand for themselves began */

	for (size_t i = 0; i < len; i++) {
		char escape = escape_of((unsigned char)text[i]);

		if (!escape)
			continue;
		buf_add(buf, text + plain, i - plain);
		plain = i + 1;
		if (escape == 'u')
			buf_printf(buf, "\\u%04x", (unsigned)(unsigned char)text[i]);
		else
			buf_add(buf, (const char[]){ '\\', escape }, 2);
	}
	buf_add(buf, text + plain, len - plain);
}

void
json_text_string(struct buf *buf, const char *text)
{
	size_t len = strlen(text);
	CLEANUP(buf_release) struct buf clean = { 0 };

	buf_putc(buf, '"');
	if (utf8_valid(text, len)) {
		json_text_escape(buf, text, len);
	} else {
		utf8_sanitise(&clean, text, len);
		json_text_escape(buf, buf_text(&clean), clean.len);
	}
	buf_putc(buf, '"');
}

json_t *
json_text_new(const char *text)
{
	CLEANUP(buf_release) struct buf clean = { 0 };
	json_t *value = json_string(text ? text : "");

	if (value)
		return value;
	utf8_sanitise(&clean, text, strlen(text));
	return json_string(buf_text(&clean));
}
