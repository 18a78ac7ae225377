/* What process.c, process_inputs.c and container.c share. */
#ifndef RUNTIME_PROCESS_PRIVATE_H
#define RUNTIME_PROCESS_PRIVATE_H

#include "base/macros.h"
#include "runtime/process.h"

struct strings {
	char **items;
	size_t n, cap;
};

/* A launch in the making. */
struct making {
	const struct process_request *request;
	const struct component *component;
	struct arena *arena;
	struct process_launch *launch;
	struct process_input *inputs;
	struct resolved resolved;
	VEC(const char *) secrets;
	struct strings argv; /* the step's own: command and args */
	struct strings env; /* the step's own: NAME=VALUE */
	struct error *err;
};

void strings_add(struct strings *strings, const char *text); /* borrowed until settled */
/* An arena array with NULL behind the last; releases the storage. */
char **strings_settle(struct strings *strings, struct arena *arena);

/* process_inputs.c: texts, paths and secrets of the inputs. `given` and `text` for resolve_component come first. */
int process_take_inputs(struct making *making);
int process_place_inputs(struct making *making);
int process_add_secret(struct making *making, const struct secret *secret, const char **ret_text);

/* container.c: wraps the step's own command line in the container tool's. */
int container_wrap(struct making *making, char **argv, char **env);
/* Where the container finds an input, and where it writes an output. */
const char *container_input_path(struct arena *arena, const struct component *component, size_t input);
const char *container_output_path(struct arena *arena, const struct component *component, size_t output);

#endif
