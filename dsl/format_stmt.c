/* Statements: their lines, the blocks they hold, and what follows a call. */
#include "config.h"

#include <string.h>

#include "base/utf8.h"
#include "dsl/formatter.h"

static void write_stmt(struct formatter *f, const struct ast_stmt *stmt);

/* ---- blocks ---- */

static void
write_block(struct formatter *f, const struct ast_block *block, const struct ast_expr *result)
{
	uint32_t close = block->span.end - 1;

	formatter_done(f, block->span.start + 1);
	buf_putc(f->out, '{');
	if (!block->n && !result && !formatter_has_comments(f, block->span.start, close)) {
		buf_putc(f->out, '}');
		formatter_done(f, block->span.end);
		return;
	}
	formatter_open(f);
	formatter_stmts(f, block->stmts, block->n);
	if (result) {
		formatter_line(f, result->span.start);
		formatter_expr(f, result);
		formatter_done(f, result->span.end);
	}
	formatter_closing_line(f, close);
	buf_putc(f->out, '}');
	formatter_done(f, block->span.end);
}

/* ---- what follows a call ---- */

static bool
flat_with(const struct formatter *f, struct buf *buf, const struct ast_stmt *stmt)
{
	for (size_t i = 0; i < stmt->n_with; i++) {
		buf_puts(buf, i ? ", " : "with ");
		if (!formatter_flat_setting(f, buf, &stmt->with[i], 0))
			return false;
	}
	return true;
}

static void
flat_after(const struct formatter *f, struct buf *buf, const struct ast_stmt *stmt)
{
	for (size_t i = 0; i < stmt->n_after; i++) {
		buf_puts(buf, i ? ", " : "after ");
		formatter_name(f, buf, &stmt->after[i]);
	}
}

static void
flat_using(const struct formatter *f, struct buf *buf, const struct ast_stmt *stmt)
{
	for (size_t i = 0; i < stmt->n_using; i++) {
		buf_puts(buf, i ? ", " : "using ");
		formatter_name(f, buf, &stmt->using_[i].name);
		buf_puts(buf, " = ");
		formatter_flat(f, buf, stmt->using_[i].path);
	}
}

/* In the order in which they are written. `on` stays on the line of the call, for in a block no line begins with it. */
enum { CLAUSE_ON, CLAUSE_WITH, CLAUSE_AFTER, CLAUSE_USING, N_CLAUSES };

static bool
has_clause(const struct ast_stmt *stmt, int clause)
{
	return clause == CLAUSE_WITH ? stmt->n_with > 0 : clause == CLAUSE_AFTER ? stmt->n_after > 0 :
	       clause == CLAUSE_USING ? stmt->n_using > 0 : stmt->target.text != NULL;
}

static bool
flat_clause(const struct formatter *f, struct buf *buf, const struct ast_stmt *stmt, int clause)
{
	if (clause == CLAUSE_WITH)
		return flat_with(f, buf, stmt);
	if (clause == CLAUSE_AFTER)
		flat_after(f, buf, stmt);
	if (clause == CLAUSE_USING)
		flat_using(f, buf, stmt);
	if (clause == CLAUSE_ON) {
		buf_puts(buf, "on ");
		formatter_name(f, buf, &stmt->target);
	}
	return !buf->overflow;
}

/* One after the other where they are too long for the line; a line's end is free behind each comma. */
static void
break_with(struct formatter *f, const struct ast_stmt *stmt)
{
	buf_puts(f->out, "with ");
	for (size_t i = 0; i < stmt->n_with; i++) {
		if (i) {
			buf_putc(f->out, ',');
			formatter_break(f, f->indent + FORMAT_INDENT);
		}
		formatter_setting(f, &stmt->with[i], 0);
	}
}

static void
break_names(struct formatter *f, const struct ast_stmt *stmt, int clause)
{
	size_t n = clause == CLAUSE_AFTER ? stmt->n_after : stmt->n_using;

	buf_puts(f->out, clause == CLAUSE_AFTER ? "after " : "using ");
	for (size_t i = 0; i < n; i++) {
		if (i) {
			buf_putc(f->out, ',');
			formatter_break(f, f->indent + FORMAT_INDENT);
		}
		if (clause == CLAUSE_AFTER) {
			formatter_name(f, f->out, &stmt->after[i]);
			continue;
		}
		formatter_name(f, f->out, &stmt->using_[i].name);
		buf_puts(f->out, " = ");
		formatter_expr(f, stmt->using_[i].path);
	}
}

static void
write_clauses(struct formatter *f, const struct ast_stmt *stmt)
{
	f->indent += FORMAT_INDENT;
	for (int i = 0; i < N_CLAUSES; i++) {
		struct buf line = { .max = FORMAT_WIDTH * 4 };

		if (!has_clause(stmt, i))
			continue;
		if (i == CLAUSE_ON)
			buf_putc(f->out, ' ');
		else
			formatter_break(f, f->indent);
		if (flat_clause(f, &line, stmt, i) && (i == CLAUSE_ON || formatter_fits(f, &line)))
			buf_add(f->out, line.data, line.len);
		else if (i == CLAUSE_WITH)
			break_with(f, stmt);
		else
			break_names(f, stmt, i);
		buf_release(&line);
	}
	f->indent -= FORMAT_INDENT;
}

/* ---- steps and actions ---- */

static const struct ast_expr *
subject(const struct ast_stmt *stmt)
{
	return stmt->kind == AST_APPROVE ? stmt->text : stmt->expr;
}

/* The whole of it on the line. */
static bool
flat_step(const struct formatter *f, struct buf *buf, const struct ast_stmt *stmt)
{
	bool flat = formatter_flat(f, buf, subject(stmt));

	for (int i = 0; i < N_CLAUSES && flat; i++) {
		if (!has_clause(stmt, i))
			continue;
		buf_putc(buf, ' ');
		flat = flat_clause(f, buf, stmt, i);
	}
	return flat && !buf->overflow;
}

static void
write_step(struct formatter *f, const struct ast_stmt *stmt)
{
	struct buf line = { .max = FORMAT_WIDTH * 4 };

	if (stmt->name.text) {
		formatter_name(f, f->out, &stmt->name);
		buf_puts(f->out, " = ");
	}
	buf_puts(f->out, stmt->start ? "start " : stmt->kind == AST_APPROVE ? "approve " : "");
	if (flat_step(f, &line, stmt) && formatter_fits(f, &line)) {
		buf_add(f->out, buf_text(&line), line.len);
	} else {
		formatter_expr(f, subject(stmt));
		write_clauses(f, stmt);
	}
	buf_release(&line);
}

/* ---- control flow ---- */

/* `name = if c { a } else { b }`, when no branch has steps. */
static bool
flat_choice(const struct formatter *f, struct buf *buf, const struct ast_stmt *stmt)
{
	for (size_t i = 0; i < stmt->n_arms; i++) {
		const struct ast_arm *arm = &stmt->arms[i];

		if (arm->block.n || !arm->result)
			return false;
		buf_puts(buf, !i ? "if " : arm->condition ? " else if " : " else ");
		if (arm->condition && !formatter_flat(f, buf, arm->condition))
			return false;
		buf_puts(buf, arm->condition ? " { " : "{ ");
		if (!formatter_flat(f, buf, arm->result))
			return false;
		buf_puts(buf, " }");
	}
	return !formatter_has_comments(f, stmt->span.start, stmt->span.end);
}

static void
write_arms(struct formatter *f, const struct ast_stmt *stmt)
{
	struct buf line = { .max = FORMAT_WIDTH * 4 };

	if (stmt->name.text) {
		formatter_name(f, f->out, &stmt->name);
		buf_puts(f->out, " = ");
	}
	if (stmt->kind == AST_CHOICE && flat_choice(f, &line, stmt) && formatter_fits(f, &line)) {
		buf_add(f->out, line.data, line.len);
		buf_release(&line);
		return;
	}
	buf_release(&line);
	for (size_t i = 0; i < stmt->n_arms; i++) {
		const struct ast_arm *arm = &stmt->arms[i];

		buf_puts(f->out, !i ? "if " : arm->condition ? " else if " : " else ");
		if (arm->condition)
			formatter_expr(f, arm->condition);
		buf_puts(f->out, arm->condition ? " " : "");
		write_block(f, &arm->block, arm->result);
	}
}

/* A sweep of one short line stays one. */
static bool
flat_sweep(const struct formatter *f, struct buf *buf, const struct ast_stmt *stmt)
{
	const struct ast_stmt *only = stmt->body.n == 1 ? stmt->body.stmts[0] : NULL;

	if (!f->indent && only && only->kind == AST_ACTION && !formatter_has_comments(f, stmt->span.start, stmt->span.end)) {
		if (!formatter_flat(f, buf, stmt->expr))
			return false;
		buf_puts(buf, " { ");
		if (only->name.text) {
			formatter_name(f, buf, &only->name);
			buf_puts(buf, " = ");
		}
		buf_puts(buf, only->start ? "start " : "");
		if (!flat_step(f, buf, only))
			return false;
		buf_puts(buf, " }");
		return !buf->overflow;
	}
	return false;
}

static void
write_for(struct formatter *f, const struct ast_stmt *stmt)
{
	struct buf line = { .max = FORMAT_WIDTH * 4 };

	buf_puts(f->out, "for ");
	formatter_name(f, f->out, &stmt->name);
	buf_puts(f->out, " in ");
	if (flat_sweep(f, &line, stmt) && formatter_fits(f, &line)) {
		buf_add(f->out, line.data, line.len);
	} else {
		formatter_expr(f, stmt->expr);
		buf_puts(f->out, stmt->parallel ? " parallel " : "");
		if (stmt->parallel)
			formatter_expr(f, stmt->parallel);
		buf_putc(f->out, ' ');
		write_block(f, &stmt->body, NULL);
	}
	buf_release(&line);
}

static void
write_while(struct formatter *f, const struct ast_stmt *stmt)
{
	buf_puts(f->out, "while ");
	formatter_expr(f, stmt->expr);
	buf_puts(f->out, " max ");
	formatter_expr(f, stmt->max);
	buf_putc(f->out, ' ');
	write_block(f, &stmt->body, NULL);
}

static void
write_return(struct formatter *f, const struct ast_stmt *stmt)
{
	buf_puts(f->out, "return ");
	for (size_t i = 0; i < stmt->n_entries; i++) {
		struct buf line = { .max = FORMAT_WIDTH * 4 };

		formatter_name(f, &line, &stmt->entries[i].key);
		buf_puts(&line, ": ");
		if (i)
			buf_putc(f->out, ',');
		if (i && formatter_flat(f, &line, stmt->entries[i].value) && formatter_column(f) + 2 +
			    utf8_width(line.data, line.len) > FORMAT_WIDTH)
			formatter_break(f, f->indent + FORMAT_INDENT);
		else if (i)
			buf_putc(f->out, ' ');
		formatter_name(f, f->out, &stmt->entries[i].key);
		buf_puts(f->out, ": ");
		formatter_expr(f, stmt->entries[i].value);
		buf_release(&line);
	}
}

/* ---- the top level ---- */

static void
write_verb(struct formatter *f, const struct ast_verb *verb)
{
	bool comma = !strcmp(verb->word.text, "assert");

	formatter_name(f, f->out, &verb->word);
	for (size_t i = 0; i < verb->n_args; i++) {
		buf_puts(f->out, i && comma ? ", " : " ");
		formatter_expr(f, verb->args[i]);
	}
	for (size_t i = 0; i < verb->n_clauses; i++) {
		buf_putc(f->out, ' ');
		formatter_name(f, f->out, &verb->clauses[i].word);
		if (!verb->clauses[i].value)
			continue;
		buf_putc(f->out, ' ');
		formatter_expr(f, verb->clauses[i].value);
	}
}

static void
write_pipeline(struct formatter *f, const struct ast_stmt *stmt)
{
	formatter_decl(f, stmt);
	write_block(f, &stmt->body, NULL);
}

static void
write_stmt(struct formatter *f, const struct ast_stmt *stmt)
{
	switch (stmt->kind) {
	case AST_USE:
	case AST_TYPE:
	case AST_COMPONENT:
	case AST_CLUSTER:
	case AST_EXPERIMENT:
		formatter_decl(f, stmt);
		break;
	case AST_PIPELINE:
		write_pipeline(f, stmt);
		break;
	case AST_SETTINGS:
		buf_puts(f->out, "settings ");
		formatter_fields(f, stmt, true);
		break;
	case AST_STEP:
	case AST_VALUE:
	case AST_APPROVE:
	case AST_ACTION:
		write_step(f, stmt);
		break;
	case AST_CHOICE:
	case AST_IF:
		write_arms(f, stmt);
		break;
	case AST_FOR:
		write_for(f, stmt);
		break;
	case AST_WHILE:
		write_while(f, stmt);
		break;
	case AST_EXIT:
		buf_puts(f->out, "on exit ");
		write_block(f, &stmt->body, NULL);
		break;
	case AST_RETURN:
		write_return(f, stmt);
		break;
	case AST_VERB:
		if (stmt->name.text) {
			formatter_name(f, f->out, &stmt->name);
			buf_puts(f->out, " = ");
		}
		write_verb(f, &stmt->verb);
		break;
	case AST_SHELL:
	case AST_MAGIC:
		formatter_source(f, f->out, stmt->span);
		break;
	case AST_HELP:
		formatter_expr(f, stmt->expr);
		buf_puts(f->out, stmt->detail ? "??" : "?");
		break;
	}
}

/* Declarations of several lines stand apart from what is around them. */
static bool
stands_apart(const struct ast_stmt *stmt)
{
	return stmt->kind == AST_PIPELINE || stmt->kind == AST_COMPONENT;
}

/* Columns of the longest name in the run of `use` lines that begins here; blank lines and comments end a run. */
static size_t
pad_of(const struct formatter *f, struct ast_stmt *const *stmts, size_t n)
{
	size_t pad = 0;

	for (size_t i = 0; i < n && stmts[i]->kind == AST_USE; i++) {
		struct span span = stmts[i]->name.span;
		size_t width = utf8_width(f->text + span.start, span.end - span.start);

		if (i && !formatter_follows(f, stmts[i - 1]->span.end, stmts[i]->span.start))
			break;
		pad = width > pad ? width : pad;
	}
	return pad;
}

void
formatter_stmts(struct formatter *f, struct ast_stmt *const *stmts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct ast_stmt *stmt = stmts[i];

		if (i && (stands_apart(stmt) || stands_apart(stmts[i - 1])))
			f->want_blank = true;
		if (!i || stmts[i - 1]->kind != AST_USE || !formatter_follows(f, stmts[i - 1]->span.end, stmt->span.start))
			f->use_pad = pad_of(f, stmts + i, n - i);
		formatter_line(f, stmt->span.start);
		write_stmt(f, stmt);
		formatter_done(f, stmt->span.end);
	}
}
