/* An unfinished cell and a place in it, seen with what the scope knows: for completion and inspection. Internal to them. */
#ifndef DSL_CURSOR_H
#define DSL_CURSOR_H

#include "dsl/check.h"
#include "dsl/lexer.h"

enum cursor_place {
	CURSOR_NOWHERE, /* in a comment or in the text of a string */
	CURSOR_TOP, /* where a line of a cell begins */
	CURSOR_STATEMENT, /* where a line of a pipeline begins */
	CURSOR_FIELD, /* where a field of a component begins */
	CURSOR_SETTING, /* a setting of a step */
	CURSOR_PIPELINE_SETTING,
	CURSOR_CLUSTER_SETTING,
	CURSOR_ARGUMENT, /* of a call: callee */
	CURSOR_TYPE,
	CURSOR_DECLARED, /* a name that the text declares: nothing to offer */
	CURSOR_STEP_NAME, /* behind `after` */
	CURSOR_VERB, /* behind a verb: verb */
	CURSOR_EXPRESSION,
};

struct cursor {
	struct scope *scope;
	struct source *source;
	struct diags diags;
	struct lexer lexer;
	struct check check; /* what the cell itself would declare is staged */
	size_t at; /* of the code */
	size_t word; /* where the word at the cursor begins */
	enum cursor_place place;
	struct ast_name path[PATH_MAX_NAMES]; /* what stands before the word with dots: "r.train." */
	size_t n_path;
	const char *callee; /* dotted; in the program's arena */
	const struct ast_stmt *pipeline; /* the one around the cursor, or NULL */
	const char *verb;
	bool verb_first; /* nothing stands behind the verb yet */
	bool in_pipeline;
};

void cursor_open(struct cursor *cursor, struct scope *scope, const char *code, size_t len, size_t at);
void cursor_close(struct cursor *cursor);

/* A step, value, loop variable or parameter that the pipeline around the cursor declares. */
struct cursor_name {
	const char *name;
	const struct decl *callee; /* of a step; NULL if unknown */
	const char *type; /* of a parameter */
	bool is_step;
	struct span span;
	const char *doc;
};

void cursor_names(struct cursor *cursor, void (*visit)(void *context, const struct cursor_name *name), void *context);

#endif
