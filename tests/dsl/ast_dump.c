#include "config.h"

#include "tests/dsl/ast_dump.h"

#include <string.h>

#include "base/value.h"

static void dump_expr(struct buf *buf, const struct ast_expr *expr);

static void
dump_string(struct buf *buf, const char *text, size_t len)
{
	value_write_json_string(buf, text ? text : "", len);
}

static void
dump_name(struct buf *buf, const struct ast_name *name)
{
	size_t len = name->text ? strlen(name->text) : 0;

	if (!name->text)
		buf_puts(buf, "-");
	else if (strspn(name->text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == len && len)
		buf_puts(buf, name->text);
	else
		buf_printf(buf, "`%s`", name->text);
}

static void
dump_exprs(struct buf *buf, struct ast_expr *const *items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_putc(buf, ' ');
		dump_expr(buf, items[i]);
	}
}

static void
dump_entries(struct buf *buf, const struct ast_entry *entries, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_putc(buf, ' ');
		if (entries[i].key_quoted)
			dump_string(buf, entries[i].key.text, strlen(entries[i].key.text));
		else if (entries[i].key.text)
			dump_name(buf, &entries[i].key);
		if (entries[i].key_quoted || entries[i].key.text)
			buf_puts(buf, ": ");
		dump_expr(buf, entries[i].value);
	}
}

static void
dump_parts(struct buf *buf, const struct ast_expr *expr)
{
	buf_puts(buf, "(string");
	for (size_t i = 0; i < expr->n_parts; i++) {
		buf_putc(buf, ' ');
		if (expr->parts[i].text)
			dump_string(buf, expr->parts[i].text, expr->parts[i].len);
		else
			dump_expr(buf, expr->parts[i].expr);
	}
	buf_putc(buf, ')');
}

static void
dump_conditional(struct buf *buf, const struct ast_expr *expr)
{
	buf_puts(buf, "(parts ");
	dump_expr(buf, expr->a);
	buf_puts(buf, " then");
	dump_exprs(buf, expr->items, expr->n_items);
	buf_puts(buf, " else");
	dump_exprs(buf, expr->items2, expr->n_items2);
	buf_putc(buf, ')');
}

static void
dump_pair(struct buf *buf, const char *head, const struct ast_expr *a, const struct ast_expr *b)
{
	buf_printf(buf, "(%s ", head);
	dump_expr(buf, a);
	if (b) {
		buf_putc(buf, ' ');
		dump_expr(buf, b);
	}
	buf_putc(buf, ')');
}

static void
dump_group(struct buf *buf, const char *head, const struct ast_expr *expr)
{
	buf_printf(buf, "(%s", head);
	if (expr->kind == AST_CALL) {
		buf_putc(buf, ' ');
		dump_expr(buf, expr->a);
	}
	dump_exprs(buf, expr->items, expr->n_items);
	dump_entries(buf, expr->entries, expr->n_entries);
	buf_putc(buf, ')');
}

static void
dump_expr(struct buf *buf, const struct ast_expr *expr)
{
	if (!expr) {
		buf_puts(buf, "-");
		return;
	}
	switch (expr->kind) {
	case AST_POISON:
		buf_puts(buf, "POISON");
		break;
	case AST_NULL:
		buf_puts(buf, "null");
		break;
	case AST_BOOLEAN:
		buf_puts(buf, expr->boolean ? "true" : "false");
		break;
	case AST_INTEGER:
		buf_printf(buf, "%lld", (long long)expr->integer);
		break;
	case AST_FLOAT:
		buf_printf(buf, "(float %.17g)", expr->number);
		break;
	case AST_QUANTITY:
		buf_printf(buf, "(quantity %s)", expr->text);
		break;
	case AST_STRING:
		dump_parts(buf, expr);
		break;
	case AST_RAW:
		buf_puts(buf, "(raw ");
		dump_string(buf, expr->text, expr->len);
		buf_putc(buf, ')');
		break;
	case AST_NAME:
		dump_name(buf, &expr->name);
		break;
	case AST_MEMBER:
		buf_puts(buf, "(. ");
		dump_expr(buf, expr->a);
		buf_putc(buf, ' ');
		dump_name(buf, &expr->name);
		buf_putc(buf, ')');
		break;
	case AST_INDEX:
		dump_pair(buf, "index", expr->a, expr->b);
		break;
	case AST_LIST:
		dump_group(buf, "list", expr);
		break;
	case AST_DICT:
		dump_group(buf, "dict", expr);
		break;
	case AST_UNARY:
	case AST_BINARY:
		dump_pair(buf, ast_op_text(expr->op), expr->a, expr->b);
		break;
	case AST_CALL:
		dump_group(buf, "call", expr);
		break;
	case AST_PARTS:
		dump_conditional(buf, expr);
		break;
	case AST_GROUP:
		dump_pair(buf, "group", expr->a, NULL);
		break;
	}
}

/* ---- statements ---- */

static void
dump_setting(struct buf *buf, const struct ast_setting *setting)
{
	buf_putc(buf, '(');
	dump_name(buf, &setting->word);
	dump_exprs(buf, setting->args, setting->n_args);
	buf_putc(buf, ')');
}

static void
dump_field(struct buf *buf, const struct ast_field *field, int depth)
{
	static const char *const NAMES[] = { "setting", "command", "args", "script", "output", "manifest" };

	buf_repeat(buf, ' ', (size_t)depth * 2);
	buf_puts(buf, NAMES[field->kind]);
	buf_putc(buf, ' ');
	if (field->kind == AST_FIELD_SETTING) {
		dump_setting(buf, &field->setting);
	} else {
		dump_name(buf, &field->name);
		buf_putc(buf, ' ');
		dump_expr(buf, field->list ? field->list : field->text);
		if (field->success || field->failure)
			dump_pair(buf, " success failure", field->success, field->failure);
	}
	buf_putc(buf, '\n');
}

static void
dump_doc(struct buf *buf, const char *doc)
{
	if (!doc)
		return;
	buf_puts(buf, " doc ");
	dump_string(buf, doc, strlen(doc));
}

static void
dump_type(struct buf *buf, const struct ast_type *type)
{
	dump_name(buf, &type->name);
	if (type->optional)
		buf_putc(buf, '?');
}

static void dump_stmt(struct buf *buf, const struct ast_stmt *stmt, int depth);

static void
dump_block(struct buf *buf, const struct ast_block *block, int depth)
{
	for (size_t i = 0; i < block->n; i++)
		dump_stmt(buf, block->stmts[i], depth);
}

static void
dump_ports(struct buf *buf, const struct ast_stmt *stmt, int depth)
{
	for (size_t i = 0; i < stmt->n_inputs; i++) {
		const struct ast_input *input = &stmt->inputs[i];

		buf_printf(buf, "%*sinput ", depth * 2, "");
		dump_name(buf, &input->name);
		buf_putc(buf, ' ');
		dump_type(buf, &input->type);
		if (input->fallback) {
			buf_puts(buf, " = ");
			dump_expr(buf, input->fallback);
		}
		dump_doc(buf, input->doc);
		buf_putc(buf, '\n');
	}
	for (size_t i = 0; i < stmt->n_outputs; i++) {
		buf_printf(buf, "%*soutput ", depth * 2, "");
		dump_name(buf, &stmt->outputs[i].name);
		buf_putc(buf, ' ');
		dump_type(buf, &stmt->outputs[i].type);
		dump_doc(buf, stmt->outputs[i].doc);
		buf_putc(buf, '\n');
	}
}

static void
dump_arms(struct buf *buf, const struct ast_stmt *stmt, int depth)
{
	for (size_t i = 0; i < stmt->n_arms; i++) {
		const struct ast_arm *arm = &stmt->arms[i];

		buf_printf(buf, "%*s%s ", depth * 2, "", arm->condition ? "if" : "else");
		dump_expr(buf, arm->condition);
		if (arm->result) {
			buf_puts(buf, " gives ");
			dump_expr(buf, arm->result);
		}
		buf_putc(buf, '\n');
		dump_block(buf, &arm->block, depth + 1);
	}
}

static void
dump_verb(struct buf *buf, const struct ast_verb *verb)
{
	buf_putc(buf, ' ');
	dump_name(buf, &verb->word);
	dump_exprs(buf, verb->args, verb->n_args);
	for (size_t i = 0; i < verb->n_clauses; i++) {
		buf_puts(buf, " [");
		dump_name(buf, &verb->clauses[i].word);
		if (verb->clauses[i].value) {
			buf_putc(buf, ' ');
			dump_expr(buf, verb->clauses[i].value);
		}
		buf_putc(buf, ']');
	}
}

static void
dump_tail(struct buf *buf, const struct ast_stmt *stmt)
{
	for (size_t i = 0; i < stmt->n_with; i++) {
		buf_puts(buf, i ? " " : " with ");
		dump_setting(buf, &stmt->with[i]);
	}
	for (size_t i = 0; i < stmt->n_after; i++) {
		buf_puts(buf, i ? " " : " after ");
		dump_name(buf, &stmt->after[i]);
	}
	for (size_t i = 0; i < stmt->n_using; i++) {
		buf_puts(buf, i ? " " : " using ");
		dump_name(buf, &stmt->using_[i].name);
		buf_putc(buf, '=');
		dump_expr(buf, stmt->using_[i].path);
	}
	if (stmt->target.text) {
		buf_puts(buf, " on ");
		dump_name(buf, &stmt->target);
	}
}

static void
dump_line(struct buf *buf, const struct ast_stmt *stmt)
{
	if (stmt->name.text) {
		buf_putc(buf, ' ');
		dump_name(buf, &stmt->name);
	}
	if (stmt->type.name.text) {
		buf_puts(buf, " = ");
		dump_type(buf, &stmt->type);
	}
	buf_puts(buf, stmt->start ? " start" : "");
	buf_puts(buf, stmt->detail ? " detail" : "");
	if (stmt->expr || stmt->text) {
		buf_putc(buf, ' ');
		dump_expr(buf, stmt->expr ? stmt->expr : stmt->text);
	}
	if (stmt->text2)
		dump_pair(buf, " sha256", stmt->text2, NULL);
	if (stmt->parallel)
		dump_pair(buf, " parallel", stmt->parallel, NULL);
	if (stmt->max)
		dump_pair(buf, " max", stmt->max, NULL);
	dump_entries(buf, stmt->entries, stmt->n_entries);
	if (stmt->kind == AST_VERB)
		dump_verb(buf, &stmt->verb);
	dump_tail(buf, stmt);
	if (stmt->raw) {
		buf_putc(buf, ' ');
		dump_string(buf, stmt->raw, strlen(stmt->raw));
	}
	dump_doc(buf, stmt->doc);
}

static void
dump_stmt(struct buf *buf, const struct ast_stmt *stmt, int depth)
{
	static const char *const NAMES[] = {
		"use", "type", "component", "pipeline", "cluster", "experiment", "settings", "step", "value", "choice", "approve",
		"if", "for", "while", "exit", "return", "action", "verb", "shell", "magic", "help",
	};

	buf_repeat(buf, ' ', (size_t)depth * 2);
	buf_puts(buf, NAMES[stmt->kind]);
	dump_line(buf, stmt);
	buf_putc(buf, '\n');
	dump_ports(buf, stmt, depth + 1);
	for (size_t i = 0; i < stmt->n_fields; i++)
		dump_field(buf, &stmt->fields[i], depth + 1);
	dump_arms(buf, stmt, depth + 1);
	dump_block(buf, &stmt->body, depth + 1);
}

void
ast_dump(struct buf *buf, const struct unit *unit)
{
	for (size_t i = 0; i < unit->n_stmts; i++)
		dump_stmt(buf, unit->stmts[i], 0);
}
