/* Expressions and settings, on one line or broken. */
#include "config.h"

#include <string.h>

#include "base/utf8.h"
#include "dsl/formatter.h"

enum {
	FLAT_MAX = 4 * FORMAT_WIDTH, /* bytes of what is tried on one line */
	ALIGN_MAX = 48, /* columns; items are not lined up further to the right */
	CONTINUATION = 8, /* columns before the rest of a broken operator expression */
};

/* ---- literals ---- */

/* Literal parts as they were written, expressions in one layout. */
static void
write_string(const struct formatter *f, struct buf *buf, const struct ast_expr *expr)
{
	struct formatter inner = *f;

	buf_putc(buf, '"');
	for (size_t i = 0; i < expr->n_parts; i++) {
		const struct ast_string_part *part = &expr->parts[i];

		if (part->text) {
			formatter_source(f, buf, part->span);
			continue;
		}
		buf_putc(buf, '{');
		inner.comment = f->unit->n_comments;
		if (!formatter_flat(&inner, buf, part->expr))
			buf->overflow = true;
		buf_putc(buf, '}');
	}
	buf_putc(buf, '"');
}

static size_t
quotes_for(const char *text)
{
	size_t longest = 2;

	while (*text) {
		size_t run = strspn(text, "\"");

		longest = run > longest ? run : longest;
		text += run ? run : 1;
	}
	return longest + 1;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool
fits_one_line(const struct ast_expr *raw)
{
	return !memchr(raw->text, '\n', raw->len) && !(raw->len && (is_blank(raw->text[0]) || is_blank(raw->text[raw->len - 1])));
}

static void
write_raw_line(struct buf *buf, const struct ast_expr *raw)
{
	size_t quotes = quotes_for(raw->text);
	bool pad = !raw->len || raw->text[0] == '"' || raw->text[raw->len - 1] == '"';

	buf_repeat(buf, '"', quotes);
	if (pad)
		buf_putc(buf, ' ');
	buf_add(buf, raw->text, raw->len);
	if (pad && raw->len)
		buf_putc(buf, ' ');
	buf_repeat(buf, '"', quotes);
}

/* The lines between the quotes, one level further in; the parser takes the common indentation away again. */
static void
write_raw_block(struct formatter *f, const struct ast_expr *raw)
{
	size_t quotes = quotes_for(raw->text);
	const char *text = raw->text, *end = raw->text + raw->len;

	buf_repeat(f->out, '"', quotes);
	for (;;) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t len = (size_t)((newline ? newline : end) - text);

		formatter_break(f, len ? f->indent + FORMAT_INDENT : 0);
		buf_add(f->out, text, len);
		if (!newline)
			break;
		text = newline + 1;
	}
	formatter_break(f, f->indent);
	buf_repeat(f->out, '"', quotes);
}

/* ---- on one line ---- */

static bool
flat_items(const struct formatter *f, struct buf *buf, struct ast_expr *const *items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_puts(buf, ", ");
		if (!formatter_flat(f, buf, items[i]))
			return false;
	}
	return true;
}

static bool
flat_entry(const struct formatter *f, struct buf *buf, const struct ast_entry *entry)
{
	if (entry->key.text) {
		formatter_name(f, buf, &entry->key);
		buf_puts(buf, ": ");
	}
	return formatter_flat(f, buf, entry->value);
}

static bool
flat_entries(const struct formatter *f, struct buf *buf, const struct ast_entry *entries, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_puts(buf, ", ");
		if (!flat_entry(f, buf, &entries[i]))
			return false;
	}
	return true;
}

static bool
flat_parts(const struct formatter *f, struct buf *buf, const struct ast_expr *expr)
{
	buf_puts(buf, "if ");
	if (!formatter_flat(f, buf, expr->a))
		return false;
	buf_puts(buf, " { ");
	if (!flat_items(f, buf, expr->items, expr->n_items))
		return false;
	if (expr->n_items2) {
		buf_puts(buf, " } else { ");
		if (!flat_items(f, buf, expr->items2, expr->n_items2))
			return false;
	}
	buf_puts(buf, " }");
	return true;
}

static bool
flat_operator(const struct formatter *f, struct buf *buf, const struct ast_expr *expr)
{
	if (expr->kind == AST_UNARY) {
		buf_puts(buf, ast_op_text(expr->op));
		if (expr->op == AST_OP_NOT)
			buf_putc(buf, ' ');
		return formatter_flat(f, buf, expr->a);
	}
	if (!formatter_flat(f, buf, expr->a))
		return false;
	buf_printf(buf, " %s ", ast_op_text(expr->op));
	return formatter_flat(f, buf, expr->b);
}

static bool
flat_bracketed(const struct formatter *f, struct buf *buf, const struct ast_expr *expr)
{
	bool done;

	if (expr->kind != AST_GROUP && formatter_has_comments(f, expr->span.start, expr->span.end))
		return false;
	buf_putc(buf, expr->kind == AST_LIST ? '[' : expr->kind == AST_DICT ? '{' : '(');
	if (expr->kind == AST_LIST)
		done = flat_items(f, buf, expr->items, expr->n_items);
	else if (expr->kind == AST_GROUP)
		done = formatter_flat(f, buf, expr->a);
	else
		done = flat_entries(f, buf, expr->entries, expr->n_entries);
	buf_putc(buf, expr->kind == AST_LIST ? ']' : expr->kind == AST_DICT ? '}' : ')');
	return done;
}

static bool
flat_path(const struct formatter *f, struct buf *buf, const struct ast_expr *expr)
{
	if (expr->kind == AST_NAME) {
		formatter_name(f, buf, &expr->name);
		return true;
	}
	if (!formatter_flat(f, buf, expr->a))
		return false;
	if (expr->kind == AST_MEMBER) {
		buf_putc(buf, '.');
		formatter_name(f, buf, &expr->name);
		return true;
	}
	buf_putc(buf, '[');
	if (!formatter_flat(f, buf, expr->b))
		return false;
	buf_putc(buf, ']');
	return true;
}

static bool
flat(const struct formatter *f, struct buf *buf, const struct ast_expr *expr)
{
	switch (expr->kind) {
	case AST_NULL:
		buf_puts(buf, "null");
		return true;
	case AST_BOOLEAN:
		buf_puts(buf, expr->boolean ? "true" : "false");
		return true;
	case AST_INTEGER:
	case AST_FLOAT:
	case AST_QUANTITY:
		buf_add(buf, expr->text, expr->len);
		return true;
	case AST_STRING:
		write_string(f, buf, expr);
		return true;
	case AST_RAW:
		if (fits_one_line(expr))
			write_raw_line(buf, expr);
		return fits_one_line(expr);
	case AST_NAME:
	case AST_MEMBER:
	case AST_INDEX:
		return flat_path(f, buf, expr);
	case AST_CALL:
		return formatter_flat(f, buf, expr->a) && flat_bracketed(f, buf, expr);
	case AST_LIST:
	case AST_DICT:
	case AST_GROUP:
		return flat_bracketed(f, buf, expr);
	case AST_UNARY:
	case AST_BINARY:
		return flat_operator(f, buf, expr);
	case AST_PARTS:
		return flat_parts(f, buf, expr);
	case AST_POISON:
		break;
	}
	formatter_source(f, buf, expr->span);
	return true;
}

bool
formatter_flat(const struct formatter *f, struct buf *buf, const struct ast_expr *expr)
{
	return !buf->overflow && flat(f, buf, expr) && !buf->overflow;
}

/* ---- broken ---- */

/* The items of a list, a dict or a call, whichever it is. */
struct sequence {
	const struct ast_expr *expr;
	size_t n;
};

static const struct ast_expr *
value_of(const struct sequence *s, size_t i)
{
	return s->expr->kind == AST_LIST ? s->expr->items[i] : s->expr->entries[i].value;
}

static uint32_t
start_of(const struct sequence *s, size_t i)
{
	if (s->expr->kind == AST_LIST || !s->expr->entries[i].key.text)
		return value_of(s, i)->span.start;
	return s->expr->entries[i].key.span.start;
}

static bool
flat_item(const struct formatter *f, const struct sequence *s, size_t i, struct buf *ret)
{
	*ret = (struct buf){ .max = FLAT_MAX };
	if (s->expr->kind == AST_LIST)
		return formatter_flat(f, ret, s->expr->items[i]);
	return flat_entry(f, ret, &s->expr->entries[i]);
}

/* Can the items be set in lines that begin in this column? */
static bool
can_fill(const struct formatter *f, const struct sequence *s, size_t column)
{
	bool fits = column <= ALIGN_MAX && s->expr->kind != AST_DICT &&
		    !formatter_has_comments(f, s->expr->span.start, s->expr->span.end);

	for (size_t i = 0; i < s->n && fits; i++) {
		struct buf item;

		fits = flat_item(f, s, i, &item) && column + utf8_width(buf_text(&item), item.len) < FORMAT_WIDTH;
		buf_release(&item);
	}
	return fits;
}

static void
fill(struct formatter *f, const struct sequence *s, size_t column)
{
	for (size_t i = 0; i < s->n; i++) {
		struct buf item;

		flat_item(f, s, i, &item);
		buf_putc(&item, i + 1 < s->n ? ',' : s->expr->kind == AST_LIST ? ']' : ')');
		if (i && formatter_column(f) + 1 + utf8_width(item.data, item.len) > FORMAT_WIDTH)
			formatter_break(f, (unsigned)column);
		else if (i)
			buf_putc(f->out, ' ');
		buf_add(f->out, item.data, item.len);
		buf_release(&item);
	}
}

static void
one_a_line(struct formatter *f, const struct sequence *s)
{
	formatter_open(f);
	for (size_t i = 0; i < s->n; i++) {
		formatter_line(f, start_of(s, i));
		if (s->expr->kind != AST_LIST && s->expr->entries[i].key.text) {
			formatter_name(f, f->out, &s->expr->entries[i].key);
			buf_puts(f->out, ": ");
		}
		formatter_expr(f, value_of(s, i));
		buf_putc(f->out, ',');
		formatter_done(f, value_of(s, i)->span.end);
	}
	formatter_closing_line(f, s->expr->span.end - 1);
	buf_putc(f->out, s->expr->kind == AST_LIST ? ']' : s->expr->kind == AST_DICT ? '}' : ')');
}

static void
break_sequence(struct formatter *f, const struct ast_expr *expr)
{
	struct sequence s = { expr, expr->kind == AST_LIST ? expr->n_items : expr->n_entries };
	size_t column;

	buf_putc(f->out, expr->kind == AST_LIST ? '[' : expr->kind == AST_DICT ? '{' : '(');
	column = formatter_column(f);
	if (s.n && can_fill(f, &s, column))
		fill(f, &s, column);
	else
		one_a_line(f, &s);
}

static void
break_parts(struct formatter *f, const struct ast_expr *expr)
{
	buf_puts(f->out, "if ");
	formatter_expr(f, expr->a);
	buf_puts(f->out, " { ");
	for (size_t i = 0; i < expr->n_items; i++) {
		buf_puts(f->out, i ? ", " : "");
		formatter_expr(f, expr->items[i]);
	}
	buf_puts(f->out, expr->n_items2 ? " } else { " : "");
	for (size_t i = 0; i < expr->n_items2; i++) {
		buf_puts(f->out, i ? ", " : "");
		formatter_expr(f, expr->items2[i]);
	}
	buf_puts(f->out, " }");
}

/* Lines are broken behind operators, where a line's end means nothing; but `path ??` at the end of a line asks for help. */
static void
break_operator(struct formatter *f, const struct ast_expr *expr)
{
	formatter_expr(f, expr->a);
	buf_printf(f->out, " %s", ast_op_text(expr->op));
	if (expr->op == AST_OP_COALESCE)
		buf_putc(f->out, ' ');
	else
		formatter_break(f, f->indent + CONTINUATION);
	formatter_expr(f, expr->b);
}

static void
break_expr(struct formatter *f, const struct ast_expr *expr)
{
	struct buf whole = { 0 };

	switch (expr->kind) {
	case AST_RAW:
		write_raw_block(f, expr);
		return;
	case AST_CALL:
		formatter_expr(f, expr->a);
		break_sequence(f, expr);
		return;
	case AST_LIST:
	case AST_DICT:
		break_sequence(f, expr);
		return;
	case AST_GROUP:
		buf_putc(f->out, '(');
		formatter_expr(f, expr->a);
		buf_putc(f->out, ')');
		return;
	case AST_UNARY:
		buf_puts(f->out, ast_op_text(expr->op));
		buf_puts(f->out, expr->op == AST_OP_NOT ? " " : "");
		formatter_expr(f, expr->a);
		return;
	case AST_BINARY:
		break_operator(f, expr);
		return;
	case AST_PARTS:
		break_parts(f, expr);
		return;
	default:
		flat(f, &whole, expr);
		buf_add(f->out, buf_text(&whole), whole.len);
		buf_release(&whole);
	}
}

void
formatter_expr(struct formatter *f, const struct ast_expr *expr)
{
	struct buf line = { .max = FLAT_MAX };

	if (formatter_flat(f, &line, expr) && formatter_fits(f, &line))
		buf_add(f->out, buf_text(&line), line.len);
	else if (expr->kind == AST_RAW && fits_one_line(expr))
		write_raw_line(f->out, expr);
	else
		break_expr(f, expr);
	buf_release(&line);
}

/* ---- settings ---- */

static void
write_word(const struct formatter *f, struct buf *buf, const struct ast_setting *setting, unsigned pad)
{
	size_t width = utf8_width(f->text + setting->word.span.start, setting->word.span.end - setting->word.span.start);

	formatter_name(f, buf, &setting->word);
	if (setting->n_args && width < pad)
		buf_repeat(buf, ' ', pad - width);
}

bool
formatter_flat_setting(const struct formatter *f, struct buf *buf, const struct ast_setting *setting, unsigned pad)
{
	write_word(f, buf, setting, pad);
	for (size_t i = 0; i < setting->n_args; i++) {
		buf_putc(buf, ' ');
		if (!formatter_flat(f, buf, setting->args[i]))
			return false;
	}
	return true;
}

void
formatter_setting(struct formatter *f, const struct ast_setting *setting, unsigned pad)
{
	write_word(f, f->out, setting, pad);
	for (size_t i = 0; i < setting->n_args; i++) {
		buf_putc(f->out, ' ');
		formatter_expr(f, setting->args[i]);
	}
}
