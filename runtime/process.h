/* One attempt of a step as a process: which program, with which arguments, environment and files.
 *
 * What a step sees, here: its inputs as arguments, or (in a script) as variables by their sanitised names; files by their
 * paths; `out_NAME`, the path of each output (in a script). The environment holds PATH (our own programs first), HOME and
 * TMPDIR (the folder of this attempt), LANG, LATEEN_PROGRESS (a file to tell progress in, see kernel/progress.h), what the component and the
 * step set, and nothing else. It runs in the folder of the
 * project, so that relative paths mean what they mean in the notebook, unless its component names a `workdir`. */
#ifndef RUNTIME_PROCESS_H
#define RUNTIME_PROCESS_H

#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "dsl/plan.h"
#include "dsl/resolve.h"
#include "runtime/engine.h"

struct process_request {
	const struct plan_step *step;
	const struct engine_input *inputs; /* one for each of the component's */
	const char *folder; /* of the attempt; it exists and is ours */
	const char *project; /* absolute */
	const char *path; /* the search path of the step */
	const char *container_tool; /* for components with an image: absolute path of podman or docker */
	const char *container_name;
	const struct value *(*eval)(void *context, const struct expr *expr, struct arena *arena, struct error *err);
	const char *(*fact)(void *context, struct arena *arena, enum fact fact);
	void *context;
};

struct process_input {
	bool given;
	bool is_secret;
	const char *text; /* as a value: its plain text, or the secret's; NULL if it is not wanted as one */
	size_t len;
	const char *path; /* as a file or folder; NULL if it is not wanted as one */
};

/* A command that follows the first, whatever came of it. */
struct process_follow {
	char **argv;
	bool only_after_success;
};

struct process_launch {
	const char *program; /* absolute */
	char **argv, **envp; /* NULL behind the last */
	const char *cwd;
	const char **output_paths; /* component->n_outputs; NULL: never written */
	const char **secrets; /* texts to be masked */
	size_t n_secrets;
	const struct process_input *inputs;
	const struct process_follow *follows; /* of a container: copies of outputs, and its removal */
	size_t n_follows;
	bool is_container;
};

/* Everything lives in the arena; files are made in the attempt's folder. -1 with *err set when the step cannot be run. */
int process_prepare(const struct process_request *request, struct arena *arena, struct process_launch *ret,
		    struct error *err);

#endif
