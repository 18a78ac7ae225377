#include "config.h"

#include "dsl/cursor.h"

#include <stdint.h>
#include <string.h>

#include "dsl/verb.h"

static bool
is_word_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static const char *
text_at(const struct cursor *c, size_t token)
{
	return c->source->text + c->lexer.tokens.items[token].start;
}

static bool
token_is(const struct cursor *c, size_t token, const char *word)
{
	const struct token *t = &c->lexer.tokens.items[token];

	return t->end - t->start == strlen(word) && !memcmp(text_at(c, token), word, strlen(word));
}

/* ---- the word at the cursor and the dotted path before it ---- */

static void
find_word(struct cursor *c)
{
	const char *text = c->source->text;
	size_t starts[PATH_MAX_NAMES], ends[PATH_MAX_NAMES], at;

	c->word = c->at;
	while (c->word && is_word_byte(text[c->word - 1]))
		c->word--;
	at = c->word;
	while (at && text[at - 1] == '.' && c->n_path < PATH_MAX_NAMES) {
		size_t end = at - 1, start = end;

		if (end && text[end - 1] == '`') {
			for (start = end - 1; start && text[start - 1] != '`' && text[start - 1] != '\n'; start--)
				;
			starts[c->n_path] = start;
			ends[c->n_path] = end - 1;
			start = start ? start - 1 : 0;
		} else {
			while (start && is_word_byte(text[start - 1]))
				start--;
			starts[c->n_path] = start;
			ends[c->n_path] = end;
		}
		if (starts[c->n_path] >= ends[c->n_path])
			break;
		c->n_path++;
		at = start;
	}
	for (size_t i = 0; i < c->n_path; i++) {
		size_t k = c->n_path - 1 - i;

		c->path[i].text = arena_strndup(c->check.arena, text + starts[k], ends[k] - starts[k]);
		c->path[i].span = (struct span){ c->source, (uint32_t)starts[k], (uint32_t)ends[k] };
	}
}

/* ---- strings and comments ---- */

static bool
in_comment(const struct cursor *c)
{
	for (size_t i = 0; i < c->lexer.comments.n; i++) {
		struct span s = c->lexer.comments.items[i].span;

		if (s.start < c->at && c->at <= s.end)
			return true;
	}
	return false;
}

/* In a string only what stands in braces is of the language. */
static bool
in_braces_of(const struct cursor *c, const struct token *t)
{
	const char *text = c->source->text;
	bool inside = false;

	if (t->kind != TOKEN_STRING && t->kind != TOKEN_ERROR)
		return false;
	for (size_t i = t->start + 1; i < c->word; i++) {
		if (text[i] == '{' && i + 1 < c->word && text[i + 1] == '{')
			i++;
		else if (text[i] == '{' || text[i] == '}')
			inside = text[i] == '{';
	}
	return inside;
}

/* Returns true when the place is decided by the token that the cursor stands in. */
static bool
within_token(struct cursor *c)
{
	for (size_t i = 0; i < c->lexer.tokens.n; i++) {
		const struct token *t = &c->lexer.tokens.items[i];
		bool open = t->kind == TOKEN_ERROR && c->source->text[t->start] == '"' && c->at > t->start && c->at <= t->end;

		if (t->start >= c->at)
			break;
		if (t->end <= c->at && !open && t->kind != TOKEN_SHELL && t->kind != TOKEN_MAGIC)
			continue;
		if (t->kind == TOKEN_STRING || open) {
			c->place = in_braces_of(c, t) ? CURSOR_EXPRESSION : CURSOR_NOWHERE;
			return true;
		}
		if (t->kind == TOKEN_RAW || (t->end >= c->at && (t->kind == TOKEN_SHELL || t->kind == TOKEN_MAGIC))) {
			c->place = CURSOR_NOWHERE;
			return true;
		}
	}
	return false;
}

/* ---- what the tokens before the word say ---- */

static bool
is_opener(uint8_t kind)
{
	return kind == TOKEN_LPAREN || kind == TOKEN_LBRACKET || kind == TOKEN_LBRACE;
}

static bool
is_closer(uint8_t kind)
{
	return kind == TOKEN_RPAREN || kind == TOKEN_RBRACKET || kind == TOKEN_RBRACE;
}

/* The bracket that is open before token `end`, or SIZE_MAX. */
static size_t
open_bracket(const struct cursor *c, size_t end)
{
	size_t depth = 0;

	for (size_t i = end; i-- > 0;) {
		uint8_t kind = c->lexer.tokens.items[i].kind;

		if (is_closer(kind))
			depth++;
		else if (is_opener(kind) && !depth--)
			return i;
	}
	return SIZE_MAX;
}

/* The first token of the statement that token `at` belongs to: brackets that were closed are passed over. */
static size_t
statement_start(const struct cursor *c, size_t at)
{
	size_t depth = 0;

	for (size_t i = at + 1; i-- > 0;) {
		const struct token *t = &c->lexer.tokens.items[i];

		if (is_closer(t->kind))
			depth++;
		else if (is_opener(t->kind) && !depth--)
			return i + 1;
		if (!depth && t->newline && t->kind != TOKEN_WITH && t->kind != TOKEN_AFTER && t->kind != TOKEN_USING &&
			t->kind != TOKEN_ELSE && !is_closer(t->kind))
			return i;
	}
	return 0;
}

static const char *
path_before(const struct cursor *c, size_t bracket)
{
	size_t i = bracket;

	if (!i || (c->lexer.tokens.items[i - 1].kind != TOKEN_NAME && c->lexer.tokens.items[i - 1].kind != TOKEN_QUOTED_NAME))
		return NULL;
	i--;
	while (i >= 2 && c->lexer.tokens.items[i - 1].kind == TOKEN_DOT && c->lexer.tokens.items[i - 2].kind == TOKEN_NAME)
		i -= 2;
	if (c->lexer.tokens.items[i].kind == TOKEN_QUOTED_NAME)
		return arena_strndup(c->check.arena, text_at(c, i) + 1,
			c->lexer.tokens.items[i].end - c->lexer.tokens.items[i].start - 2);
	return arena_strndup(c->check.arena, text_at(c, i), c->lexer.tokens.items[bracket - 1].end - c->lexer.tokens.items[i].start);
}

static enum cursor_place
in_parentheses(struct cursor *c, size_t bracket, size_t end)
{
	uint8_t before = end > bracket + 1 ? c->lexer.tokens.items[end - 1].kind : TOKEN_COMMA;
	uint8_t head = bracket >= 2 ? c->lexer.tokens.items[bracket - 2].kind : TOKEN_EOF;

	if (head == TOKEN_COMPONENT || head == TOKEN_PIPELINE || (bracket && c->lexer.tokens.items[bracket - 1].kind == TOKEN_ARROW))
		return before == TOKEN_COLON ? CURSOR_TYPE : before == TOKEN_ASSIGN ? CURSOR_EXPRESSION : CURSOR_DECLARED;
	c->callee = path_before(c, bracket);
	return c->callee && (before == TOKEN_COMMA || end == bracket + 1) ? CURSOR_ARGUMENT : CURSOR_EXPRESSION;
}

static bool
begins_statement(const struct cursor *c, size_t end)
{
	const char *text = c->source->text;
	const struct token *before;

	if (!end)
		return true;
	before = &c->lexer.tokens.items[end - 1];
	if (before->kind == TOKEN_LBRACE)
		return true;
	return memchr(text + before->end, '\n', c->word - before->end) && before->kind != TOKEN_COMMA && before->kind != TOKEN_ASSIGN;
}

/* Within one line of a pipeline or cell: settings behind `with`, steps behind `after`, what a verb wants. */
static enum cursor_place
in_statement(struct cursor *c, size_t end)
{
	size_t start = statement_start(c, end - 1), depth = 0;
	uint8_t last = c->lexer.tokens.items[end - 1].kind;

	for (size_t i = end; i-- > start;) {
		uint8_t kind = c->lexer.tokens.items[i].kind;

		if (is_closer(kind))
			depth++;
		else if (is_opener(kind) && depth)
			depth--;
		if (depth)
			continue;
		if (kind == TOKEN_WITH)
			return last == TOKEN_WITH || last == TOKEN_COMMA ? CURSOR_SETTING : CURSOR_EXPRESSION;
		if (kind == TOKEN_AFTER)
			return CURSOR_STEP_NAME;
	}
	if (c->lexer.tokens.items[start].kind == TOKEN_USE || c->lexer.tokens.items[start].kind == TOKEN_COMPONENT ||
		c->lexer.tokens.items[start].kind == TOKEN_PIPELINE)
		return CURSOR_DECLARED;
	if (c->in_pipeline || last == TOKEN_ASSIGN)
		return CURSOR_EXPRESSION;
	for (size_t n = 0, i = 0; n == 0 || i < n; i++) {
		const struct verb *verbs = verb_table(&n);

		if (i < n && token_is(c, start, verbs[i].word)) {
			c->verb = verbs[i].word;
			c->verb_first = end == start + 1;
			return CURSOR_VERB;
		}
	}
	return CURSOR_EXPRESSION;
}

static enum cursor_place
in_braces(struct cursor *c, size_t bracket, size_t end)
{
	size_t head = statement_start(c, bracket ? bracket - 1 : 0), outer;
	bool begins = begins_statement(c, end) || (end && c->lexer.tokens.items[end - 1].kind == TOKEN_COMMA);
	uint8_t kind = bracket ? c->lexer.tokens.items[head].kind : TOKEN_EOF;

	if (bracket && token_is(c, bracket - 1, "settings"))
		return begins ? CURSOR_PIPELINE_SETTING : CURSOR_EXPRESSION;
	if (kind == TOKEN_COMPONENT)
		return begins ? CURSOR_FIELD : CURSOR_EXPRESSION;
	if (bracket && token_is(c, head, "cluster"))
		return begins ? CURSOR_CLUSTER_SETTING : CURSOR_EXPRESSION;
	if (kind == TOKEN_PIPELINE || kind == TOKEN_IF || kind == TOKEN_FOR || kind == TOKEN_WHILE || kind == TOKEN_ON) {
		outer = open_bracket(c, bracket);
		c->in_pipeline = kind == TOKEN_PIPELINE || outer != SIZE_MAX;
		if (begins_statement(c, end))
			return c->in_pipeline ? CURSOR_STATEMENT : CURSOR_TOP;
		return in_statement(c, end);
	}
	return CURSOR_EXPRESSION;
}

static void
find_place(struct cursor *c)
{
	size_t end = 0, bracket;

	while (end < c->lexer.tokens.n && c->lexer.tokens.items[end].end <= c->word &&
		c->lexer.tokens.items[end].kind != TOKEN_EOF)
		end++;
	bracket = open_bracket(c, end);
	if (bracket == SIZE_MAX)
		c->place = begins_statement(c, end) ? CURSOR_TOP : in_statement(c, end);
	else if (c->lexer.tokens.items[bracket].kind == TOKEN_LPAREN)
		c->place = in_parentheses(c, bracket, end);
	else if (c->lexer.tokens.items[bracket].kind == TOKEN_LBRACE)
		c->place = in_braces(c, bracket, end);
	else
		c->place = CURSOR_EXPRESSION;
}

/* ---- opening and closing ---- */

static const struct ast_stmt *
pipeline_around(const struct unit *unit, size_t at)
{
	const struct ast_stmt *found = NULL;

	for (size_t i = 0; i < unit->n_stmts; i++) {
		const struct ast_stmt *s = unit->stmts[i];

		if (s->kind == AST_PIPELINE && s->span.start <= at && at <= s->span.end)
			found = s;
	}
	return found;
}

void
cursor_open(struct cursor *c, struct scope *scope, const char *code, size_t len, size_t at)
{
	struct diags lexer_diags;

	*c = (struct cursor){ .scope = scope, .source = source_new("cell", code, len), .at = at > len ? len : at };
	diags_init(&c->diags);
	scope_peek(scope, c->source, &c->check, &c->diags);
	diags_init(&lexer_diags);
	lexer_read(&c->lexer, c->source, &lexer_diags);
	diags_release(&lexer_diags);
	c->pipeline = pipeline_around(c->check.unit, c->at);
	c->in_pipeline = c->pipeline != NULL;
	find_word(c);
	if (in_comment(c))
		c->place = CURSOR_NOWHERE;
	else if (!within_token(c))
		find_place(c);
}

void
cursor_close(struct cursor *c)
{
	lexer_release(&c->lexer);
	scope_peek_end(&c->check);
	diags_release(&c->diags);
	source_unref(c->source);
}

/* ---- names of the pipeline ---- */

struct visitor {
	struct cursor *cursor;
	void (*visit)(void *context, const struct cursor_name *name);
	void *context;
};

static void visit_block(struct visitor *v, const struct ast_block *block);

static void
visit_step(struct visitor *v, const struct ast_stmt *s)
{
	struct ast_name names[PATH_MAX_NAMES];
	size_t n = s->expr && s->expr->kind == AST_CALL && s->expr->a ? path_names(s->expr->a, names, PATH_MAX_NAMES) : 0;
	struct cursor_name name = { .name = s->name.text, .is_step = true, .span = s->span, .doc = s->doc };
	const char *text;

	if (n)
		name.callee = check_lookup_path(&v->cursor->check, v->cursor->check.arena, names, n, &text);
	if (!name.name && n)
		name.name = names[n - 1].text;
	if (name.name)
		v->visit(v->context, &name);
}

static void
visit_stmt(struct visitor *v, const struct ast_stmt *s)
{
	struct cursor_name name = { .name = s->name.text, .span = s->span, .doc = s->doc };

	if (s->kind == AST_STEP)
		visit_step(v, s);
	else if (s->name.text)
		v->visit(v->context, &name);
	for (size_t i = 0; i < s->n_arms; i++)
		visit_block(v, &s->arms[i].block);
	visit_block(v, &s->body);
}

static void
visit_block(struct visitor *v, const struct ast_block *block)
{
	for (size_t i = 0; i < block->n; i++)
		visit_stmt(v, block->stmts[i]);
}

void
cursor_names(struct cursor *c, void (*visit)(void *context, const struct cursor_name *name), void *context)
{
	struct visitor v = { c, visit, context };

	for (size_t i = 0; c->pipeline && i < c->pipeline->n_inputs; i++) {
		const struct ast_input *in = &c->pipeline->inputs[i];
		struct cursor_name name = { .name = in->name.text, .type = in->type.name.text, .span = in->span, .doc = in->doc };

		if (name.name)
			visit(context, &name);
	}
	if (c->pipeline)
		visit_block(&v, &c->pipeline->body);
}
