#include "config.h"

#include "base/markup.h"

#include <stdbool.h>

#include "base/utf8.h"

static const char *
entity(uint32_t cp)
{
	switch (cp) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

static bool
is_forbidden(uint32_t cp)
{
	if (cp < 0x20)
		return cp != '\t' && cp != '\n' && cp != '\r';
	return (cp >= 0x7F && cp < 0xA0) || (cp & 0xFFFE) == 0xFFFE || cp == UTF8_REPLACEMENT;
}

void
markup_escape(struct buf *buf, const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		uint32_t cp;
		size_t n = utf8_decode(text + i, len - i, &cp);

		if (entity(cp))
			buf_puts(buf, entity(cp));
		else if (is_forbidden(cp))
			buf_puts(buf, "\xEF\xBF\xBD");
		else
			buf_add(buf, text + i, n);
		i += n;
	}
}

void
markup_isolate(struct buf *buf, const char *text, size_t len)
{
	buf_puts(buf, "<bdi>");
	markup_escape(buf, text, len);
	buf_puts(buf, "</bdi>");
}
