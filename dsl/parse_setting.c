/* Settings, and the fields of components, clusters and `settings`. */
#include "config.h"

#include "dsl/parser.h"

/* A word, then values and bare words until the line, the comma, the brace or the next clause. */
bool
parser_setting(struct parser *p, struct ast_setting *ret)
{
	VEC(struct ast_expr *) args = { 0 };
	uint32_t start = parser_start(p);
	struct ast_expr *value;

	*ret = (struct ast_setting){ .word = parser_name(p, false, "a setting") };
	while (!p->panic && (value = parser_value(p)))
		vec_push(&args, value);
	parser_settle(p, &args, &ret->args, &ret->n_args);
	ret->span = parser_span_from(p, start);
	return !p->panic;
}

static void
parse_script(struct parser *p, struct ast_field *field)
{
	struct ast_expr *language;

	field->kind = AST_FIELD_SCRIPT;
	if (parser_peek(p) == TOKEN_STRING) {
		language = parser_string(p);
		if (language->n_parts == 1 && language->parts[0].text)
			field->name = (struct ast_name){ language->parts[0].text, language->span };
		else
			parser_report(p, DIAG_L0104, language->span, "the language of a script is plain text");
	} else {
		field->name = parser_name(p, true, "a language such as `sh` or `python` behind `script`");
	}
	if (parser_peek(p) == TOKEN_RAW)
		field->text = parser_raw(p);
	else
		parser_unexpected(p, "the script between `\"\"\"` and `\"\"\"`");
}

static void
parse_output(struct parser *p, struct ast_field *field)
{
	field->kind = AST_FIELD_OUTPUT;
	field->name = parser_name(p, true, "the output's name");
	if (!parser_accept_word(p, "from"))
		parser_unexpected(p, "`from` behind the output's name");
	field->text = parser_text_literal(p, "the output's path in quotes");
}

static void
parse_manifest(struct parser *p, struct ast_field *field)
{
	field->kind = AST_FIELD_MANIFEST;
	field->text = parser_text_literal(p, "the manifest between `\"\"\"` and `\"\"\"`");
	for (;;) {
		bool success = parser_is_word(p, "success");
		struct ast_expr **place = success ? &field->success : &field->failure;

		if (p->panic || (!success && !parser_is_word(p, "failure")))
			return;
		if (*place)
			parser_report(p, DIAG_L0121, parser_span_of(p, parser_token(p)), "`%s` stands here twice",
				success ? "success" : "failure");
		parser_next(p);
		*place = parser_text_literal(p, "a condition in quotes");
	}
}

/* The next token is a word, with that kind of token behind it on its line. */
static bool
is_field(const struct parser *p, const char *word, enum token_kind second)
{
	return parser_is_word(p, word) && parser_peek_second(p) == second;
}

static bool
is_output(const struct parser *p)
{
	enum token_kind second = parser_peek_second(p);

	return parser_is_word(p, "output") &&
	       (second == TOKEN_NAME || second == TOKEN_QUOTED_NAME || token_is_keyword(second));
}

static void
parse_field(struct parser *p, struct ast_field *field, bool component)
{
	bool args = component && is_field(p, "args", TOKEN_LBRACKET);

	if (args || (component && is_field(p, "command", TOKEN_LBRACKET))) {
		parser_next(p);
		field->kind = args ? AST_FIELD_ARGS : AST_FIELD_COMMAND;
		field->list = parser_list(p, true);
	} else if (component && parser_is_word(p, "script")) {
		parser_next(p);
		parse_script(p, field);
	} else if (component && is_output(p)) {
		parser_next(p);
		parse_output(p, field);
	} else if (component && parser_is_word(p, "manifest")) {
		parser_next(p);
		parse_manifest(p, field);
	} else {
		field->kind = AST_FIELD_SETTING;
		parser_setting(p, &field->setting);
	}
}

static void
field_with_equals(struct parser *p)
{
	struct diag *diag;

	if (p->panic || (parser_peek(p) != TOKEN_ASSIGN && parser_peek(p) != TOKEN_COLON))
		return;
	diag = parser_unexpected(p, "a value");
	if (diag)
		diag_help(p->diags, diag, "a setting's value follows its word with nothing between: `memory 16Gi`");
}

void
parser_fields(struct parser *p, struct ast_field **ret_fields, size_t *ret_n, bool component)
{
	VEC(struct ast_field) fields = { 0 };
	struct bracket bracket;
	uint32_t outer = p->statement;

	if (!parser_open(p, TOKEN_LBRACE, true, "", &bracket))
		return;
	while (!p->panic) {
		struct ast_field field = { 0 };

		parser_pass_newline(p);
		if (parser_peek(p) == TOKEN_RBRACE || parser_peek(p) == TOKEN_EOF ||
		    (parser_forgot_to_close(p) && token_is_keyword(parser_peek(p))))
			break;
		p->statement = parser_start(p);
		parse_field(p, &field, component);
		field_with_equals(p);
		field.span = parser_span_from(p, p->statement);
		if (!p->panic)
			vec_push(&fields, field);
		parser_statement_ends(p, bracket.level + 1, true);
		parser_accept(p, TOKEN_COMMA);
	}
	p->statement = outer;
	parser_close(p, &bracket, "`}`");
	parser_settle(p, &fields, ret_fields, ret_n);
}
