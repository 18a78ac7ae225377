/* The top level of a cell: declarations, actions, sweeps, shell and magic lines, questions. */
#include "config.h"

#include <string.h>

#include "base/utf8.h"
#include "dsl/parser.h"

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

static struct ast_stmt *
parse_verb(struct parser *p, const struct verb *verb)
{
	struct ast_stmt *stmt = parser_new_stmt(p, AST_VERB);

	parser_verb(p, verb, stmt);
	return stmt;
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

/* `name = VERB …` for the verbs that make a run. Returns false when what stands there is another. */
static bool
parse_bound_verb(struct parser *p, struct ast_stmt *stmt)
{
	const struct verb *verb;
	const char *word;
	size_t len;

	if (!stmt->name.text || p->panic || !acts(p) || parser_peek_second(p) == TOKEN_NEWLINE || parser_peek_second(p) == TOKEN_EOF)
		return false;
	word = parser_text(p, parser_token(p), &len);
	verb = verb_lookup(word, len);
	if (!verb || *verb->args != '=')
		return false;
	stmt->kind = AST_VERB;
	parser_verb(p, verb, stmt);
	return true;
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
	if (questions && parse_bound_verb(p, stmt))
		return stmt;
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

	stmt->expr = parser_word_expr(p, "a word");
	parse_question(p, stmt);
	return stmt;
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
		return second == TOKEN_ASSIGN ? parse_action(p, true) : parser_misplaced(p, "stands inside a pipeline");
	case TOKEN_WITH:
	case TOKEN_USING:
	case TOKEN_ON:
		return parser_misplaced(p, "stands behind a call");
	case TOKEN_AFTER:
		return parser_misplaced(p, "stands behind a step of a pipeline");
	case TOKEN_ELSE:
		return parser_misplaced(p, "has no `if` before it");
	case TOKEN_NAME:
		return parse_word_stmt(p);
	default:
		return parse_action(p, true);
	}
	bind(p, &stmt->name);
	return stmt;
}
