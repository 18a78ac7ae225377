#include "config.h"

#include "dsl/format.h"

#include <string.h>

#include "base/utf8.h"
#include "dsl/formatter.h"

/* ---- lines ---- */

void
formatter_break(struct formatter *f, unsigned indent)
{
	if (f->started)
		buf_putc(f->out, '\n');
	f->line_start = f->out->len;
	buf_repeat(f->out, ' ', indent);
	f->started = true;
	f->closed = false;
}

static bool
blank_between(const struct formatter *f, uint32_t from, uint32_t to)
{
	bool newline = false;

	for (uint32_t i = from; i < to; i++) {
		char c = f->text[i];

		if (c == '\n' && newline)
			return true;
		if (c == '\n')
			newline = true;
		else if (c != ' ' && c != '\t' && c != '\r')
			newline = false;
	}
	return false;
}

/* The next line, with a blank one before it where the source or the layout wants it. */
static void
next_line(struct formatter *f, bool blank)
{
	if (!f->opened && (blank || f->want_blank) && f->started)
		buf_putc(f->out, '\n');
	formatter_break(f, f->indent);
	f->opened = f->want_blank = false;
}

static struct span
trimmed(const struct formatter *f, struct span span)
{
	while (span.end > span.start && strchr(" \t\r", f->text[span.end - 1]))
		span.end--;
	return span;
}

/* A comment that gets a line of its own though it had none must not become documentation of what follows. */
static void
write_comment(struct formatter *f, const struct ast_comment *comment, bool moved)
{
	struct span span = trimmed(f, comment->span);

	if (moved && !strncmp(f->text + span.start, "##", 2) && f->text[span.start + 2] != '#')
		span.start++;
	formatter_source(f, f->out, span);
	f->closed = true;
}

/* Nothing but blanks lies between. */
static bool
only_blanks(const struct formatter *f, uint32_t from, uint32_t to)
{
	while (from < to && strchr(" \t\r\n", f->text[from]))
		from++;
	return from >= to;
}

/* Writes the next comment. What it stands before in the layout begins at `before`. */
static void
flush_comment(struct formatter *f, uint32_t before)
{
	const struct ast_comment *comment = &f->unit->comments[f->comment++];
	bool inside = comment->span.start < f->last_end;
	bool last = f->comment == f->unit->n_comments || f->unit->comments[f->comment].span.start >= before;
	uint32_t next = last ? before : f->unit->comments[f->comment].span.start;

	if (f->started && !f->closed && (inside || !comment->own_line)) {
		buf_puts(f->out, "  ");
		write_comment(f, comment, false);
	} else if (inside || !comment->own_line) {
		next_line(f, false);
		write_comment(f, comment, true);
	} else {
		next_line(f, blank_between(f, f->last_end, comment->span.start));
		write_comment(f, comment, before != UINT32_MAX && !only_blanks(f, comment->span.end, next));
	}
	formatter_done(f, comment->span.end);
}

static void
flush_comments(struct formatter *f, uint32_t before)
{
	while (f->comment < f->unit->n_comments && f->unit->comments[f->comment].span.start < before)
		flush_comment(f, before);
}

void
formatter_line(struct formatter *f, uint32_t start)
{
	flush_comments(f, start);
	next_line(f, blank_between(f, f->last_end, start));
}

void
formatter_closing_line(struct formatter *f, uint32_t place)
{
	flush_comments(f, place);
	formatter_close(f);
	formatter_break(f, f->indent);
}

void
formatter_done(struct formatter *f, uint32_t end)
{
	if (end > f->last_end)
		f->last_end = end;
}

void
formatter_open(struct formatter *f)
{
	f->indent += FORMAT_INDENT;
	f->opened = true;
}

void
formatter_close(struct formatter *f)
{
	f->indent -= FORMAT_INDENT;
	f->opened = f->want_blank = false;
}

bool
formatter_has_comments(const struct formatter *f, uint32_t start, uint32_t end)
{
	size_t low = f->comment, high = f->unit->n_comments;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (f->unit->comments[mid].span.start < start)
			low = mid + 1;
		else
			high = mid;
	}
	return low < f->unit->n_comments && f->unit->comments[low].span.start < end;
}

bool
formatter_follows(const struct formatter *f, uint32_t end, uint32_t start)
{
	return !formatter_has_comments(f, end, start) && !blank_between(f, end, start);
}

size_t
formatter_column(const struct formatter *f)
{
	return utf8_width(f->out->data + f->line_start, f->out->len - f->line_start);
}

bool
formatter_fits(const struct formatter *f, const struct buf *flat)
{
	return formatter_column(f) + utf8_width(buf_text(flat), flat->len) <= FORMAT_WIDTH;
}

void
formatter_source(const struct formatter *f, struct buf *buf, struct span span)
{
	buf_add(buf, f->text + span.start, span.end - span.start);
}

void
formatter_name(const struct formatter *f, struct buf *buf, const struct ast_name *name)
{
	formatter_source(f, buf, name->span);
}

void
format_unit(struct buf *buf, const struct unit *unit)
{
	struct formatter f = { .out = buf, .unit = unit, .text = unit->source->text, .opened = true };

	f.line_start = buf->len;
	formatter_stmts(&f, unit->stmts, unit->n_stmts);
	flush_comments(&f, UINT32_MAX);
	if (f.started)
		buf_putc(buf, '\n');
}
