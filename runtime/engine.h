/* The engine: what happens when a plan runs, as a pure state machine. Events go in, actions come out; it knows no clock,
 * no process and no file, so the same events always give the same state: a journal of them is the run.
 *
 * The rules are Argo's (DAG templates, failFast as its controller really does it): a child runs when all its needs
 * Succeeded or were Skipped, else it is Omitted; other branches go on after a failure; a group takes the phase of its
 * leaves, where a leaf that did not run counts as what came before it. A `for … parallel N` begins no further item once
 * one has failed. A step is retried as its settings say, and `timeout` holds for each attempt.
 *
 * A node is one instance of a step or of a group; those in a loop exist once for each item. Node ids are dense, grow
 * with time, and never change their meaning. Work is linear in nodes plus needs. */
#ifndef RUNTIME_ENGINE_H
#define RUNTIME_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/value.h"
#include "dsl/plan.h"
#include "runtime/phase.h"

enum { ENGINE_NODES_MAX = 2000000 }; /* loops cannot make more */

#define ENGINE_NONE SIZE_MAX

/* What a run is given. The arrays have plan->n_params entries, or are NULL. */
struct engine_args {
	const struct value *const *values; /* NULL: the parameter's fallback. Of a parameter by file: its path, a String */
	const struct secret *const *secrets; /* of Secret parameters; NULL: the parameter's own */
	const char *run_id, *run_name;
	size_t jobs; /* at most so many attempts at once; 0: no limit */
};

enum exit_kind {
	EXIT_CODE, /* number: the exit code */
	EXIT_SIGNAL, /* number: the signal */
	EXIT_ERROR, /* text: what the world did wrong */
};

/* One output of a successful attempt. */
struct engine_output {
	const struct value *value; /* of an output by value, or by file where engine_wants_text; else NULL */
	const char *path; /* of an output by file; else NULL */
};

enum engine_event_kind {
	ENGINE_START, /* the first event, once */
	ENGINE_EXITED, /* an attempt has ended */
	ENGINE_STOP, /* the person wants the run to end */
	ENGINE_TICK, /* time has passed; due when engine_next_ms says so */
};

struct engine_event {
	enum engine_event_kind kind;
	int64_t now_ms; /* never smaller than in the event before; if it is, that one's time counts */
	/* of ENGINE_EXITED */
	size_t node;
	int attempt; /* from 0 */
	enum exit_kind how;
	int number;
	const char *text; /* of EXIT_ERROR, and of ENGINE_STOP: why, or NULL */
	const struct engine_output *outputs; /* after exit code 0: the component's n_outputs; NULL where it has none */
};

enum engine_action_kind {
	ENGINE_DO_START, /* start the attempt; its inputs are in the node */
	ENGINE_DO_KILL, /* end the attempt; ENGINE_EXITED must still come */
	ENGINE_CHANGED, /* the node's phase, attempts or message changed */
	ENGINE_FINISHED, /* the last action of a run */
};

struct engine_action {
	enum engine_action_kind kind;
	size_t node;
	int attempt;
};

enum input_kind {
	INPUT_ABSENT, /* optional, not given */
	INPUT_VALUE, /* value */
	INPUT_TEXT, /* value, wanted as a file: its plain text is to be written to one */
	INPUT_PATH, /* path of a file */
	INPUT_PATHS, /* value: a List of paths, maybe of Lists: files of a loop, wanted as a folder named by index */
	INPUT_SECRET, /* secret */
};

struct engine_input {
	enum input_kind kind;
	const struct value *value;
	const char *path;
	const struct secret *secret;
};

/* What readers see of a node. Everything lives as long as the engine. */
struct engine_node {
	bool is_group;
	size_t index; /* of plan->steps or plan->groups */
	size_t frame; /* the instance of its group that it stands in */
	enum phase phase;
	int attempts; /* begun */
	bool running; /* an attempt is */
	int64_t started_ms, ended_ms; /* of the step, all attempts; 0: not yet */
	bool has_exit; /* an attempt has ended with the code or signal below */
	enum exit_kind how;
	int number;
	const char *message; /* why it is not Succeeded; or NULL */
	const struct engine_input *inputs; /* of the attempt begun last; the component's n_inputs */
	const struct engine_output *outputs; /* of a step that Succeeded; the component's n_outputs; may be NULL if 0 */
};

struct engine;

/* Holds a reference to the plan, copies what it needs of args. NULL with *err set when an argument is missing or not of its
 * type, or the plan holds what this version does not carry out. */
struct engine *engine_new(struct plan *plan, const struct engine_args *args, struct error *err);
void engine_free(struct engine *engine);

/* Takes one event. Returns whether it had an effect, and so belongs into the journal; a stale one (an attempt that is not
 * running, a tick that is not due) has none. The actions are valid until the next call. */
bool engine_feed(struct engine *engine, const struct engine_event *event, const struct engine_action **ret_actions,
		 size_t *ret_n);
/* When a tick is due: a retry or a timeout. -1: never. */
int64_t engine_next_ms(const struct engine *engine);

enum phase engine_phase(const struct engine *engine); /* of the run */
const char *engine_message(const struct engine *engine); /* why it did not succeed, or NULL */
size_t engine_node_count(const struct engine *engine);
const struct engine_node *engine_node(const struct engine *engine, size_t node);
/* The node's place in its loops: "" outside of them, "[2]", "[2][0]". */
void engine_node_key(const struct engine *engine, size_t node, struct buf *buf);
/* The item of the innermost loop around the node, or NULL. */
const struct value *engine_node_item(const struct engine *engine, size_t node);
/* Does an expression use the text of that output, which is by file? */
bool engine_wants_text(const struct engine *engine, size_t step, size_t output);
/* The value of an expression of the plan as the node sees it: its parameters, outputs, items, facts. */
const struct value *engine_eval(struct engine *engine, size_t node, const struct expr *expr, struct arena *arena,
				struct error *err);
/* The pipeline's outputs after it Succeeded; by file: paths. plan->n_outputs of them, allocated in the engine. Lists of
 * skipped steps' outputs hold null. NULL with *err set when one cannot be computed. */
const struct value *const *engine_outputs(struct engine *engine, struct error *err);

#endif
