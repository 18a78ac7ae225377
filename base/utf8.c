#include "config.h"

#include "base/utf8.h"

#include <utf8proc.h>

size_t
utf8_decode(const char *text, size_t len, uint32_t *ret)
{
	const unsigned char *s = (const unsigned char *)text;
	utf8proc_int32_t cp;
	utf8proc_ssize_t n;

	if (s[0] < 0x80) {
		*ret = s[0];
		return 1;
	}
	n = utf8proc_iterate(s, (utf8proc_ssize_t)len, &cp);
	if (n <= 0) {
		*ret = UTF8_REPLACEMENT;
		return 1;
	}
	*ret = (uint32_t)cp;
	return (size_t)n;
}

size_t
utf8_encode(uint32_t code_point, char *ret)
{
	return (size_t)utf8proc_encode_char((utf8proc_int32_t)code_point, (utf8proc_uint8_t *)ret);
}

bool
utf8_valid(const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		uint32_t cp;
		size_t n = utf8_decode(text + i, len - i, &cp);

		if (n == 1 && cp == UTF8_REPLACEMENT)
			return false;
		i += n;
	}
	return true;
}

static size_t
sequence_length(unsigned char lead)
{
	if (lead >= 0xF0)
		return lead <= 0xF4 ? 4 : 1;
	if (lead >= 0xE0)
		return 3;
	return lead >= 0xC2 ? 2 : 1;
}

size_t
utf8_partial_tail(const char *text, size_t len)
{
	for (size_t back = 1; back <= 3 && back <= len; back++) {
		unsigned char c = (unsigned char)text[len - back];

		if ((c & 0xC0) == 0x80)
			continue;
		return c >= 0x80 && sequence_length(c) > back ? back : 0;
	}
	return 0;
}

size_t
utf8_count(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; n++) {
		uint32_t cp;

		i += utf8_decode(text + i, len - i, &cp);
	}
	return n;
}

size_t
utf8_offset(const char *text, size_t len, size_t code_points)
{
	size_t i = 0;

	for (; i < len && code_points; code_points--) {
		uint32_t cp;

		i += utf8_decode(text + i, len - i, &cp);
	}
	return i;
}

int
utf8_char_width(uint32_t code_point)
{
	if (code_point < 0x20 || code_point == 0x7F)
		return 1;
	return utf8proc_charwidth((utf8proc_int32_t)code_point);
}

size_t
utf8_width(const char *text, size_t len)
{
	size_t width = 0;

	for (size_t i = 0; i < len;) {
		uint32_t cp;

		i += utf8_decode(text + i, len - i, &cp);
		width += (size_t)utf8_char_width(cp);
	}
	return width;
}

void
utf8_sanitise(struct buf *buf, const char *text, size_t len)
{
	size_t clean = 0;

	for (size_t i = 0; i < len;) {
		uint32_t cp;
		size_t n = utf8_decode(text + i, len - i, &cp);

		if (n == 1 && cp == UTF8_REPLACEMENT) {
			buf_add(buf, text + clean, i - clean);
			buf_puts(buf, "\xEF\xBF\xBD");
			clean = i + 1;
		}
		i += n;
	}
	buf_add(buf, text + clean, len - clean);
}

bool
utf8_is_bidi_control(uint32_t cp)
{
	return (cp >= 0x202A && cp <= 0x202E) || (cp >= 0x2066 && cp <= 0x2069) || cp == 0x200E || cp == 0x200F ||
	       cp == 0x061C;
}
