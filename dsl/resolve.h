/* Placeholders to a concrete command line: what one step's command, args and env are, once it is known which inputs it
 * is given. The local runner and the back ends both start here, so a step has the same arguments in both places.
 *
 * Conditions (IF, IS_PRESENT) are decided, CONCAT is flattened, and the placeholder of an optional input that is not
 * given vanishes (a literal flag before it stays). What is left of each argument is a row of pieces: literal text, and
 * holes that the caller fills in its own words: `{{inputs.parameters.x}}` for Argo, the real text here. An argument
 * without pieces is the empty text. No piece of text is empty and no two stand side by side.
 *
 * The rules are those of the Kubeflow Pipelines SDK 1.8 (kfp/components/_components.py). Everything lives in the arena
 * given or in the component. Failure is the program's or the world's: one sentence and the place that it is about. */
#ifndef DSL_RESOLVE_H
#define DSL_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/source.h"
#include "dsl/component.h"

enum piece_kind {
	PIECE_TEXT, /* text */
	PIECE_INPUT_VALUE, /* index of an input: its plain text (value_write_plain) */
	PIECE_INPUT_SECRET, /* index of an input of type Secret: never its text where it could be seen; `$(VARIABLE)` on a cluster */
	PIECE_INPUT_PATH, /* index of an input: the path of a file or folder that holds it, also when it was given by value */
	PIECE_OUTPUT_PATH, /* index of an output: where the step writes it; port->path when that is set, else the caller chooses */
	PIECE_INPUT_URI, PIECE_OUTPUT_URI, /* index: where the artifact lies outside the step */
	PIECE_FACT, /* fact */
};

struct piece {
	enum piece_kind kind;
	const char *text;
	size_t index;
	enum fact fact;
	struct span span; /* of the placeholder */
};

struct resolved_arg {
	const struct piece *pieces;
	size_t n;
	struct span span; /* of the element that it comes from */
};

/* A variable whose value is an optional input that is not given is left out. */
struct resolved_env {
	const char *name;
	struct resolved_arg value;
};

struct resolved {
	const struct resolved_arg *command, *args;
	size_t n_command, n_args;
	const struct resolved_env *env;
	size_t n_env;
	/* By port: does some piece of the above want it? (A script's variables are not counted: it sees every input.) */
	const bool *input_value, *input_path; /* component->n_inputs of each; a Secret counts as a value */
	const bool *output_path; /* component->n_outputs */
};

/* What is known of a step's inputs. */
struct resolve_inputs {
	/* Has the input a value, its fallback included? */
	bool (*given)(void *context, size_t input);
	/* Its plain text if it is known already, else NULL: only the run will tell. Asked of inputs that conditions look at. */
	const char *(*text)(void *context, size_t input);
	void *context;
};

/* Returns 0, or -1 with *err and, when there is a place for it, *ret_span (else its source is NULL): an input without value
 * that is not optional; a condition that only the run could decide, or that is neither true nor false; a placeholder that
 * nothing here can fill ({executorInput}). */
int resolve_component(struct arena *arena, const struct component *component, const struct resolve_inputs *inputs,
		      struct resolved *ret, struct span *ret_span, struct error *err);

/* Appends the argument: write is called for each piece in order, texts included. Stops at the first failure. */
int resolved_arg_write(struct buf *buf, const struct resolved_arg *arg,
		       int (*write)(void *context, struct buf *buf, const struct piece *piece, struct error *err),
		       void *context, struct error *err);

/* Python's strtobool: y yes t true on 1, n no f false off 0, in any case. Returns -1 for any other text. */
int resolve_strtobool(const char *text, bool *ret);

#endif
