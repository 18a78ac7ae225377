#include "config.h"

#include <string.h>

#include "base/buf.h"
#include "dsl/lexer.h"
#include "tests/tap.h"

struct lexer_case {
	const char *text;
	const char *tokens; /* `kind:text` each; `|` before what begins a line, `_` before what follows a blank */
};

static const struct lexer_case CASES[] = {
	{ "", "|EOF" },
	{ "a b", "|NAME:a _NAME:b EOF" },
	{ "a\n\tb", "|NAME:a |NAME:b EOF" },
	{ "a\r\nb\r\n", "|NAME:a |NAME:b |EOF" },
	{ "\xEF\xBB\xBF" "a", "_|NAME:a EOF" },
	{ "_a1 `b c`", "|NAME:_a1 _QUOTED_NAME:`b c` EOF" },
	{ "with withx", "|WITH:with _NAME:withx EOF" },
	{ "1 12.5 3e4 3e-4 1.5e+3", "|INTEGER:1 _FLOAT:12.5 _FLOAT:3e4 _FLOAT:3e-4 _FLOAT:1.5e+3 EOF" },
	{ "16Gi 500m 1.5h 2e 1e5x", "|QUANTITY:16Gi _QUANTITY:500m _QUANTITY:1.5h _QUANTITY:2e _QUANTITY:1e5x EOF" },
	{ "1.a 1..2", "|INTEGER:1 DOT:. NAME:a _INTEGER:1 DOT:. DOT:. INTEGER:2 EOF" },
	{ "\"a\" \"\" \"\\\"\" \"{a}\"", "|STRING:\"a\" _STRING:\"\" _STRING:\"\\\"\" _STRING:\"{a}\" EOF" },
	{ "\"\"\"a\"b\n\"\"\" c", "|RAW:\"\"\"a\"b\n\"\"\" _NAME:c EOF" },
	{ "\"\"\"\"\"\"\" \"\"\" \"\"\"\"\"\"\"", "|RAW:\"\"\"\"\"\"\" \"\"\" \"\"\"\"\"\"\" EOF" },
	{ "\"\"\"a\"\"\"\"b", "|RAW:\"\"\"a\"\"\"\" NAME:b EOF" },
	{ "->-=== ==!=<=<>=>???", "|ARROW:-> MINUS:- EQ:== ASSIGN:= _EQ:== NE:!= LE:<= LT:< GE:>= GT:> COALESCE:?? QUESTION:? EOF" },
	{ "()[]{},:.+*/%", "|LPAREN:( RPAREN:) LBRACKET:[ RBRACKET:] LBRACE:{ RBRACE:} COMMA:, COLON:: DOT:. PLUS:+ STAR:* "
			   "SLASH:/ PERCENT:% EOF" },
	{ "a # b\n# c\nd", "|NAME:a |NAME:d EOF" },
	{ "!ls \"x # y\na", "|SHELL:!ls \"x # y |NAME:a EOF" },
	{ "  %who x\r\n%", "_|MAGIC:%who x |MAGIC:% EOF" },
	{ "(\n%a)", "|LPAREN:( |PERCENT:% NAME:a RPAREN:) EOF" },
	{ "(\n!ls\n!= b", "|LPAREN:( |SHELL:!ls |NE:!= _NAME:b EOF" },
	{ "(\npipeline p\n%x", "|LPAREN:( |PIPELINE:pipeline _NAME:p |MAGIC:%x EOF" },
	{ "a % b !", "|NAME:a _PERCENT:% _NAME:b _ERROR:! EOF" },
	{ "\"a\nb", "|ERROR:\"a |NAME:b EOF" },
	{ "'a' $b", "|ERROR:'a' _ERROR:$ NAME:b EOF" },
	{ "\xC3\xA9\xE6\x97\xA5 a", "|ERROR:\xC3\xA9\xE6\x97\xA5 _NAME:a EOF" },
	{ "\xFF\xFE\xFD", "|ERROR:\xFF\xFE\xFD EOF" },
};

static const char *const NAMES[] = {
#define TOKEN(kind, text) #kind,
#define KEYWORD(kind, word) #kind,
#include "dsl/token.def"
#undef TOKEN
#undef KEYWORD
};

static void
describe(struct buf *buf, const struct lexer *lexer)
{
	for (size_t i = 0; i < lexer->tokens.n; i++) {
		const struct token *token = &lexer->tokens.items[i];

		if (i)
			buf_putc(buf, ' ');
		if (token->blank && (!token->newline || !i))
			buf_putc(buf, '_');
		if (token->newline)
			buf_putc(buf, '|');
		buf_puts(buf, NAMES[token->kind]);
		if (token->kind == TOKEN_EOF)
			continue;
		buf_putc(buf, ':');
		buf_add(buf, lexer->source->text + token->start, token->end - token->start);
	}
}

static void
test_tokens(void)
{
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		struct source *source = source_new("-", CASES[i].text, strlen(CASES[i].text));
		struct buf tokens = { 0 };
		struct diags diags;
		struct lexer lexer;

		diags_init(&diags);
		lexer_read(&lexer, source, &diags);
		describe(&tokens, &lexer);
		is_str(buf_text(&tokens), CASES[i].tokens, "%s", CASES[i].text);
		lexer_release(&lexer);
		buf_release(&tokens);
		diags_release(&diags);
		source_unref(source);
	}
}

static void
test_comments(void)
{
	static const char TEXT[] = "# a\nb # c\r\n  ## d\n!e # f\n\"# g\"";
	struct source *source = source_new("-", TEXT, strlen(TEXT));
	struct diags diags;
	struct lexer lexer;
	struct buf got = { 0 };

	diags_init(&diags);
	lexer_read(&lexer, source, &diags);
	for (size_t i = 0; i < lexer.comments.n; i++) {
		struct span span = lexer.comments.items[i].span;

		buf_add(&got, TEXT + span.start, span.end - span.start);
		buf_puts(&got, lexer.comments.items[i].own_line ? "; " : " (trailing); ");
	}
	is_str(buf_text(&got), "# a; # c (trailing); ## d; ", "comments, and which have a line of their own");
	buf_release(&got);
	lexer_release(&lexer);
	diags_release(&diags);
	source_unref(source);
}

static void
test_words(void)
{
	const char *const *words = token_keywords();

	for (size_t i = 0; words[i]; i++)
		ok(token_is_keyword(token_keyword(words[i], strlen(words[i]))), "%s is reserved", words[i]);
	ok(token_keyword("from", 4) == TOKEN_NAME, "from is not");
	ok(token_keyword("i", 1) == TOKEN_NAME, "the start of one is not");
	ok(!token_is_keyword(TOKEN_NAME), "a name is none");
	ok(token_is_identifier("a_1", 3) && !token_is_identifier("1a", 2) && !token_is_identifier("", 0), "identifiers");
}

int
main(void)
{
	test_tokens();
	test_comments();
	test_words();
	return done_testing();
}
