/* The top level of a cell: declarations, verbs, actions, sweeps, shell and magic lines, questions. */
#include "config.h"

#include <string.h>

#include "base/utf8.h"
#include "dsl/parser.h"

/* ---- verbs ---- */

static struct ast_expr *
word_expr(struct parser *p, const char *what)
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

/* What one letter of dsl/verb.def stands for. */
static struct ast_expr *
parse_value(struct parser *p, const struct verb *verb, char letter)
{
	enum token_kind kind = parser_peek(p);

	switch (letter) {
	case 'E':
		return parser_expr(p);
	case 'C':
		return call_expr(p, verb);
	case 'W':
		return word_expr(p, "a word");
	case 'N':
		return parser_number(p, "a whole number");
	case 'S':
		return parser_text_literal(p, "text in quotes");
	case 'T':
		return kind == TOKEN_STRING || kind == TOKEN_RAW ? parser_text_literal(p, "") : parser_path(p);
	case 'V':
		return word_expr(p, "a name");
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
	return !parser_at_end(p) && !(strchr("PTC", letter) && token_is_keyword(parser_peek(p)));
}

static void
parse_args(struct parser *p, const struct verb *verb, struct ast_verb *ret)
{
	VEC(struct ast_expr *) args = { 0 };

	for (const char *at = verb->args; *at && !p->panic; at++) {
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

static struct ast_stmt *
parse_verb(struct parser *p, const struct verb *verb)
{
	struct ast_stmt *stmt = parser_new_stmt(p, AST_VERB);

	stmt->verb.word = parser_name(p, false, "a verb");
	parse_args(p, verb, &stmt->verb);
	parse_clauses(p, verb, &stmt->verb);
	return stmt;
}

/* ---- what a first word means ---- */

static const char *const DECLARATIONS[] = { "cluster", "experiment", "type", "start" };

/* Its bit in parser.bound. */
static uint64_t
bit_of(const char *text, size_t len)
{
	size_t n;
	const struct verb *verbs = verb_table(&n), *verb = verb_lookup(text, len);

	if (verb)
		return UINT64_C(1) << (size_t)(verb - verbs);
	for (size_t i = 0; i < ARRAY_LEN(DECLARATIONS); i++)
		if (strlen(DECLARATIONS[i]) == len && !memcmp(DECLARATIONS[i], text, len))
			return UINT64_C(1) << (n + i);
	return 0;
}

/* Has the user bound the word, in another cell or above in this one? */
static bool
is_bound(const struct parser *p, const struct token *token)
{
	char word[32];
	size_t len;
	const char *text = parser_text(p, token, &len);

	if (p->bound & bit_of(text, len))
		return true;
	if (!p->options || !p->options->is_bound || len >= sizeof(word))
		return false;
	memcpy(word, text, len);
	word[len] = '\0';
	return p->options->is_bound(p->options->context, word);
}

static void
bind(struct parser *p, const struct ast_name *name)
{
	if (name->text)
		p->bound |= bit_of(name->text, strlen(name->text));
}

/* The place's word does something at the start of a line. */
static bool
acts(const struct parser *p)
{
	enum token_kind second = parser_peek_second(p);

	if (parser_peek(p) != TOKEN_NAME || second == TOKEN_ASSIGN || second == TOKEN_LPAREN || second == TOKEN_DOT ||
	    second == TOKEN_QUESTION || second == TOKEN_COALESCE)
		return false;
	return !is_bound(p, parser_token(p));
}

/* ---- actions ---- */

static bool
is_plain_path(const struct ast_expr *expr)
{
	while (expr->kind == AST_MEMBER)
		expr = expr->a;
	return expr->kind == AST_NAME;
}

static void
parse_started(struct parser *p, struct ast_stmt *stmt)
{
	struct diag *diag;

	parser_next(p);
	stmt->start = true;
	stmt->expr = parser_expr_or_call(p);
	if (p->panic || stmt->expr->kind == AST_CALL || stmt->expr->kind == AST_POISON)
		return;
	diag = parser_complain(p, DIAG_L0122, stmt->expr->span, "`start` wants a call");
	if (diag)
		diag_help(p->diags, diag, "write `start P(…)`, with the pipeline's parameters in the parentheses");
	stmt->expr = parser_poison(p, stmt->expr->span.start);
}

static void
parse_question(struct parser *p, struct ast_stmt *stmt)
{
	stmt->kind = AST_HELP;
	stmt->detail = parser_peek(p) == TOKEN_COALESCE;
	parser_next(p);
}

/* A first word that is near a verb or a declaration, and another word behind it. */
static void
unknown_verb(struct parser *p, const struct ast_expr *expr)
{
	static const char *const KEYWORDS[] = { "use", "component", "pipeline", "for", "cluster", "experiment", "type", "start" };
	const char *names[64];
	enum token_kind kind = parser_peek(p);
	struct diag *diag;
	size_t n_verbs, n = 0;
	const struct verb *verbs = verb_table(&n_verbs);

	if (p->panic || expr->kind != AST_NAME ||
	    (kind != TOKEN_NAME && kind != TOKEN_QUOTED_NAME && kind != TOKEN_STRING))
		return;
	for (size_t i = 0; i < ARRAY_LEN(KEYWORDS); i++)
		names[n++] = KEYWORDS[i];
	for (size_t i = 0; i < n_verbs && n < ARRAY_LEN(names); i++)
		names[n++] = verbs[i].word;
	diag = parser_unexpected(p, "the end of the line");
	if (!diag)
		return;
	if (verb_lookup(expr->name.text, strlen(expr->name.text)))
		diag_label(p->diags, diag, expr->span, "this is a value of yours, and so no verb");
	else
		diag_label(p->diags, diag, expr->span, "this is no verb");
	diag_near(p->diags, diag, "verb", expr->span, expr->name.text, names, n);
}

static struct ast_stmt *
parse_action(struct parser *p, bool questions)
{
	struct ast_stmt *stmt = parser_new_stmt(p, AST_ACTION);
	enum token_kind kind = parser_peek(p);

	if ((kind == TOKEN_NAME || kind == TOKEN_QUOTED_NAME || token_is_keyword(kind)) &&
	    parser_peek_second(p) == TOKEN_ASSIGN) {
		stmt->name = parser_name(p, false, "a name");
		parser_accept(p, TOKEN_ASSIGN);
		parser_pass_newline(p);
		bind(p, &stmt->name);
	}
	if (parser_is_word(p, "start") && acts(p) && parser_peek_second(p) != TOKEN_NEWLINE &&
	    parser_peek_second(p) != TOKEN_EOF) {
		parse_started(p, stmt);
	} else {
		p->help_ok = questions && !stmt->name.text;
		stmt->expr = parser_expr_or_call(p);
		p->help_ok = false;
	}
	kind = parser_peek(p);
	if (questions && !p->panic && !stmt->name.text && is_plain_path(stmt->expr) &&
	    (kind == TOKEN_QUESTION || kind == TOKEN_COALESCE)) {
		parse_question(p, stmt);
		return stmt;
	}
	if (stmt->expr->kind == AST_CALL && !parser_is_builtin(stmt->expr))
		parser_with(p, stmt);
	else if (!stmt->name.text)
		unknown_verb(p, stmt->expr);
	return stmt;
}

/* ---- sweeps ---- */

static struct ast_stmt *
parse_swept(struct parser *p)
{
	const struct token *token = parser_token(p);
	size_t len;
	const char *word = parser_text(p, token, &len);
	struct diag *diag;

	if (!acts(p) || !verb_lookup(word, len))
		return parse_action(p, false);
	diag = parser_complain(p, DIAG_L0118, parser_span_of(p, token), "`%.*s` cannot stand in a sweep", (int)len, word);
	if (diag)
		diag_help(p->diags, diag, "a sweep holds calls, `name = …` and values to show");
	return NULL;
}

static struct ast_stmt *
parse_sweep(struct parser *p)
{
	struct ast_stmt *stmt = parser_new_stmt(p, AST_FOR);
	VEC(struct ast_stmt *) stmts = { 0 };
	struct bracket bracket;
	uint32_t start, outer = p->statement;

	parser_next(p);
	stmt->name = parser_name(p, false, "the sweep's name for an item");
	parser_expect(p, TOKEN_IN, "behind the name");
	parser_pass_newline(p);
	stmt->expr = parser_expr(p);
	start = parser_start(p);
	if (!parser_open(p, TOKEN_LBRACE, true, "", &bracket))
		return NULL;
	while (!p->panic) {
		struct ast_stmt *inner;

		parser_pass_newline(p);
		if (parser_peek(p) == TOKEN_RBRACE || parser_peek(p) == TOKEN_EOF ||
		    (parser_forgot_to_close(p) && token_is_keyword(parser_peek(p))))
			break;
		p->statement = parser_start(p);
		inner = parse_swept(p);
		if (inner && !p->panic) {
			inner->span = parser_span_from(p, inner->span.start);
			vec_push(&stmts, inner);
		}
		parser_statement_ends(p, bracket.level + 1, false);
	}
	p->statement = outer;
	parser_close(p, &bracket, "`}`");
	parser_settle(p, &stmts, &stmt->body.stmts, &stmt->body.n);
	stmt->body.span = parser_span_from(p, start);
	return stmt;
}

/* ---- whole lines ---- */

static const char *
rest_of(struct parser *p, const char *text, size_t len)
{
	struct buf clean = { 0 };
	const char *copy;

	utf8_sanitise(&clean, text, strnlen(text, len));
	copy = arena_strndup(p->arena, buf_text(&clean), clean.len);
	buf_release(&clean);
	return copy;
}

static struct ast_stmt *
parse_shell(struct parser *p)
{
	struct ast_stmt *stmt = parser_new_stmt(p, AST_SHELL);
	size_t len;
	const char *text = parser_text(p, parser_next(p), &len);

	stmt->raw = rest_of(p, text + 1, len - 1);
	return stmt;
}

static struct ast_stmt *
parse_magic(struct parser *p)
{
	struct ast_stmt *stmt = parser_new_stmt(p, AST_MAGIC);
	const struct token *token = parser_next(p);
	size_t len, word = 1;
	const char *text = parser_text(p, token, &len);

	while (word < len && token_is_identifier(text + 1, word))
		word++;
	if (word > 1 && !token_is_identifier(text + 1, word - 1))
		word--;
	if (word == 1 || (word < len && text[word] != ' ' && text[word] != '\t')) {
		parser_complain(p, DIAG_L0118, (struct span){ p->source, token->start, token->start + 1 },
			"`%%` at the start of a line wants a word close behind it");
		return NULL;
	}
	stmt->name.text = arena_strndup(p->arena, text + 1, word - 1);
	stmt->name.span = (struct span){ p->source, token->start + 1, token->start + (uint32_t)word };
	while (word < len && (text[word] == ' ' || text[word] == '\t'))
		word++;
	stmt->raw = rest_of(p, text + word, len - word);
	return stmt;
}

/* `for?` asks about a word of the language. */
static struct ast_stmt *
parse_keyword_question(struct parser *p)
{
	struct ast_stmt *stmt = parser_new_stmt(p, AST_HELP);

	stmt->expr = word_expr(p, "a word");
	parse_question(p, stmt);
	return stmt;
}

static struct ast_stmt *
misplaced(struct parser *p, const char *message)
{
	size_t len;
	const char *word = parser_text(p, parser_token(p), &len);

	parser_complain(p, DIAG_L0118, parser_span_of(p, parser_token(p)), "`%.*s` %s", (int)len, word, message);
	return NULL;
}

static struct ast_stmt *
parse_word_stmt(struct parser *p)
{
	const struct token *token = parser_token(p);
	size_t len;
	const char *word = parser_text(p, token, &len);
	const struct verb *verb;

	if (!acts(p))
		return parse_action(p, true);
	if (parser_is_word(p, "type"))
		return parser_type_alias(p);
	if (parser_is_word(p, "cluster"))
		return parser_cluster(p);
	if (parser_is_word(p, "experiment"))
		return parser_experiment(p);
	verb = verb_lookup(word, len);
	return verb ? parse_verb(p, verb) : parse_action(p, true);
}

struct ast_stmt *
parser_top(struct parser *p)
{
	enum token_kind kind = parser_peek(p), second = parser_peek_second(p);
	struct ast_stmt *stmt;

	if (token_is_keyword(kind) && (second == TOKEN_QUESTION || second == TOKEN_COALESCE) && kind != TOKEN_TRUE &&
	    kind != TOKEN_FALSE && kind != TOKEN_NULL)
		return parse_keyword_question(p);
	switch (kind) {
	case TOKEN_SHELL:
		return parse_shell(p);
	case TOKEN_MAGIC:
		return parse_magic(p);
	case TOKEN_USE:
		stmt = parser_use(p);
		break;
	case TOKEN_COMPONENT:
		stmt = parser_component(p);
		break;
	case TOKEN_PIPELINE:
		stmt = parser_pipeline(p);
		break;
	case TOKEN_FOR:
		return parse_sweep(p);
	case TOKEN_IF:
	case TOKEN_WHILE:
	case TOKEN_RETURN:
		return second == TOKEN_ASSIGN ? parse_action(p, true) : misplaced(p, "stands inside a pipeline");
	case TOKEN_WITH:
	case TOKEN_USING:
	case TOKEN_ON:
		return misplaced(p, "stands behind a call");
	case TOKEN_AFTER:
		return misplaced(p, "stands behind a step of a pipeline");
	case TOKEN_ELSE:
		return misplaced(p, "has no `if` before it");
	case TOKEN_NAME:
		return parse_word_stmt(p);
	default:
		return parse_action(p, true);
	}
	bind(p, &stmt->name);
	return stmt;
}
