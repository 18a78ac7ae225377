#include "config.h"

#include "dsl/parse.h"

#include "dsl/parser.h"

static void
take_comments(struct unit *unit, struct lexer *lexer)
{
	unit->comments = arena_copy(unit->arena, lexer->comments.items, lexer->comments.n * sizeof(*unit->comments));
	unit->n_comments = lexer->comments.n;
}

static bool
is_closing(enum token_kind kind)
{
	return kind == TOKEN_RPAREN || kind == TOKEN_RBRACKET || kind == TOKEN_RBRACE;
}

static struct ast_stmt *
stray(struct parser *p)
{
	parser_complain(p, DIAG_L0113, parser_span_of(p, parser_token(p)), "this %s closes nothing", token_text(parser_peek(p)));
	parser_next(p);
	return NULL;
}

static void
parse_all(struct parser *p)
{
	VEC(struct ast_stmt *) stmts = { 0 };

	for (;;) {
		struct ast_stmt *stmt;

		parser_pass_newline(p);
		if (parser_peek(p) == TOKEN_EOF)
			break;
		p->statement = parser_start(p);
		stmt = is_closing(parser_peek(p)) ? stray(p) : parser_top(p);
		if (stmt && !p->panic) {
			stmt->span = parser_span_from(p, stmt->span.start);
			vec_push(&stmts, stmt);
		}
		parser_statement_ends(p, 0, false);
	}
	parser_settle(p, &stmts, &p->unit->stmts, &p->unit->n_stmts);
}

static struct source *
empty_source(const struct source *source)
{
	return source_new(source->name, "", 0);
}

struct unit *
parser_run(struct source *source, const struct parse_options *options, struct diags *diags, struct parser_end *ret_end)
{
	bool too_long = source->len > SOURCE_MAX;
	struct source *readable = too_long ? empty_source(source) : source_ref(source);
	struct unit *unit = unit_new(readable);
	struct lexer lexer;
	struct parser p = {
		.unit = unit, .arena = unit->arena, .source = readable, .diags = diags, .options = options,
		.lexer_errors = &lexer.errors, .end = ret_end,
	};

	if (too_long)
		diags_add(diags, DIAG_L0126, (struct span){ source, 0, 0 }, "the text is longer than %d MiB",
			SOURCE_MAX / (1024 * 1024));
	lexer_read(&lexer, readable, diags);
	take_comments(unit, &lexer);
	*ret_end = (struct parser_end){ .in_raw = lexer.open };
	p.tokens = lexer.tokens.items;
	parse_all(&p);
	vec_release(&p.open);
	lexer_release(&lexer);
	source_unref(readable);
	return unit;
}

struct unit *
parse(struct source *source, const struct parse_options *options, struct diags *diags)
{
	struct parser_end end;

	return parser_run(source, options, diags, &end);
}
