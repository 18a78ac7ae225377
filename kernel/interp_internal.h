/* What the parts of the interpreter (kernel/interp_*.c) share. Not for others. */
#ifndef KERNEL_INTERP_INTERNAL_H
#define KERNEL_INTERP_INTERNAL_H

#include <signal.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/map.h"
#include "dsl/eval.h"
#include "dsl/scope.h"
#include "kernel/background.h"
#include "kernel/interp.h"
#include "runtime/cluster/door.h"
#include "runtime/run.h"

struct interp {
	struct interp_options options;
	struct scope *scope;
	struct map variables; /* name → struct variable */
	struct backgrounds *backgrounds;
	struct {
		struct tensorboard **items;
		size_t n, cap;
	} boards;
	struct forwards *forwards; /* NULL before the first */
	char *experiment; /* of runs on clusters; or NULL */
	volatile sig_atomic_t interrupted;
	int wake; /* eventfd: readable while interrupted, so that waits end */
};

/* What a name is bound to: a value, or a run, or one step of a run. */
struct variable {
	struct arena *arena; /* of the value */
	const struct value *value;
	struct run *run; /* held; NULL for a value */
	size_t step; /* SIZE_MAX: the whole run */
};

/* One action at work. */
struct act {
	struct interp *interp;
	const struct action *action;
	struct output *output;
	struct arena *arena; /* scratch, freed after the action */
	struct execute_outcome *outcome; /* ok until something fails */
	bool swept; /* a line of a sweep: its run is not shown, and left in `run` */
	struct run *run; /* held, by who has set `swept`; NULL: none has begun */
	void (*watch)(void *context, const struct run *run); /* of a swept run on this machine, see kernel/run_here.h; or NULL */
	void *watch_context;
	bool is_last; /* of its cell: what it shows is the cell's result */
};

/* Ends the cell in error; the traceback is the message. Returns -1. `code` is L07xx or L08xx. */
int act_fail(struct act *act, enum diag_code code, const char *format, ...) PRINTF_LIKE(3, 4);
/* The same, with the caller's diagnostic for the action's place. */
int act_fail_diags(struct act *act, struct diags *diags);
/* "KeyboardInterrupt". */
int act_interrupted(struct act *act);
int act_waited_enough(struct act *act, const char *run); /* the same of a run that goes on */

/* Ends the cell in error if the run did not succeed, and says why. */
int act_judge_run(struct act *act, const struct run *run);
/* Writes warnings to stderr. */
void act_warn(struct act *act, const struct diags *diags);
/* Evaluates the action's arguments; a Secret argument is a reference and is never evaluated. In the act's arena. */
int act_args(struct act *act, struct local_args *ret);
/* Begins a run that has a thread of its own, binds it, and waits for it unless it stays. The rest of the request is filled in. */
int act_begin(struct act *act, struct background_request *request);
/* Binds the run to the action's name. */
void act_bind_run(struct act *act, struct run *run);
void interp_clear_interrupt(struct interp *interp);

/* Shows a bundle, an object { mime: … }: as the cell's result if this is its last action, else as a display. Takes it over. */
void act_show(struct act *act, json_t *bundle);
void act_show_json(struct act *act, const struct buf *bundle); /* the same as JSON text */
void act_show_text(struct act *act, const char *plain, const char *markdown); /* markdown may be NULL */
void act_print(struct act *act, const char *text, size_t len);

/* The expression's value, or NULL with the outcome set. */
const struct value *act_eval(struct act *act, const struct expr *expr);

void variables_clear(struct map *variables);
void variables_set_value(struct map *variables, const char *name, const struct value *value);
void variables_set_run(struct map *variables, const char *name, struct run *run, size_t step); /* refs the run */
void variables_forget(struct map *variables, const char *name);

/* kernel/interp_*.c: each carries out one kind of action; 0, or -1 with the outcome set. */
int act_perform(struct act *act); /* any of them, by kind */
int act_compile(struct act *act);
int act_check(struct act *act);
int act_run(struct act *act);
int act_sweep(struct act *act);
int act_run_begun(struct act *act); /* in the background, or on a cluster */
int act_wait(struct act *act);
int act_attach(struct act *act);
int act_clone(struct act *act);
int act_control(struct act *act, enum door_control what); /* stop, suspend, resume, delete */
int act_forward(struct act *act);
int act_open(struct act *act);
int act_prepare(struct act *act, bool cleanup);
int act_retry(struct act *act);
int act_runs_there(struct act *act);
int act_schedule(struct act *act);
int act_submit(struct act *act);
int act_tensorboard(struct act *act);
int act_upload(struct act *act);
int act_logs(struct act *act);
int act_runs(struct act *act);
int act_shell(struct act *act);
int act_magic(struct act *act);
int act_help(struct act *act);
int act_inspect(struct act *act);
void act_show_value(struct act *act, const struct value *value);
int act_show_run(struct act *act, const struct run *run, size_t step); /* step SIZE_MAX: the run's picture */
int act_show_file(struct act *act, const char *path, const struct type *type); /* by its kind: table, picture, text … */
/* The value of a member path of a handle (`r.train.loss`); NULL with *err set. */
const struct value *run_member(const struct run *run, size_t step, struct arena *arena, const char *const *path, size_t n,
			       struct error *err);
/* The step's status and its outputs, as a Dict. */
const struct value *run_step_outputs(struct arena *arena, const struct run *run, size_t step);
/* What the expression names if that is a run or a step, without computing a value: the run (borrowed) and the step. */
struct run *act_handle(struct act *act, const struct expr *expr, size_t *ret_step);

/* A user_expressions entry: { status: "ok", data, metadata } or { status: "error", ename, evalue, traceback }. */
json_t *interp_evaluate(struct interp *interp, const char *expression);

/* kernel/json.c */
json_t *json_of_value(const struct value *value);
json_t *json_of_text(const char *text, size_t len); /* invalid UTF-8 becomes U+FFFD */

#endif
