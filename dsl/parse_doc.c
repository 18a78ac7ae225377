/* Documentation: the `##` lines directly above something. */
#include "config.h"

#include "base/utf8.h"
#include "dsl/parser.h"

/* Index of the last comment that ends at or before the offset, plus 1. */
static size_t
comments_before(const struct unit *unit, uint32_t at)
{
	size_t low = 0, high = unit->n_comments;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (unit->comments[mid].span.end <= at)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool
is_doc(const struct parser *p, const struct ast_comment *comment)
{
	const char *text = p->source->text + comment->span.start;
	uint32_t len = comment->span.end - comment->span.start;

	return comment->own_line && len >= 2 && text[1] == '#' && !(len > 2 && text[2] == '#');
}

/* Exactly one line's end, and blanks, between the two places. */
static bool
is_next_line(const struct parser *p, uint32_t from, uint32_t to)
{
	bool newline = false;

	for (uint32_t i = from; i < to; i++) {
		char c = p->source->text[i];

		if (c == '\n' && newline)
			return false;
		if (c == '\n')
			newline = true;
		else if (c != ' ' && c != '\t' && c != '\r')
			return false;
	}
	return newline;
}

static void
add_doc_line(const struct parser *p, struct buf *doc, const struct ast_comment *comment)
{
	const char *text = p->source->text + comment->span.start + 2;
	size_t len = comment->span.end - comment->span.start - 2;

	if (len && *text == ' ') {
		text++;
		len--;
	}
	while (len && (text[len - 1] == ' ' || text[len - 1] == '\t' || text[len - 1] == '\r'))
		len--;
	if (doc->len)
		buf_putc(doc, '\n');
	utf8_sanitise(doc, text, len);
}

const char *
parser_doc(const struct parser *p)
{
	const struct unit *unit = p->unit;
	uint32_t below = parser_start(p);
	size_t last = comments_before(unit, below), first = last;
	struct buf doc = { 0 };
	const char *text;

	while (first && is_doc(p, &unit->comments[first - 1]) && is_next_line(p, unit->comments[first - 1].span.end, below))
		below = unit->comments[--first].span.start;
	if (first == last)
		return NULL;
	for (size_t i = first; i < last; i++)
		add_doc_line(p, &doc, &unit->comments[i]);
	text = arena_strndup(p->arena, buf_text(&doc), doc.len);
	buf_release(&doc);
	return text;
}
