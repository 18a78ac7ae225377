#include "config.h"

#include "kernel/html.h"

#include <string.h>

#include "base/utf8.h"

static const char *
escape(uint32_t cp)
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
		break;
	}
	if ((cp < 0x20 && cp != '\n' && cp != '\t') || cp == 0x7F || cp == UTF8_REPLACEMENT)
		return "\xEF\xBF\xBD";
	return NULL;
}

void
html_attribute(struct buf *buf, const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		uint32_t cp;
		size_t n = utf8_decode(text + i, len - i, &cp);
		const char *instead = escape(cp);

		if (instead)
			buf_puts(buf, instead);
		else
			buf_add(buf, text + i, n);
		i += n;
	}
}

void
html_text(struct buf *buf, const char *text)
{
	buf_puts(buf, "<bdi>");
	html_attribute(buf, text, strlen(text));
	buf_puts(buf, "</bdi>");
}
