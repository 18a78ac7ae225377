/* Problems as text for terminals and tracebacks. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "dsl/diag.h"
#include "dsl/diag_show.h"

enum {
	LINE_WHOLE = 400, /* bytes; a longer line is shown in part only */
	LINE_BEFORE = 60, /* bytes shown before the mark of such a line */
	LINE_PART = 160, /* bytes shown of it */
};

struct writer {
	struct buf *buf;
	const struct diag_style *style;
	const char *severity_colour;
	int gutter; /* digits of the largest line number */
};

/* Fixed colours of the palette of 256, because what a page makes of the eight named ones is made for one background only. On
 * white and black, and on JupyterLab's light and dark red behind a traceback, each has a contrast of 3 and more. */
static const char BOLD[] = "\033[1m", RED[] = "\033[1;38;5;196m", MAGENTA[] = "\033[1;38;5;164m", BLUE[] = "\033[38;5;31m",
		  RESET[] = "\033[0m";

static void
colour(const struct writer *w, const char *code)
{
	if (w->style && w->style->colour)
		buf_puts(w->buf, code);
}

static const char *
ellipsis(const struct writer *w)
{
	return w->style && w->style->ascii ? "..." : "…";
}

static void
write_gutter(const struct writer *w, unsigned line)
{
	colour(w, BLUE);
	if (line)
		buf_printf(w->buf, "%*u |", w->gutter, line);
	else
		buf_printf(w->buf, "%*s |", w->gutter, "");
	colour(w, RESET);
}

static void
write_heading(const struct writer *w, const struct diag *diag)
{
	colour(w, w->severity_colour);
	buf_printf(w->buf, "%s[%s]", diag->severity == SEVERITY_ERROR ? "error" : "warning", diag_info(diag->code)->code);
	colour(w, RESET);
	colour(w, BOLD);
	buf_puts(w->buf, ": ");
	show_text(w->buf, diag->message ? diag->message : "");
	colour(w, RESET);
	buf_putc(w->buf, '\n');
}

static void
write_place(const struct writer *w, const struct source *source, struct place place, bool first)
{
	colour(w, BLUE);
	buf_printf(w->buf, "%*s%s ", w->gutter, "", first ? "-->" : ":::");
	colour(w, RESET);
	show_text(w->buf, source->name);
	buf_printf(w->buf, ":%u:%u\n", place.line, place.column);
}

/* The part of a line that is shown, in bytes. */
struct window {
	const char *text;
	size_t start, end, len;
};

static size_t
char_start(const char *text, size_t at)
{
	while (at && ((unsigned char)text[at] & 0xC0) == 0x80)
		at--;
	return at;
}

static struct window
window_of(const struct show_mark *mark)
{
	struct window window = { 0 };

	window.text = source_line(mark->source, mark->line, &window.len);
	if (window.len && window.text[window.len - 1] == '\r')
		window.len--;
	window.end = window.len;
	if (window.len <= LINE_WHOLE)
		return window;
	if (mark->start > LINE_BEFORE)
		window.start = char_start(window.text, mark->start - LINE_BEFORE);
	if (window.len - window.start > LINE_PART)
		window.end = char_start(window.text, window.start + LINE_PART);
	return window;
}

static void
write_line(const struct writer *w, unsigned line, const struct window *window)
{
	size_t column = 0, width, end = window->end;

	write_gutter(w, line);
	while (end > window->start && (window->text[end - 1] == ' ' || window->text[end - 1] == '\t'))
		end--;
	if (end > window->start)
		buf_putc(w->buf, ' ');
	if (window->start)
		buf_puts(w->buf, ellipsis(w));
	for (size_t i = window->start; i < end; column += width)
		i += show_char(w->buf, window->text + i, window->end - i, column, &width);
	if (window->end < window->len)
		buf_puts(w->buf, ellipsis(w));
	buf_putc(w->buf, '\n');
}

static size_t
clamp(size_t at, const struct window *window)
{
	return at < window->start ? window->start : at > window->end ? window->end : at;
}

static void
write_mark(const struct writer *w, const struct show_mark *mark, const struct window *window)
{
	size_t start = clamp(mark->start, window), end = clamp(mark->end, window);
	size_t before = show_width(window->text + window->start, start - window->start);
	size_t width = show_width(window->text + window->start, end - window->start) - before;

	if (window->start)
		before += utf8_width(ellipsis(w), strlen(ellipsis(w)));
	write_gutter(w, 0);
	buf_repeat(w->buf, ' ', before + 1);
	colour(w, mark->primary ? w->severity_colour : BLUE);
	buf_repeat(w->buf, mark->primary ? '^' : '-', width ? width : 1);
	if (mark->text && *mark->text) {
		buf_putc(w->buf, ' ');
		show_text(w->buf, mark->text);
	}
	colour(w, RESET);
	buf_putc(w->buf, '\n');
}

/* What lies between two lines that are shown: nothing, one line, or more than is worth the room. */
static void
write_between(const struct writer *w, const struct show_mark *before, const struct show_mark *mark)
{
	struct show_mark between = { .source = mark->source, .line = mark->line - 1 };
	struct window window;

	if (mark->line == before->line + 2) {
		window = window_of(&between);
		write_line(w, between.line, &window);
	} else if (mark->line > before->line + 2) {
		colour(w, BLUE);
		buf_puts(w->buf, "...\n");
		colour(w, RESET);
	}
}

static void
write_marks(const struct writer *w, const struct diag *diag, const struct show_mark *marks, size_t n)
{
	const struct show_mark *before = NULL;
	struct window window = { 0 };

	for (size_t i = 0; i < n; i++) {
		const struct show_mark *mark = &marks[i];
		bool same_source = before && before->source == mark->source;
		struct place place = { mark->line, 0 };

		if (!same_source) {
			place = source_place(mark->source, source_line_start(mark->source, mark->line) + (uint32_t)mark->start);
			if (mark->source == diag->span.source)
				place = source_place(mark->source, diag->span.start);
			write_place(w, mark->source, place, !before);
			write_gutter(w, 0);
			buf_putc(w->buf, '\n');
		} else {
			write_between(w, before, mark);
		}
		if (!same_source || before->line != mark->line || window.start || window.end < window.len) {
			window = window_of(mark);
			write_line(w, mark->line, &window);
		}
		write_mark(w, mark, &window);
		before = mark;
	}
}

/* Lines of a note after the first are set below it. */
static void
write_note(const struct writer *w, const char *kind, const char *text)
{
	for (bool first = true;; first = false) {
		const char *newline = strchr(text, '\n');
		size_t len = newline ? (size_t)(newline - text) : strlen(text), width;

		colour(w, BLUE);
		buf_printf(w->buf, "%*s %s", w->gutter, "", first ? "= " : "  ");
		colour(w, RESET);
		colour(w, BOLD);
		if (first)
			buf_printf(w->buf, "%s: ", kind);
		else
			buf_repeat(w->buf, ' ', strlen(kind) + 2);
		colour(w, RESET);
		for (size_t i = 0; i < len;)
			i += show_char(w->buf, text + i, len - i, 0, &width);
		buf_putc(w->buf, '\n');
		if (!newline)
			return;
		text = newline + 1;
	}
}

/* A fix is told in words only where no help tells it already. */
static void
write_fix(const struct writer *w, const struct diag_fix *fix)
{
	struct buf text = { 0 };

	if (!*fix->replacement)
		buf_puts(&text, "remove it");
	else
		buf_printf(&text, "write `%s`", fix->replacement);
	write_note(w, "help", buf_text(&text));
	buf_release(&text);
}

static int
digits(unsigned n)
{
	int count = 1;

	while (n >= 10) {
		n /= 10;
		count++;
	}
	return count;
}

void
diag_write_text(struct buf *buf, const struct diag *diag, const struct diag_style *style)
{
	struct writer w = {
		.buf = buf, .style = style, .gutter = 1,
		.severity_colour = diag->severity == SEVERITY_ERROR ? RED : MAGENTA,
	};
	struct show_mark marks[SHOW_MARKS_MAX];
	size_t n = show_marks(diag, marks);

	for (size_t i = 0; i < n; i++)
		if (digits(marks[i].line) > w.gutter)
			w.gutter = digits(marks[i].line);
	write_heading(&w, diag);
	write_marks(&w, diag, marks, n);
	for (size_t i = 0; i < diag->n_notes; i++)
		write_note(&w, "note", diag->notes[i]);
	for (size_t i = 0; i < diag->n_helps; i++)
		write_note(&w, "help", diag->helps[i]);
	if (!diag->n_helps && diag->n_fixes)
		write_fix(&w, &diag->fixes[0]);
}

void
diags_write_text(struct buf *buf, const struct diags *diags, const struct diag_style *style)
{
	size_t all = diags->n_errors + diags->n_warnings;

	for (size_t i = 0; i < diags->n; i++) {
		if (i)
			buf_putc(buf, '\n');
		diag_write_text(buf, diags->items[i], style);
	}
	if (all > diags->n)
		buf_printf(buf, "\n%zu more problems are not shown\n", all - diags->n);
}
