/* Declarations: use, type, component with its inputs and outputs, cluster, experiment. */
#include "config.h"

#include "dsl/parser.h"

static struct ast_type
parse_type(struct parser *p, bool optional_ok, const char *where)
{
	struct ast_type type = { 0 };
	uint32_t start = parser_start(p);
	struct span mark = parser_span_of(p, parser_token(p));
	struct diag *diag;

	type.name = parser_name(p, false, "a type");
	mark = parser_span_of(p, parser_token(p));
	if (parser_accept(p, TOKEN_QUESTION)) {
		type.optional = true;
		if (!optional_ok) {
			diag = parser_report(p, DIAG_L0125, mark, "%s cannot be optional", where);
			if (diag)
				diag_fix(p->diags, diag, mark, FIX_LIKELY, "");
			type.optional = false;
		}
	}
	type.span = parser_span_from(p, start);
	return type;
}

static struct ast_input
parse_input(struct parser *p, bool optional_ok)
{
	struct ast_input input = { .doc = parser_doc(p) };
	uint32_t start = parser_start(p);

	input.name = parser_name(p, true, optional_ok ? "an input" : "a parameter");
	parser_expect(p, TOKEN_COLON, "and a type behind the name");
	input.type = parse_type(p, optional_ok, "a pipeline's parameter");
	if (parser_accept(p, TOKEN_ASSIGN))
		input.fallback = parser_expr(p);
	input.span = parser_span_from(p, start);
	return input;
}

void
parser_inputs(struct parser *p, struct ast_stmt *stmt, bool optional_ok)
{
	VEC(struct ast_input) inputs = { 0 };
	struct bracket bracket;

	if (!parser_open(p, TOKEN_LPAREN, false, "behind the name", &bracket))
		return;
	if (parser_peek(p) != TOKEN_RPAREN) {
		do {
			struct ast_input input = parse_input(p, optional_ok);

			if (!p->panic)
				vec_push(&inputs, input);
		} while (parser_item_ends(p, &bracket, TOKEN_RPAREN, "`,` or `)`"));
	}
	parser_close(p, &bracket, "`,` or `)`");
	parser_settle(p, &inputs, &stmt->inputs, &stmt->n_inputs);
}

static struct ast_output
parse_output(struct parser *p)
{
	struct ast_output output = { .doc = parser_doc(p) };
	uint32_t start = parser_start(p);

	output.name = parser_name(p, true, "an output");
	parser_expect(p, TOKEN_COLON, "and a type behind the name");
	output.type = parse_type(p, false, "an output");
	output.span = parser_span_from(p, start);
	return output;
}

static void
parse_outputs(struct parser *p, struct ast_stmt *stmt)
{
	VEC(struct ast_output) outputs = { 0 };
	struct bracket bracket;

	parser_pass_newline(p);
	if (!parser_open(p, TOKEN_LPAREN, false, "behind `->`", &bracket))
		return;
	if (parser_peek(p) != TOKEN_RPAREN) {
		do {
			struct ast_output output = parse_output(p);

			if (!p->panic)
				vec_push(&outputs, output);
		} while (parser_item_ends(p, &bracket, TOKEN_RPAREN, "`,` or `)`"));
	}
	parser_close(p, &bracket, "`,` or `)`");
	parser_settle(p, &outputs, &stmt->outputs, &stmt->n_outputs);
}

struct ast_stmt *
parser_component(struct parser *p)
{
	struct ast_stmt *stmt = parser_new_stmt(p, AST_COMPONENT);

	parser_next(p);
	stmt->name = parser_name(p, false, "the component's name");
	parser_inputs(p, stmt, true);
	if (parser_accept(p, TOKEN_ARROW))
		parse_outputs(p, stmt);
	parser_fields(p, &stmt->fields, &stmt->n_fields, true);
	return stmt;
}

struct ast_stmt *
parser_use(struct parser *p)
{
	struct ast_stmt *stmt = parser_new_stmt(p, AST_USE);

	parser_next(p);
	stmt->name = parser_name(p, false, "the name of what is used");
	if (!parser_accept_word(p, "from"))
		parser_unexpected(p, "`from` behind the name");
	stmt->text = parser_text_literal(p, "a path or URL in quotes");
	if (parser_accept_word(p, "sha256"))
		stmt->text2 = parser_text_literal(p, "the checksum in quotes");
	return stmt;
}

struct ast_stmt *
parser_type_alias(struct parser *p)
{
	struct ast_stmt *stmt = parser_new_stmt(p, AST_TYPE);

	parser_next(p);
	stmt->name = parser_name(p, false, "the type's name");
	parser_expect(p, TOKEN_ASSIGN, "behind the type's name");
	parser_pass_newline(p);
	stmt->type = parse_type(p, false, "a type of its own");
	return stmt;
}

struct ast_stmt *
parser_cluster(struct parser *p)
{
	struct ast_stmt *stmt = parser_new_stmt(p, AST_CLUSTER);

	parser_next(p);
	stmt->name = parser_name(p, false, "the cluster's name");
	if (!parser_at_end(p))
		parser_fields(p, &stmt->fields, &stmt->n_fields, false);
	return stmt;
}

struct ast_stmt *
parser_experiment(struct parser *p)
{
	struct ast_stmt *stmt = parser_new_stmt(p, AST_EXPERIMENT);

	parser_next(p);
	stmt->text = parser_text_literal(p, "the experiment's name in quotes");
	return stmt;
}
