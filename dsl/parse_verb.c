/* What stands behind a verb: arguments and clauses, as the table dsl/verb.def says. */
#include "config.h"

#include <string.h>

#include "dsl/parser.h"

struct ast_expr *
parser_word_expr(struct parser *p, const char *what)
{
	uint32_t start = parser_start(p);
	struct ast_name name = parser_name(p, true, what);
	struct ast_expr *expr = parser_new_expr(p, name.text ? AST_NAME : AST_POISON, start);

	expr->name = name;
	return expr;
}

static struct ast_expr *
call_expr(struct parser *p, const struct verb *verb)
{
	struct ast_expr *expr = parser_expr_or_call(p);
	struct diag *diag;

	if (p->panic || expr->kind == AST_CALL || expr->kind == AST_POISON)
		return expr;
	diag = parser_complain(p, DIAG_L0122, expr->span, "`%s` wants a call", verb->word);
	if (diag)
		diag_help(p->diags, diag, "write `%s`", verb->usage);
	return parser_poison(p, expr->span.start);
}

static struct ast_expr *
text_or_path(struct parser *p)
{
	enum token_kind kind = parser_peek(p);

	return kind == TOKEN_STRING || kind == TOKEN_RAW ? parser_text_literal(p, "") : parser_path(p);
}

/* `"name"(a: 1)`: a call of what is no path. */
static struct ast_expr *
with_arguments(struct parser *p, struct ast_expr *of)
{
	struct ast_expr *call;

	if (p->panic || parser_peek(p) != TOKEN_LPAREN || !parser_enter(p))
		return of;
	call = parser_call(p, of);
	parser_leave(p);
	return call;
}

/* What one letter of dsl/verb.def stands for. */
static struct ast_expr *
parse_value(struct parser *p, const struct verb *verb, char letter)
{
	switch (letter) {
	case 'E':
		return parser_expr(p);
	case 'C':
		return call_expr(p, verb);
	case 'W':
		return parser_word_expr(p, "a word");
	case 'N':
		return parser_number(p, "a whole number");
	case 'S':
		return parser_text_literal(p, "text in quotes");
	case 'A':
		return with_arguments(p, text_or_path(p));
	case 'T':
		return text_or_path(p);
	case 'V':
		return parser_word_expr(p, "a name");
	default:
		return parser_path(p);
	}
}

static void
missing(struct parser *p, const struct verb *verb)
{
	struct span end = parser_span_from(p, p->statement);
	struct diag *diag;

	end.start = end.end;
	diag = parser_complain(p, DIAG_L0122, end, "`%s` wants something behind it", verb->word);
	if (diag)
		diag_help(p->diags, diag, "write `%s`", verb->usage);
}

/* A word of the language is where a clause begins, not a path. */
static bool
may_begin(const struct parser *p, char letter)
{
	return !parser_at_end(p) && !(strchr("APTC", letter) && token_is_keyword(parser_peek(p)));
}

static void
parse_args(struct parser *p, const struct verb *verb, struct ast_verb *ret)
{
	VEC(struct ast_expr *) args = { 0 };

	for (const char *at = verb->args + (*verb->args == '='); *at && !p->panic; at++) {
		bool comma = *at == ',';
		char letter = comma ? *++at : *at;
		bool optional = at[1] == '?';
		struct ast_expr *arg;

		if (optional)
			at++;
		if (comma ? parser_peek(p) != TOKEN_COMMA : !may_begin(p, letter)) {
			if (!optional)
				missing(p, verb);
			break;
		}
		if (comma) {
			parser_next(p);
			parser_pass_newline(p);
		}
		arg = parse_value(p, verb, letter);
		if (arg)
			vec_push(&args, arg);
	}
	parser_settle(p, &args, &ret->args, &ret->n_args);
}

/* The clause of the verb that the place's word names: its letter, 0 for none, -1 when it is no clause. */
static int
clause_at(const struct parser *p, const struct verb *verb)
{
	const char *at = verb->clauses, *word;
	size_t len, token_len;
	char letter;
	const char *text = parser_text(p, parser_token(p), &token_len);

	if (parser_peek_over(p) != TOKEN_NAME && !token_is_keyword(parser_peek_over(p)))
		return -1;
	while ((word = verb_next_clause(&at, &len, &letter, NULL)))
		if (len == token_len && !memcmp(word, text, len))
			return letter;
	return -1;
}

static void
unknown_clause(struct parser *p, const struct verb *verb)
{
	const char *at = verb->clauses, *word, *names[8];
	struct diag *diag;
	size_t n = 0, len, token_len;
	char letter;
	const char *text = parser_text(p, parser_token(p), &token_len);

	diag = parser_complain(p, DIAG_L0121, parser_span_of(p, parser_token(p)), "`%s` has no `%.*s`", verb->word,
		token_len > 60 ? 60 : (int)token_len, text);
	if (!diag)
		return;
	while (n < ARRAY_LEN(names) && (word = verb_next_clause(&at, &len, &letter, NULL)))
		names[n++] = arena_strndup(p->diags->arena, word, len);
	diag_near(p->diags, diag, "word", parser_span_of(p, parser_token(p)),
		arena_strndup(p->diags->arena, text, token_len > 60 ? 60 : token_len), names, n);
	diag_help(p->diags, diag, "write `%s`", verb->usage);
}

static bool
clause_given(const struct ast_clause *clauses, size_t n, const char *word, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(clauses[i].word.text) == len && !memcmp(clauses[i].word.text, word, len))
			return true;
	return false;
}

static void
check_needed(struct parser *p, const struct verb *verb, const struct ast_clause *clauses, size_t n)
{
	const char *at = verb->clauses, *word;
	struct diag *diag;
	size_t len;
	char letter;
	bool needed;

	while (!p->panic && parser_at_end(p) && (word = verb_next_clause(&at, &len, &letter, &needed))) {
		struct span end = parser_span_from(p, p->statement);

		if (!needed || clause_given(clauses, n, word, len))
			continue;
		end.start = end.end;
		diag = parser_report(p, DIAG_L0122, end, "`%s` wants `%.*s` and a name behind it", verb->word, (int)len, word);
		if (diag)
			diag_help(p->diags, diag, "write `%s`", verb->usage);
	}
}

/* Before a line that begins with `on`, at the top level, the statement goes on. */
static bool
at_clause(struct parser *p)
{
	enum token_kind kind = parser_peek(p);

	if (kind == TOKEN_NEWLINE && parser_peek_over(p) == TOKEN_ON && !p->open.n)
		return true;
	return kind == TOKEN_NAME || token_is_keyword(kind);
}

static void
parse_clauses(struct parser *p, const struct verb *verb, struct ast_verb *ret)
{
	VEC(struct ast_clause) clauses = { 0 };

	while (!p->panic && at_clause(p)) {
		int letter = clause_at(p, verb);
		struct ast_clause clause = { 0 };

		if (letter < 0) {
			unknown_clause(p, verb);
			break;
		}
		parser_pass_newline(p);
		clause.word = parser_name(p, true, "a word");
		if (clause_given(clauses.items, clauses.n, clause.word.text, strlen(clause.word.text)))
			parser_report(p, DIAG_L0121, clause.word.span, "`%s` stands here twice", clause.word.text);
		if (letter)
			clause.value = parse_value(p, verb, (char)letter);
		vec_push(&clauses, clause);
	}
	check_needed(p, verb, clauses.items, clauses.n);
	parser_settle(p, &clauses, &ret->clauses, &ret->n_clauses);
}

void
parser_verb(struct parser *p, const struct verb *verb, struct ast_stmt *stmt)
{
	stmt->verb.word = parser_name(p, false, "a verb");
	parse_args(p, verb, &stmt->verb);
	parse_clauses(p, verb, &stmt->verb);
}
