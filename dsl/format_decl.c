/* Declarations: components with their inputs and fields, pipelines' heads, use, type, cluster, experiment. */
#include "config.h"

#include <string.h>

#include "base/utf8.h"
#include "dsl/formatter.h"

enum { FIELD_PAD = 7 }; /* columns of a field's word in a block of several lines; a blank follows */

/* ---- inputs and outputs ---- */

/* Columns that line up when each stands on a line of its own. */
struct columns {
	size_t name, type;
};

/* Where the `)` behind the last input or output stands: only blanks, a comma and comments come before it. */
static uint32_t
close_of(const struct formatter *f, uint32_t from)
{
	while (f->text[from] && f->text[from] != ')')
		from += f->text[from] == '#' ? (uint32_t)strcspn(f->text + from, "\n") : 1;
	return from;
}

static size_t
width_of(const struct formatter *f, struct span span)
{
	return utf8_width(f->text + span.start, span.end - span.start);
}

static void
write_type(const struct formatter *f, struct buf *buf, const struct ast_type *type)
{
	formatter_name(f, buf, &type->name);
	if (type->optional)
		buf_putc(buf, '?');
}

static bool
flat_inputs(const struct formatter *f, struct buf *buf, const struct ast_stmt *stmt)
{
	buf_putc(buf, '(');
	for (size_t i = 0; i < stmt->n_inputs; i++) {
		const struct ast_input *input = &stmt->inputs[i];

		buf_puts(buf, i ? ", " : "");
		formatter_name(f, buf, &input->name);
		buf_puts(buf, ": ");
		write_type(f, buf, &input->type);
		if (!input->fallback)
			continue;
		buf_puts(buf, " = ");
		if (!formatter_flat(f, buf, input->fallback))
			return false;
	}
	buf_putc(buf, ')');
	return true;
}

static void
flat_outputs(const struct formatter *f, struct buf *buf, const struct ast_stmt *stmt)
{
	for (size_t i = 0; i < stmt->n_outputs; i++) {
		buf_puts(buf, i ? ", " : " -> (");
		formatter_name(f, buf, &stmt->outputs[i].name);
		buf_puts(buf, ": ");
		write_type(f, buf, &stmt->outputs[i].type);
	}
	if (stmt->n_outputs)
		buf_putc(buf, ')');
}

static size_t
type_width(const struct formatter *f, const struct ast_type *type)
{
	return width_of(f, type->name.span) + type->optional;
}

static struct columns
columns_of(const struct formatter *f, const struct ast_stmt *stmt)
{
	struct columns columns = { 0, 0 };

	for (size_t i = 0; i < stmt->n_inputs; i++) {
		size_t name = width_of(f, stmt->inputs[i].name.span), type = type_width(f, &stmt->inputs[i].type);

		columns.name = name > columns.name ? name : columns.name;
		columns.type = type > columns.type ? type : columns.type;
	}
	return columns;
}

static void
write_input(struct formatter *f, const struct ast_input *input, struct columns columns)
{
	formatter_name(f, f->out, &input->name);
	buf_putc(f->out, ':');
	buf_repeat(f->out, ' ', columns.name - width_of(f, input->name.span) + 1);
	write_type(f, f->out, &input->type);
	if (!input->fallback)
		return;
	buf_repeat(f->out, ' ', columns.type - type_width(f, &input->type));
	buf_puts(f->out, " = ");
	formatter_expr(f, input->fallback);
}

static void
break_inputs(struct formatter *f, const struct ast_stmt *stmt)
{
	struct columns columns = columns_of(f, stmt);

	buf_putc(f->out, '(');
	formatter_open(f);
	for (size_t i = 0; i < stmt->n_inputs; i++) {
		formatter_line(f, stmt->inputs[i].span.start);
		write_input(f, &stmt->inputs[i], columns);
		buf_putc(f->out, ',');
		formatter_done(f, stmt->inputs[i].span.end);
	}
	formatter_closing_line(f, close_of(f, f->last_end));
	buf_putc(f->out, ')');
}

static void
break_outputs(struct formatter *f, const struct ast_stmt *stmt)
{
	size_t widest = 0;

	for (size_t i = 0; i < stmt->n_outputs; i++) {
		size_t width = width_of(f, stmt->outputs[i].name.span);

		widest = width > widest ? width : widest;
	}
	buf_puts(f->out, " -> (");
	formatter_open(f);
	for (size_t i = 0; i < stmt->n_outputs; i++) {
		formatter_line(f, stmt->outputs[i].span.start);
		formatter_name(f, f->out, &stmt->outputs[i].name);
		buf_putc(f->out, ':');
		buf_repeat(f->out, ' ', widest - width_of(f, stmt->outputs[i].name.span) + 1);
		write_type(f, f->out, &stmt->outputs[i].type);
		buf_putc(f->out, ',');
		formatter_done(f, stmt->outputs[i].span.end);
	}
	formatter_closing_line(f, close_of(f, f->last_end));
	buf_putc(f->out, ')');
}

/* Up to where the last input or output ends in the source. */
static bool
inputs_have_comments(const struct formatter *f, const struct ast_stmt *stmt)
{
	return stmt->n_inputs &&
	       formatter_has_comments(f, stmt->name.span.end, close_of(f, stmt->inputs[stmt->n_inputs - 1].span.end));
}

static bool
outputs_have_comments(const struct formatter *f, const struct ast_stmt *stmt)
{
	uint32_t start = stmt->n_inputs ? stmt->inputs[stmt->n_inputs - 1].span.end : stmt->name.span.end;

	return stmt->n_outputs && formatter_has_comments(f, close_of(f, start), close_of(f, stmt->outputs[stmt->n_outputs - 1].span.end));
}

/* `component name(inputs) -> (outputs)`, room for ` {` behind it. */
static void
write_head(struct formatter *f, const struct ast_stmt *stmt)
{
	struct buf inputs = { .max = FORMAT_WIDTH * 4 }, outputs = { .max = FORMAT_WIDTH * 4 };
	bool flat;

	buf_puts(f->out, stmt->kind == AST_PIPELINE ? "pipeline " : "component ");
	formatter_name(f, f->out, &stmt->name);
	flat = flat_inputs(f, &inputs, stmt) && !inputs_have_comments(f, stmt);
	flat_outputs(f, &outputs, stmt);
	buf_puts(&inputs, "  ");
	if (flat && !inputs.overflow && !outputs.overflow && !outputs_have_comments(f, stmt) &&
	    formatter_column(f) + utf8_width(inputs.data, inputs.len) + utf8_width(buf_text(&outputs), outputs.len) <=
		    FORMAT_WIDTH) {
		buf_add(f->out, inputs.data, inputs.len - 2);
		buf_add(f->out, buf_text(&outputs), outputs.len);
	} else {
		if (stmt->n_inputs)
			break_inputs(f, stmt);
		else
			buf_puts(f->out, "()");
		if (!outputs.overflow && !outputs_have_comments(f, stmt) && formatter_fits(f, &outputs))
			buf_add(f->out, buf_text(&outputs), outputs.len);
		else if (stmt->n_outputs)
			break_outputs(f, stmt);
	}
	buf_release(&inputs);
	buf_release(&outputs);
}

/* ---- fields ---- */

static void
write_padded(struct buf *buf, const char *word, unsigned pad)
{
	buf_puts(buf, word);
	buf_repeat(buf, ' ', strlen(word) < pad ? pad - strlen(word) + 1 : 1);
}

static void
write_field(struct formatter *f, const struct ast_field *field, unsigned pad)
{
	switch (field->kind) {
	case AST_FIELD_SETTING:
		formatter_setting(f, &field->setting, pad);
		break;
	case AST_FIELD_COMMAND:
	case AST_FIELD_ARGS:
		write_padded(f->out, field->kind == AST_FIELD_ARGS ? "args" : "command", pad);
		formatter_expr(f, field->list);
		break;
	case AST_FIELD_SCRIPT:
		write_padded(f->out, "script", pad);
		formatter_name(f, f->out, &field->name);
		buf_putc(f->out, ' ');
		formatter_expr(f, field->text);
		break;
	case AST_FIELD_OUTPUT:
		write_padded(f->out, "output", pad);
		formatter_name(f, f->out, &field->name);
		buf_puts(f->out, " from ");
		formatter_expr(f, field->text);
		break;
	case AST_FIELD_MANIFEST:
		write_padded(f->out, "manifest", pad);
		formatter_expr(f, field->text);
		buf_puts(f->out, field->success ? " success " : "");
		if (field->success)
			formatter_expr(f, field->success);
		buf_puts(f->out, field->failure ? " failure " : "");
		if (field->failure)
			formatter_expr(f, field->failure);
		break;
	}
}

/* On one line with what stands before it: settings and lists only. */
static bool
flat_fields(const struct formatter *f, struct buf *buf, const struct ast_stmt *stmt)
{
	buf_puts(buf, "{ ");
	for (size_t i = 0; i < stmt->n_fields; i++) {
		const struct ast_field *field = &stmt->fields[i];
		bool flat = false;

		buf_puts(buf, i ? ", " : "");
		if (field->kind == AST_FIELD_SETTING) {
			flat = formatter_flat_setting(f, buf, &field->setting, 0);
		} else if (field->kind == AST_FIELD_COMMAND || field->kind == AST_FIELD_ARGS) {
			buf_puts(buf, field->kind == AST_FIELD_ARGS ? "args " : "command ");
			flat = formatter_flat(f, buf, field->list);
		}
		if (!flat)
			return false;
	}
	buf_puts(buf, " }");
	return true;
}

void
formatter_fields(struct formatter *f, const struct ast_stmt *stmt, bool one_line_ok)
{
	struct buf line = { .max = FORMAT_WIDTH * 4 };
	uint32_t start = stmt->n_fields ? stmt->fields[0].span.start : stmt->span.start;
	bool comments = formatter_has_comments(f, start < f->last_end ? start : f->last_end, stmt->span.end);

	if (!stmt->n_fields && !comments) {
		buf_puts(f->out, "{}");
	} else if (one_line_ok && !comments && flat_fields(f, &line, stmt) && formatter_fits(f, &line)) {
		buf_add(f->out, line.data, line.len);
	} else {
		buf_putc(f->out, '{');
		formatter_open(f);
		for (size_t i = 0; i < stmt->n_fields; i++) {
			formatter_line(f, stmt->fields[i].span.start);
			write_field(f, &stmt->fields[i], FIELD_PAD);
			formatter_done(f, stmt->fields[i].span.end);
		}
		formatter_closing_line(f, stmt->span.end - 1);
		buf_putc(f->out, '}');
	}
	buf_release(&line);
}

/* ---- declarations ---- */

static void
write_use(struct formatter *f, const struct ast_stmt *stmt, size_t pad)
{
	size_t width = width_of(f, stmt->name.span);

	buf_puts(f->out, "use ");
	formatter_name(f, f->out, &stmt->name);
	buf_repeat(f->out, ' ', width < pad ? pad - width : 0);
	buf_puts(f->out, " from ");
	formatter_expr(f, stmt->text);
	if (stmt->text2) {
		buf_puts(f->out, " sha256 ");
		formatter_expr(f, stmt->text2);
	}
}

void
formatter_decl(struct formatter *f, const struct ast_stmt *stmt)
{
	switch (stmt->kind) {
	case AST_USE:
		write_use(f, stmt, f->use_pad);
		break;
	case AST_TYPE:
		buf_puts(f->out, "type ");
		formatter_name(f, f->out, &stmt->name);
		buf_puts(f->out, " = ");
		write_type(f, f->out, &stmt->type);
		break;
	case AST_EXPERIMENT:
		buf_puts(f->out, "experiment ");
		formatter_expr(f, stmt->text);
		break;
	case AST_CLUSTER:
		buf_puts(f->out, "cluster ");
		formatter_name(f, f->out, &stmt->name);
		if (!stmt->n_fields)
			break;
		buf_putc(f->out, ' ');
		formatter_done(f, stmt->name.span.end);
		formatter_fields(f, stmt, true);
		break;
	default:
		write_head(f, stmt);
		buf_putc(f->out, ' ');
		if (stmt->kind == AST_COMPONENT)
			formatter_fields(f, stmt, stmt->n_fields == 1);
	}
}
