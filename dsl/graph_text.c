#include "config.h"

#include "dsl/graph_text.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/markup.h"
#include "base/utf8.h"

/* Thousandths of the font size, from U+0020 on: Helvetica's. Other common fonts are up to a fifth wider. */
static const uint16_t widths[95] = {
	278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, /*   ! " # … / */
	556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, /* 0 … ? */
	1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778, /* @ A … O */
	667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, /* P … _ */
	333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, /* ` a … o */
	556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584, /* p … ~ */
};

static const double spare[] = { [TEXT_PLAIN] = 1.14, [TEXT_BOLD] = 1.24, [TEXT_MONO] = 1.0 };
static const double MONO_WIDTH = 0.62, OTHER_WIDTH = 0.66, WIDE_WIDTH = 1.0, EMOJI_WIDTH = 1.3;
enum { JOINER = 0x200D };

static double
char_width(uint32_t cp, enum text_face face)
{
	int columns = utf8_char_width(cp);

	if (columns <= 0 || cp == JOINER || (cp >= 0xFE00 && cp <= 0xFE0F))
		return 0;
	if (columns > 1)
		return cp >= 0x1F000 ? EMOJI_WIDTH : WIDE_WIDTH;
	if (face == TEXT_MONO)
		return MONO_WIDTH;
	return spare[face] * (cp >= 0x20 && cp < 0x7F ? widths[cp - 0x20] / 1000.0 : OTHER_WIDTH);
}

double
graph_text_width(const char *text, size_t len, double size, enum text_face face)
{
	double width = 0;

	for (size_t i = 0; i < len;) {
		uint32_t cp;

		i += utf8_decode(text + i, len - i, &cp);
		width += char_width(cp, face) * size;
	}
	return width;
}

size_t
graph_text_fit(const char *text, size_t len, double room, double size, enum text_face face)
{
	double width = 0, dots = char_width(0x2026, face) * size;
	size_t good = 0;
	bool joined = false;

	if (graph_text_width(text, len, size, face) <= room)
		return len;
	for (size_t i = 0; i < len;) {
		uint32_t cp;
		size_t n = utf8_decode(text + i, len - i, &cp);
		double w = char_width(cp, face) * size;

		/* A cut may only stand before what begins something of its own. */
		if (w > 0 && !joined && width + dots <= room)
			good = i;
		joined = cp == JOINER;
		width += w;
		i += n;
		if (width > room + dots)
			break;
	}
	return good;
}

/* What stands for a code point that may not be shown; the code point itself if it may. */
static uint32_t
cleaned(uint32_t cp)
{
	if (cp == '\t' || cp == '\n' || cp == '\r')
		return ' ';
	if (cp < 0x20 || (cp >= 0x7F && cp < 0xA0) || utf8_is_bidi_control(cp) || cp == 0x2028 || cp == 0x2029)
		return UTF8_REPLACEMENT;
	return (cp & 0xFFFE) == 0xFFFE ? UTF8_REPLACEMENT : cp;
}

static void
add_code_point(struct buf *buf, uint32_t cp)
{
	char bytes[4];

	buf_add(buf, bytes, utf8_encode(cp, bytes));
}

void
graph_text_clean(struct buf *buf, const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		uint32_t cp;

		i += utf8_decode(text + i, len - i, &cp);
		add_code_point(buf, cleaned(cp));
	}
}

void
graph_text_escape(struct buf *buf, const char *text, size_t len)
{
	struct buf clean = { 0 };

	graph_text_clean(&clean, text, len);
	markup_escape(buf, buf_text(&clean), clean.len);
	buf_release(&clean);
}

/* Scripts that are written from right to left. */
static bool
is_right_to_left(uint32_t cp)
{
	return (cp >= 0x0590 && cp <= 0x08FF) || (cp >= 0xFB1D && cp <= 0xFDFF) || (cp >= 0xFE70 && cp <= 0xFEFC) ||
	       (cp >= 0x10800 && cp <= 0x10FFF) || (cp >= 0x1E800 && cp <= 0x1EFFF);
}

void
graph_text_isolate(struct buf *buf, const char *text)
{
	size_t len = strlen(text);
	bool isolate = false;

	for (size_t i = 0; i < len && !isolate;) {
		uint32_t cp;

		i += utf8_decode(text + i, len - i, &cp);
		isolate = is_right_to_left(cp);
	}
	if (isolate)
		add_code_point(buf, 0x2068);
	graph_text_clean(buf, text, len);
	if (isolate)
		add_code_point(buf, 0x2069);
}

void
graph_text_duration(struct buf *buf, double seconds)
{
	double most = 1e9;
	unsigned long s = seconds > 0 ? (unsigned long)(seconds < most ? seconds : most) : 0;

	if (seconds < 9.95)
		buf_printf(buf, "%.1fs", seconds > 0 ? seconds : 0.0);
	else if (s < 60)
		buf_printf(buf, "%.0fs", round(seconds) < 60 ? round(seconds) : 59.0);
	else if (s < 3600)
		buf_printf(buf, "%lum %lus", s / 60, s % 60);
	else if (s < 86400)
		buf_printf(buf, "%luh %lum", s / 3600, s / 60 % 60);
	else
		buf_printf(buf, "%lud %luh", s / 86400, s / 3600 % 24);
}
