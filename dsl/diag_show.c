#include "config.h"

#include "dsl/diag_show.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

/* U+2028 and U+2029 end lines in some terminals and in HTML; U+FEFF and the tags cannot be seen. */
static bool
is_hidden(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7F && cp < 0xA0) || cp == 0x2028 || cp == 0x2029 || cp == 0xFEFF ||
	       (cp >= 0xE0000 && cp <= 0xE007F) || utf8_is_bidi_control(cp);
}

size_t
show_char(struct buf *buf, const char *text, size_t len, size_t column, size_t *ret_width)
{
	uint32_t cp;
	size_t n = utf8_decode(text, len, &cp);
	char escape[16];

	if (n == 1 && cp == UTF8_REPLACEMENT) {
		buf_puts(buf, "\xEF\xBF\xBD");
		*ret_width = 1;
	} else if (cp == '\t') {
		*ret_width = SHOW_TAB - column % SHOW_TAB;
		buf_repeat(buf, ' ', *ret_width);
	} else if (is_hidden(cp)) {
		*ret_width = (size_t)snprintf(escape, sizeof(escape), "<U+%04X>", cp);
		buf_puts(buf, escape);
	} else {
		buf_add(buf, text, n);
		*ret_width = (size_t)utf8_char_width(cp);
	}
	return n;
}

void
show_text(struct buf *buf, const char *text)
{
	size_t len = strlen(text), width;

	for (size_t i = 0; i < len;)
		i += show_char(buf, text + i, len - i, 0, &width);
}

size_t
show_width(const char *text, size_t len)
{
	struct buf shown = { 0 };
	size_t column = 0, width;

	for (size_t i = 0; i < len; column += width) {
		i += show_char(&shown, text + i, len - i, column, &width);
		buf_clear(&shown);
	}
	buf_release(&shown);
	return column;
}

static size_t
line_length(const struct source *source, unsigned line)
{
	size_t len;
	const char *text = source_line(source, line, &len);

	return len && text[len - 1] == '\r' ? len - 1 : len;
}

static size_t
line_indent(const struct source *source, unsigned line)
{
	const char *text;
	size_t len, n = 0;

	text = source_line(source, line, &len);
	while (n < len && (text[n] == ' ' || text[n] == '\t'))
		n++;
	return n;
}

static size_t
min(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t
add_span(struct show_mark *marks, size_t n, struct span span, bool primary, const char *text)
{
	struct source *source = span.source;
	uint32_t last_byte = span.end > span.start ? span.end - 1 : span.start;
	unsigned first, last;
	size_t first_start, last_start, len;

	if (!source || n + 2 > SHOW_MARKS_MAX)
		return n;
	first = source_place(source, span.start).line;
	last = source_place(source, last_byte).line;
	first_start = source_line_start(source, first);
	last_start = source_line_start(source, last);
	len = line_length(source, first);
	if (first == last) {
		marks[n++] = (struct show_mark){ source, first, min(span.start - first_start, len),
			min(span.end - first_start, len), primary, text };
		return n;
	}
	marks[n++] = (struct show_mark){ source, first, min(span.start - first_start, len), len, primary, NULL };
	len = line_length(source, last);
	marks[n++] = (struct show_mark){ source, last, min(line_indent(source, last), min(span.end - last_start, len)),
		min(span.end - last_start, len), primary, text };
	return n;
}

static int
by_place(const void *a, const void *b)
{
	const struct show_mark *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->primary != y->primary)
		return x->primary ? -1 : 1;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->end < y->end ? -1 : x->end > y->end;
}

/* Marks of one source side by side, sources in the order in which they first come. */
static void
sort_marks(struct show_mark *marks, size_t n)
{
	size_t done = 0;

	while (done < n) {
		const struct source *source = marks[done].source;
		size_t end = done + 1;

		for (size_t i = end; i < n; i++) {
			struct show_mark mark = marks[i];

			if (mark.source != source)
				continue;
			memmove(&marks[end + 1], &marks[end], (i - end) * sizeof(*marks));
			marks[end++] = mark;
		}
		qsort(marks + done, end - done, sizeof(*marks), by_place);
		done = end;
	}
}

size_t
show_marks(const struct diag *diag, struct show_mark *ret)
{
	size_t n = add_span(ret, 0, diag->span, true, diag->label);

	for (size_t i = 0; i < diag->n_labels; i++)
		n = add_span(ret, n, diag->labels[i].span, false, diag->labels[i].text);
	sort_marks(ret, n);
	return n;
}
