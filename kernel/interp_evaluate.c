/* user_expressions: an expression's value beside a cell, which binds nothing, runs nothing and shows nothing. */
#include "config.h"

#include "kernel/interp_internal.h"

#include <string.h>

#include "dsl/parse.h"

/* Only an expression: anything else could change what the notebook knows. */
static bool
is_expression(struct source *source)
{
	struct diags diags;
	struct unit *unit;
	bool holds;

	diags_init(&diags);
	unit = parse(source, NULL, &diags);
	holds = !diags.n_errors && unit->n_stmts == 1 && unit->stmts[0]->kind == AST_ACTION && !unit->stmts[0]->name.text &&
		unit->stmts[0]->expr && unit->stmts[0]->expr->kind != AST_CALL;
	unit_unref(unit);
	diags_release(&diags);
	return holds;
}

static json_t *
failure(const char *ename, const char *evalue)
{
	return json_pack("{s:s, s:s, s:o, s:[]}", "status", "error", "ename", ename, "evalue", json_of_text(evalue, strlen(evalue)),
			 "traceback");
}

static json_t *
success(const struct value *value)
{
	struct buf text = { 0 };
	json_t *json;

	value_write_plain(&text, value);
	json = json_pack("{s:s, s:{s:o}, s:{}}", "status", "ok", "data", "text/plain", json_of_text(buf_text(&text), text.len),
			 "metadata");
	buf_release(&text);
	return json;
}

static json_t *
evaluate_program(struct interp *interp, const struct program *program)
{
	struct execute_outcome outcome = { 0 };
	struct act act = { .interp = interp, .outcome = &outcome };
	const struct value *value;
	json_t *json;

	if (program->n_actions != 1 || program->actions[0].kind != ACTION_SHOW || !program->actions[0].expr)
		return failure("L0805", "only values can be asked for here");
	act.action = &program->actions[0];
	act.arena = arena_new();
	value = act_eval(&act, act.action->expr);
	json = value ? success(value) : failure(outcome.ename, outcome.evalue);
	execute_outcome_release(&outcome);
	arena_free(act.arena);
	return json;
}

json_t *
interp_evaluate(struct interp *interp, const char *expression)
{
	struct source *source = source_new("user_expressions", expression, strlen(expression));
	struct program *program = NULL;
	struct diags diags;
	json_t *json;

	diags_init(&diags);
	if (is_expression(source))
		program = scope_check(interp->scope, source, &diags);
	if (program)
		json = evaluate_program(interp, program);
	else if (diags.n)
		json = failure(diag_info(diags.items[0]->code)->code, diags.items[0]->message);
	else
		json = failure("L0805", "this is no expression");
	program_free(program);
	diags_release(&diags);
	source_unref(source);
	return json;
}
