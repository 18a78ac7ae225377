/* What the files of the parser share: the place in the tokens, complaints, brackets, and the entry to each part of the grammar.
 *
 * Two states steer everything. `free`: inside ( ), [ ] and dict braces, where line ends are blanks. `panic`: a complaint
 * was made and the place is lost; until parser_sync has found the start of a statement or the end of an item, nothing is
 * consumed by parser_accept and nothing more is reported, so that one mistake gives one message. Every parse function may be
 * called in panic and then comes back soon. */
#ifndef DSL_PARSER_H
#define DSL_PARSER_H

#include "dsl/ast.h"
#include "dsl/diag.h"
#include "dsl/lexer.h"
#include "dsl/parse.h"
#include "dsl/token.h"
#include "dsl/verb.h"

/* A bracket that is open: its token, and whether it holds statements or fields (then line ends matter in it). */
struct open_bracket {
	uint32_t start;
	uint8_t kind; /* TOKEN_LPAREN, TOKEN_LBRACKET, TOKEN_LBRACE */
	bool block;
};

struct parser_end;

struct parser {
	struct unit *unit;
	struct arena *arena;
	struct source *source;
	struct diags *diags;
	const struct parse_options *options;
	const struct lexer_errors *lexer_errors;
	const struct token *tokens;
	size_t at;
	size_t passed; /* the token whose line end was passed over, plus 1 */
	bool free;
	bool panic;
	bool lost; /* in panic, and the end of the item was looked for in vain: only the statement's end will do */
	bool shaky; /* brackets of a statement that was given up did not match: one that is never closed is no news */
	bool told; /* in panic because of a bracket that is never closed */
	bool inner; /* inside a string's braces */
	bool quantities; /* in a setting: `16Gi` is a value */
	bool parts; /* the list is a command or args: `if` may stand in it */
	bool help_ok; /* at the start of a top-level statement: `path??` may stand there */
	unsigned depth; /* of what is being parsed */
	unsigned height; /* of the expression that was parsed last */
	uint32_t statement; /* where the statement begins */
	uint64_t bound; /* verbs that this very text has bound before, a bit each in the order of the table */
	struct {
		struct open_bracket *items;
		size_t n, cap;
	} open;
	struct parser_end *end;
};

/* How the text ended. */
struct parser_end {
	bool wants_more; /* in an open bracket or behind an operator: another line could go on */
	bool in_raw; /* in a raw block that is not closed */
	uint32_t open_at; /* the innermost bracket that is open, or the start of the statement */
};

/* What parse() does; *ret_end is filled in. */
struct unit *parser_run(struct source *source, const struct parse_options *options, struct diags *diags,
			struct parser_end *ret_end);

/* ---- parser.c: the place, complaints, recovery ---- */

/* The kind of the token at the place; TOKEN_NEWLINE where a line's end counts and was not passed over. */
enum token_kind parser_peek(const struct parser *p);
/* The kind of the token at the place, whatever lines end before it; and of the one behind it. */
enum token_kind parser_peek_over(const struct parser *p);
enum token_kind parser_peek_second(const struct parser *p);
const struct token *parser_token(const struct parser *p);
const struct token *parser_next(struct parser *p);
bool parser_accept(struct parser *p, enum token_kind kind);
/* Or complains: "expected `=` after the name, found …". `where`: "after the name", or "". */
bool parser_expect(struct parser *p, enum token_kind kind, const char *where);
void parser_pass_newline(struct parser *p);
bool parser_at_end(const struct parser *p); /* of a statement: a line's end, `}`, the end of the text */
bool parser_is_word(const struct parser *p, const char *word); /* an unquoted name or keyword with that text */
bool parser_accept_word(struct parser *p, const char *word);

struct span parser_span_of(const struct parser *p, const struct token *token);
/* From the start of `first` to the end of the last token that was consumed. */
struct span parser_span_from(const struct parser *p, uint32_t start);
uint32_t parser_start(const struct parser *p); /* of the token at the place */
const char *parser_text(const struct parser *p, const struct token *token, size_t *ret_len);

/* Starts a panic. NULL when nothing is to be said: in panic already, or the lexer has complained on this line. */
struct diag *parser_complain(struct parser *p, enum diag_code code, struct span span, const char *format, ...)
	PRINTF_LIKE(4, 5);
/* Reports without a panic: the place is known. NULL in panic. */
struct diag *parser_report(struct parser *p, enum diag_code code, struct span span, const char *format, ...)
	PRINTF_LIKE(4, 5);
/* "expected WHAT, found …" */
struct diag *parser_unexpected(struct parser *p, const char *what);
/* The word at the place begins no statement here: "`else` has no `if` before it". NULL, for want of a statement. */
struct ast_stmt *parser_misplaced(struct parser *p, const char *message);
/* False, with a complaint, when nesting is too deep; otherwise parser_leave must follow. */
bool parser_enter(struct parser *p);
void parser_leave(struct parser *p);

/* Brackets. parser_open consumes the token, and returns how many were open before; parser_close closes them again, with a complaint
 * when the closing one is not there. */
struct bracket {
	size_t level;
	bool free;
};
bool parser_open(struct parser *p, enum token_kind kind, bool block, const char *where, struct bracket *ret);
void parser_close(struct parser *p, struct bracket *bracket, const char *what);
/* Behind an item of a bracketed list: true when another may come. Ends a panic where the next item is plain to see. */
bool parser_item_ends(struct parser *p, const struct bracket *bracket, enum token_kind close, const char *what);
/* Is a bracket still open when a new statement plainly begins here? */
bool parser_forgot_to_close(const struct parser *p);
/* Behind a statement or field of a block: complains about what stands there too much, and ends a panic. */
void parser_statement_ends(struct parser *p, size_t level, bool commas);

/* Arrays of the tree: vec to arena, and the vec is released. */
#define parser_settle(p, vec, ret_items, ret_n) \
	(*(ret_n) = (vec)->n, *(ret_items) = arena_copy((p)->arena, (vec)->items, (vec)->n * sizeof *(vec)->items), \
	 vec_release(vec))

/* The `##` lines directly above the token at the place, or NULL. In parse_doc.c. */
const char *parser_doc(const struct parser *p);

/* ---- names and texts: parse_text.c ---- */

/* Any word (keywords too) when `any`; otherwise reserved words are reported. Absent text on failure. */
struct ast_name parser_name(struct parser *p, bool any, const char *what);
struct ast_name parser_name_of(struct parser *p, const struct token *token);
struct ast_expr *parser_string(struct parser *p); /* at a TOKEN_STRING */
struct ast_expr *parser_raw(struct parser *p); /* at a TOKEN_RAW */
/* A STRING or RAW, or a complaint and NULL. */
struct ast_expr *parser_text_literal(struct parser *p, const char *what);

/* ---- expressions: parse_expr.c, parse_list.c, parse_number.c; never NULL, AST_POISON on failure ---- */

struct ast_expr *parser_new_expr(struct parser *p, enum ast_expr_kind kind, uint32_t start);
struct ast_expr *parser_poison(struct parser *p, uint32_t start);
/* A node above others: its span ends with the last token, its height is one more than theirs. Poison if that is too much. */
struct ast_expr *parser_finish(struct parser *p, struct ast_expr *expr, unsigned height);
struct ast_expr *parser_expr(struct parser *p);
/* An expression that may be a call of a step, action or verb: AST_CALL then. */
struct ast_expr *parser_expr_or_call(struct parser *p);
struct ast_expr *parser_path(struct parser *p); /* NAME { . WORD | [ expr ] } */
struct ast_expr *parser_names_path(struct parser *p, const char *what); /* NAME { . WORD } */
struct ast_expr *parser_number(struct parser *p, const char *what); /* AST_INTEGER, or a complaint and NULL */
/* The place is at the token of that kind, or at the opening bracket. */
struct ast_expr *parser_integer(struct parser *p);
struct ast_expr *parser_float(struct parser *p);
struct ast_expr *parser_quantity(struct parser *p);
struct ast_expr *parser_dict(struct parser *p);
struct ast_expr *parser_call(struct parser *p, struct ast_expr *path);
struct ast_expr *parser_list(struct parser *p, bool parts);
struct ast_expr *parser_value(struct parser *p); /* of a setting */
bool parser_is_builtin(const struct ast_expr *call); /* len, range, secret, env */

/* ---- verbs: parse_verb.c ---- */

void parser_verb(struct parser *p, const struct verb *verb, struct ast_stmt *stmt); /* from the verb's word on */
struct ast_expr *parser_word_expr(struct parser *p, const char *what); /* any word, as an AST_NAME */

/* ---- fields and settings: parse_setting.c ---- */

void parser_fields(struct parser *p, struct ast_field **ret_fields, size_t *ret_n, bool component);
bool parser_setting(struct parser *p, struct ast_setting *ret);

/* ---- statements: parse_component.c, parse_pipeline.c, parse_top.c; NULL on failure ---- */

struct ast_stmt *parser_new_stmt(struct parser *p, enum ast_stmt_kind kind);
struct ast_stmt *parser_use(struct parser *p);
struct ast_stmt *parser_type_alias(struct parser *p);
struct ast_stmt *parser_component(struct parser *p);
struct ast_stmt *parser_pipeline(struct parser *p);
struct ast_stmt *parser_cluster(struct parser *p);
struct ast_stmt *parser_experiment(struct parser *p);
void parser_inputs(struct parser *p, struct ast_stmt *stmt, bool optional_ok);
/* { with | after }, { with | using | target }: as far as `stmt` may have them. */
void parser_with(struct parser *p, struct ast_stmt *stmt);
struct ast_stmt *parser_top(struct parser *p);

#endif
