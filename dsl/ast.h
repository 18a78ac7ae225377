/* The syntax tree of one cell or file, as the parser leaves it and the formatter and the checker read it.
 *
 * All nodes and texts live in the unit's arena. Every node has a span into the unit's source. Where the parser met
 * an error it has reported it and left a node of kind AST_POISON (expressions) or nothing (statements); readers pass over
 * poison without another complaint. Names are given without their backticks. Nesting of expressions and blocks is
 * at most AST_DEPTH_MAX. Nothing here is checked beyond the grammar of docs/language.md. */
#ifndef DSL_AST_H
#define DSL_AST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/source.h"

enum { AST_DEPTH_MAX = 100 };

struct ast_name {
	const char *text; /* NULL: absent */
	struct span span; /* with the backticks */
};

/* ---- expressions ---- */

enum ast_op {
	AST_OP_OR, AST_OP_AND, AST_OP_NOT, AST_OP_EQ, AST_OP_NE, AST_OP_LT, AST_OP_LE, AST_OP_GT, AST_OP_GE, AST_OP_IN,
	AST_OP_NOT_IN, AST_OP_ADD, AST_OP_SUB, AST_OP_MUL, AST_OP_DIV, AST_OP_MOD, AST_OP_NEGATE, AST_OP_COALESCE,
};

const char *ast_op_text(enum ast_op op); /* "==", "not in" */

enum ast_expr_kind {
	AST_POISON,
	AST_NULL,
	AST_BOOLEAN, /* boolean */
	AST_INTEGER, /* integer; text is as written */
	AST_FLOAT, /* number; text is as written */
	AST_QUANTITY, /* text is as written: "16Gi", "500m", "90s"; only in settings */
	AST_STRING, /* parts: literal texts and expressions in turn */
	AST_RAW, /* text: trimmed or dedented */
	AST_NAME, /* name */
	AST_MEMBER, /* a.name */
	AST_INDEX, /* a[b] */
	AST_LIST, /* items; AST_PARTS among them in command and args */
	AST_DICT, /* entries */
	AST_UNARY, /* op a: AST_OP_NOT, AST_OP_NEGATE */
	AST_BINARY, /* a op b */
	AST_CALL, /* a(args): a builtin in expressions; a step or action where a call may stand */
	AST_PARTS, /* `if a { items } else { items2 }` in a list */
	AST_GROUP, /* (a), kept for the formatter */
};

struct ast_expr;

struct ast_string_part {
	const char *text; /* literal text with escapes undone; NULL when expr is set */
	size_t len;
	struct ast_expr *expr;
	struct span span;
};

struct ast_entry {
	struct ast_name key; /* of a dict (a bare name or a string) or of an argument; text NULL for a positional argument */
	bool key_quoted;
	struct ast_expr *value;
};

struct ast_expr {
	enum ast_expr_kind kind;
	struct span span;
	enum ast_op op;
	bool boolean;
	int64_t integer;
	double number;
	const char *text;
	size_t len;
	struct ast_name name;
	struct ast_expr *a, *b;
	struct ast_expr **items;
	size_t n_items;
	struct ast_expr **items2;
	size_t n_items2;
	struct ast_entry *entries; /* of a dict; the arguments of a call */
	size_t n_entries;
	struct ast_string_part *parts;
	size_t n_parts;
};

/* ---- settings and fields ---- */

/* `gpu 1 type "nvidia-tesla-k80"`: word and what follows it, values and bare words in turn. */
struct ast_setting {
	struct ast_name word;
	struct ast_expr **args; /* a bare word is an AST_NAME */
	size_t n_args;
	struct span span;
};

enum ast_field_kind {
	AST_FIELD_SETTING, /* image, env, gpu …: setting */
	AST_FIELD_COMMAND, /* list */
	AST_FIELD_ARGS, /* list */
	AST_FIELD_SCRIPT, /* language, text */
	AST_FIELD_OUTPUT, /* `output NAME from "/path"`: name, text */
	AST_FIELD_MANIFEST, /* text; success and failure may be NULL */
};

struct ast_field {
	enum ast_field_kind kind;
	struct span span;
	struct ast_setting setting;
	struct ast_expr *list;
	struct ast_name name; /* script language, or the output */
	struct ast_expr *text; /* AST_STRING or AST_RAW */
	struct ast_expr *success, *failure;
};

/* ---- types, inputs, outputs ---- */

struct ast_type {
	struct ast_name name;
	bool optional;
	struct span span;
};

struct ast_input {
	struct ast_name name;
	struct ast_type type;
	struct ast_expr *fallback; /* `= expr`, or NULL */
	const char *doc; /* Markdown, or NULL */
	struct span span;
};

struct ast_output {
	struct ast_name name;
	struct ast_type type;
	const char *doc;
	struct span span;
};

/* ---- statements ---- */

enum ast_stmt_kind {
	/* declarations */
	AST_USE, /* name, text (location), text2 (sha256 or NULL) */
	AST_TYPE, /* name, type */
	AST_COMPONENT, /* name, inputs, outputs, fields */
	AST_PIPELINE, /* name, inputs, body */
	AST_CLUSTER, /* name, fields */
	AST_EXPERIMENT, /* text */
	/* in a pipeline */
	AST_SETTINGS, /* fields (settings) */
	AST_STEP, /* name (may be absent), call, with, after */
	AST_VALUE, /* name = expr; no call */
	AST_CHOICE, /* name = if …: arms, every arm has a result */
	AST_APPROVE, /* name (may be absent), text, with, after */
	AST_IF, /* arms */
	AST_FOR, /* name, expr, parallel, body; at the top level a sweep of actions */
	AST_WHILE, /* expr, max, body */
	AST_EXIT, /* body */
	AST_RETURN, /* entries */
	/* at the top level of a cell */
	AST_ACTION, /* name (may be absent), start, call or expr, with, using, target */
	AST_VERB, /* name (may be absent), verb and what follows it: see struct ast_verb */
	AST_SHELL, /* `!rest`: raw */
	AST_MAGIC, /* `%word rest`: name, raw */
	AST_HELP, /* `path?`: expr (a path), detail (`??`) */
};

struct ast_stmt;

struct ast_block {
	struct ast_stmt **stmts;
	size_t n;
	struct span span; /* with the braces */
};

/* One arm of if / else if / else. */
struct ast_arm {
	struct ast_expr *condition; /* NULL: else */
	struct ast_block block;
	struct ast_expr *result; /* of a choice */
	struct span span;
};

struct ast_using {
	struct ast_name name;
	struct ast_expr *path; /* AST_NAME and AST_MEMBER only */
};

/* `compile P for argo to "file"`, `logs R.train follow last 20 grep "x"`, `retry R from STEP`, `print EXPR` …
 * The words that may follow are those of the verb's line in docs/language.md; each comes at most once. */
struct ast_clause {
	struct ast_name word; /* "for", "to", "on", "follow", "last", "grep", "from", "apply", "wait" … */
	struct ast_expr *value; /* NULL for a word alone */
};

struct ast_verb {
	struct ast_name word;
	struct ast_expr **args; /* what stands before the clauses */
	size_t n_args;
	struct ast_clause *clauses;
	size_t n_clauses;
};

struct ast_stmt {
	enum ast_stmt_kind kind;
	struct span span;
	const char *doc; /* the `##` lines above, joined by newlines, without `## `; or NULL */
	struct ast_name name;
	struct ast_type type;
	struct ast_expr *text, *text2; /* AST_STRING or AST_RAW */
	struct ast_input *inputs;
	size_t n_inputs;
	struct ast_output *outputs;
	size_t n_outputs;
	struct ast_field *fields;
	size_t n_fields;
	struct ast_block body;
	struct ast_expr *expr; /* AST_CALL for a step; any expression otherwise */
	struct ast_expr *parallel, *max; /* AST_INTEGER */
	struct ast_setting *with;
	size_t n_with;
	struct ast_name *after;
	size_t n_after;
	struct ast_arm *arms;
	size_t n_arms;
	struct ast_entry *entries;
	size_t n_entries;
	struct ast_using *using_;
	size_t n_using;
	struct ast_name target; /* `on NAME` */
	bool start;
	bool detail;
	struct ast_verb verb;
	const char *raw; /* rest of the line, for `!` and `%` */
};

/* A comment, for the formatter. */
struct ast_comment {
	struct span span; /* from `#` to the end of the line, without the newline */
	bool own_line; /* nothing but blanks stands before it on its line */
};

/* One cell or file: its text, its tree, and the memory of both. Refcounted: whatever was declared in it and is still
 * known keeps it. */
struct unit {
	unsigned refs;
	struct arena *arena;
	struct source *source;
	struct ast_stmt **stmts;
	size_t n_stmts;
	struct ast_comment *comments;
	size_t n_comments;
};

struct unit *unit_new(struct source *source); /* takes a reference of its own */
struct unit *unit_ref(struct unit *unit);
void unit_unref(struct unit *unit);

#endif
