/* Pipelines: steps, values, choices, control flow. */
#include "config.h"

#include <string.h>

#include "dsl/parser.h"

/* What a block may hold besides steps and control flow. */
enum block_kind { BLOCK_PIPELINE, BLOCK_GROUP, BLOCK_RESULT };

static void parse_block(struct parser *p, enum block_kind kind, struct ast_block *ret, struct ast_expr **ret_result);

/* What follows a call, in any order; of each kind as much as there is. */
struct tail {
	VEC(struct ast_setting) with;
	VEC(struct ast_name) after;
	VEC(struct ast_using) usings;
};

static void
parse_with(struct parser *p, struct tail *tail)
{
	parser_next(p);
	do {
		struct ast_setting setting;

		parser_pass_newline(p);
		if (parser_setting(p, &setting))
			vec_push(&tail->with, setting);
	} while (parser_accept(p, TOKEN_COMMA));
}

static void
parse_after(struct parser *p, struct tail *tail)
{
	parser_next(p);
	do {
		struct ast_name name;

		parser_pass_newline(p);
		name = parser_name(p, false, "a step's name");
		if (name.text)
			vec_push(&tail->after, name);
	} while (parser_accept(p, TOKEN_COMMA));
}

static void
parse_using(struct parser *p, struct tail *tail)
{
	parser_next(p);
	do {
		struct ast_using one;

		parser_pass_newline(p);
		one.name = parser_name(p, false, "the name of what is replaced");
		parser_expect(p, TOKEN_ASSIGN, "behind the name");
		parser_pass_newline(p);
		one.path = parser_names_path(p, "the name of a component");
		if (!p->panic)
			vec_push(&tail->usings, one);
	} while (parser_accept(p, TOKEN_COMMA));
}

static void
parse_target(struct parser *p, struct ast_stmt *stmt)
{
	const struct token *on = parser_next(p);

	if (stmt->target.text)
		parser_report(p, DIAG_L0121, parser_span_of(p, on), "`on` stands here twice");
	parser_pass_newline(p);
	stmt->target = parser_name(p, false, "the name of a cluster");
}

/* False when nothing more belongs to the statement. */
static bool
parse_clause(struct parser *p, struct ast_stmt *stmt, struct tail *tail)
{
	enum token_kind kind = p->panic ? TOKEN_ERROR : parser_peek_over(p);
	bool top = stmt->kind == AST_ACTION;

	if (kind == TOKEN_WITH)
		parse_with(p, tail);
	else if (kind == TOKEN_AFTER && !top)
		parse_after(p, tail);
	else if (kind == TOKEN_USING && top)
		parse_using(p, tail);
	else if (kind == TOKEN_ON && top && (p->open.n == 0 || !parser_token(p)->newline))
		parse_target(p, stmt);
	else
		return false;
	return true;
}

void
parser_with(struct parser *p, struct ast_stmt *stmt)
{
	struct tail tail = { 0 };

	while (parse_clause(p, stmt, &tail))
		;
	parser_settle(p, &tail.with, &stmt->with, &stmt->n_with);
	parser_settle(p, &tail.after, &stmt->after, &stmt->n_after);
	parser_settle(p, &tail.usings, &stmt->using_, &stmt->n_using);
}

/* ---- control flow ---- */

static struct ast_arm
parse_arm(struct parser *p, bool choice)
{
	struct ast_arm arm = { 0 };
	uint32_t start = parser_start(p);

	if (parser_accept(p, TOKEN_IF)) {
		if (parser_peek(p) == TOKEN_LBRACE)
			parser_unexpected(p, "a condition behind `if`");
		arm.condition = parser_expr(p);
		if (!p->panic && parser_peek(p) == TOKEN_ASSIGN) {
			struct diag *diag = parser_unexpected(p, "`{` behind the condition");

			if (diag) {
				diag_help(p->diags, diag, "equality is tested with `==`");
				diag_fix(p->diags, diag, parser_span_of(p, parser_token(p)), FIX_LIKELY, "==");
			}
		}
	}
	parse_block(p, choice ? BLOCK_RESULT : BLOCK_GROUP, &arm.block, &arm.result);
	arm.span = parser_span_from(p, start);
	return arm;
}

/* At `if`. */
static void
parse_arms(struct parser *p, struct ast_stmt *stmt)
{
	VEC(struct ast_arm) arms = { 0 };
	bool choice = stmt->kind == AST_CHOICE, more = true;

	while (more && !p->panic) {
		struct ast_arm arm = parse_arm(p, choice);

		vec_push(&arms, arm);
		more = arm.condition && !p->panic && parser_peek_over(p) == TOKEN_ELSE;
		if (more)
			parser_next(p);
		parser_pass_newline(p);
		if (!more)
			p->passed = 0;
	}
	parser_settle(p, &arms, &stmt->arms, &stmt->n_arms);
	if (!p->panic && choice && stmt->arms[stmt->n_arms - 1].condition) {
		struct diag *diag = parser_report(p, DIAG_L0120, stmt->name.span, "this choice has no `else`");

		if (diag)
			diag_note(p->diags, diag, "`%.40s` needs a value whichever way the conditions go", stmt->name.text);
	}
}

static struct ast_stmt *
parse_if(struct parser *p)
{
	struct ast_stmt *stmt = parser_new_stmt(p, AST_IF);

	parse_arms(p, stmt);
	return stmt;
}

static struct ast_stmt *
parse_for(struct parser *p)
{
	struct ast_stmt *stmt = parser_new_stmt(p, AST_FOR);

	parser_next(p);
	stmt->name = parser_name(p, false, "the loop's name for an item");
	parser_expect(p, TOKEN_IN, "behind the name");
	parser_pass_newline(p);
	stmt->expr = parser_expr(p);
	if (parser_accept_word(p, "parallel"))
		stmt->parallel = parser_number(p, "how many at a time behind `parallel`");
	parse_block(p, BLOCK_GROUP, &stmt->body, NULL);
	return stmt;
}

static struct ast_stmt *
parse_while(struct parser *p)
{
	struct ast_stmt *stmt = parser_new_stmt(p, AST_WHILE);

	parser_next(p);
	stmt->expr = parser_expr(p);
	if (!parser_accept_word(p, "max")) {
		struct diag *diag = parser_unexpected(p, "`max` and a number of rounds");

		if (diag)
			diag_help(p->diags, diag, "every `while` says how often it may run at most: `while … max 10 { … }`");
	}
	stmt->max = parser_number(p, "a number of rounds behind `max`");
	parse_block(p, BLOCK_GROUP, &stmt->body, NULL);
	return stmt;
}

static struct ast_stmt *
parse_exit(struct parser *p)
{
	struct ast_stmt *stmt = parser_new_stmt(p, AST_EXIT);

	parser_next(p);
	if (!parser_accept_word(p, "exit"))
		parser_unexpected(p, "`exit` behind `on`");
	parse_block(p, BLOCK_GROUP, &stmt->body, NULL);
	return stmt;
}

static struct ast_stmt *
parse_return(struct parser *p)
{
	struct ast_stmt *stmt = parser_new_stmt(p, AST_RETURN);
	VEC(struct ast_entry) entries = { 0 };

	parser_next(p);
	do {
		struct ast_entry entry = { 0 };

		parser_pass_newline(p);
		entry.key = parser_name(p, true, "an output's name");
		parser_expect(p, TOKEN_COLON, "behind the output's name");
		parser_pass_newline(p);
		entry.value = parser_expr(p);
		if (!p->panic)
			vec_push(&entries, entry);
	} while (parser_accept(p, TOKEN_COMMA));
	parser_settle(p, &entries, &stmt->entries, &stmt->n_entries);
	return stmt;
}

static struct ast_stmt *
parse_settings(struct parser *p)
{
	struct ast_stmt *stmt = parser_new_stmt(p, AST_SETTINGS);

	parser_next(p);
	parser_fields(p, &stmt->fields, &stmt->n_fields, false);
	return stmt;
}

/* ---- steps and values ---- */

static bool
is_binding(const struct parser *p)
{
	enum token_kind kind = parser_peek(p);

	return (kind == TOKEN_NAME || kind == TOKEN_QUOTED_NAME || token_is_keyword(kind)) &&
	       parser_peek_second(p) == TOKEN_ASSIGN;
}

static bool
is_approval(const struct parser *p)
{
	return parser_is_word(p, "approve") && parser_peek_second(p) == TOKEN_STRING;
}

/* Something stands behind an expression that is a whole line otherwise: a verb of the top level? */
static void
rest_of_line(struct parser *p, const struct ast_expr *expr)
{
	struct diag *diag = parser_unexpected(p, "the end of the line");

	if (diag && expr->kind == AST_NAME && verb_lookup(expr->name.text, strlen(expr->name.text)))
		diag_help(p->diags, diag, "`%s` does something at the top level of a cell, not in a pipeline", expr->name.text);
}

static struct ast_stmt *
parse_step(struct parser *p, enum block_kind kind, struct ast_expr **ret_result)
{
	struct ast_stmt *stmt = parser_new_stmt(p, AST_STEP);

	if (is_binding(p)) {
		stmt->name = parser_name(p, false, "a step's name");
		parser_accept(p, TOKEN_ASSIGN);
		parser_pass_newline(p);
	}
	if (stmt->name.text && !p->panic && parser_peek(p) == TOKEN_IF) {
		stmt->kind = AST_CHOICE;
		parse_arms(p, stmt);
		return stmt;
	}
	if (is_approval(p)) {
		stmt->kind = AST_APPROVE;
		parser_next(p);
		stmt->text = parser_string(p);
		parser_with(p, stmt);
		return stmt;
	}
	stmt->expr = parser_expr_or_call(p);
	if (stmt->expr->kind == AST_CALL && !parser_is_builtin(stmt->expr)) {
		parser_with(p, stmt);
	} else if (stmt->name.text || p->panic) {
		stmt->kind = AST_VALUE;
	} else if (kind == BLOCK_RESULT) {
		*ret_result = stmt->expr;
		return NULL;
	} else if (stmt->expr->kind != AST_POISON) {
		struct diag *diag;

		stmt->kind = AST_VALUE;
		if (!parser_at_end(p)) {
			rest_of_line(p, stmt->expr);
			return NULL;
		}
		diag = parser_report(p, DIAG_L0119, stmt->expr->span, "an expression alone does nothing in a pipeline");
		if (diag)
			diag_help(p->diags, diag, "call a component, or give the value a name: `name = …`");
		return NULL;
	}
	return stmt;
}

static struct ast_stmt *
parse_block_stmt(struct parser *p, enum block_kind kind, struct ast_expr **ret_result)
{
	bool settings = parser_is_word(p, "settings") && parser_peek_second(p) == TOKEN_LBRACE;

	if (is_binding(p))
		return parse_step(p, kind, ret_result);
	switch (parser_peek(p)) {
	case TOKEN_IF:
		return parse_if(p);
	case TOKEN_FOR:
		return parse_for(p);
	case TOKEN_WHILE:
		return parse_while(p);
	case TOKEN_ON:
		return kind == BLOCK_PIPELINE ? parse_exit(p) : parser_misplaced(p, "stands directly in the pipeline, not in a group");
	case TOKEN_RETURN:
		return kind == BLOCK_PIPELINE ? parse_return(p) : parser_misplaced(p, "stands directly in the pipeline, not in a group");
	case TOKEN_USE:
	case TOKEN_COMPONENT:
	case TOKEN_PIPELINE:
		return parser_misplaced(p, "cannot be declared inside a pipeline");
	case TOKEN_ELSE:
		return parser_misplaced(p, "has no `if` before it");
	case TOKEN_WITH:
	case TOKEN_AFTER:
		return parser_misplaced(p, "stands behind a step");
	case TOKEN_SHELL:
		return parser_complain(p, DIAG_L0118, parser_span_of(p, parser_token(p)),
			"a shell line cannot stand inside a pipeline"), NULL;
	default:
		break;
	}
	if (settings)
		return kind == BLOCK_PIPELINE ? parse_settings(p) : parser_misplaced(p, "stands directly in the pipeline, not in a group");
	return parse_step(p, kind, ret_result);
}

/* ---- blocks ---- */

static void
check_result(struct parser *p, const struct ast_block *block, const struct ast_expr *result)
{
	struct diag *diag;
	struct span end = { p->source, block->span.end - 1, block->span.end };

	if (p->panic || result)
		return;
	diag = parser_report(p, DIAG_L0120, end, "this branch of the choice has no value");
	if (diag)
		diag_help(p->diags, diag, "its last line is the value, such as `step.output`; a step is given a name in a line before");
}

static bool
ends_block(const struct parser *p)
{
	enum token_kind kind = parser_peek(p);

	if (kind == TOKEN_RBRACE || kind == TOKEN_EOF)
		return true;
	return parser_forgot_to_close(p) && kind != TOKEN_NAME && kind != TOKEN_QUOTED_NAME && kind != TOKEN_SHELL;
}

static void
parse_block(struct parser *p, enum block_kind kind, struct ast_block *ret, struct ast_expr **ret_result)
{
	VEC(struct ast_stmt *) stmts = { 0 };
	uint32_t start = parser_start(p), outer = p->statement;
	struct ast_expr *result = NULL;
	struct bracket bracket;

	if (p->panic || !parser_enter(p))
		return;
	if (parser_open(p, TOKEN_LBRACE, true, "", &bracket)) {
		while (!p->panic) {
			struct ast_stmt *stmt;

			parser_pass_newline(p);
			if (ends_block(p))
				break;
			if (result)
				parser_report(p, DIAG_L0120, result->span, "the value of a branch is its last line");
			result = NULL;
			p->statement = parser_start(p);
			stmt = parse_block_stmt(p, kind, &result);
			if (stmt && !p->panic)
				stmt->span = parser_span_from(p, stmt->span.start);
			if (stmt && !p->panic)
				vec_push(&stmts, stmt);
			parser_statement_ends(p, bracket.level + 1, false);
		}
		p->statement = outer;
		parser_close(p, &bracket, "`}`");
	}
	parser_leave(p);
	parser_settle(p, &stmts, &ret->stmts, &ret->n);
	ret->span = parser_span_from(p, start);
	if (kind == BLOCK_RESULT)
		check_result(p, ret, result);
	if (ret_result)
		*ret_result = result;
}

struct ast_stmt *
parser_pipeline(struct parser *p)
{
	struct ast_stmt *stmt = parser_new_stmt(p, AST_PIPELINE);

	parser_next(p);
	stmt->name = parser_name(p, false, "the pipeline's name");
	parser_inputs(p, stmt, false);
	parse_block(p, BLOCK_PIPELINE, &stmt->body, NULL);
	return stmt;
}
