/* What a step left behind: its outputs, read once it has ended well. */
#ifndef RUNTIME_OUTPUTS_H
#define RUNTIME_OUTPUTS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "dsl/component.h"
#include "runtime/engine.h"

enum { OUTPUT_VALUE_MAX = 256 * 1024 }; /* bytes of an output by value; Argo's own limit */

struct outputs_request {
	const struct component *component;
	const char *folder; /* of the attempt: outputs must lie in it */
	const char *const *paths; /* where each output was to be written; NULL: the component never writes it */
	const bool *wants_text; /* of outputs by file: is the text wanted too? NULL: of none */
	const char *keep; /* a folder, made when needed: files are moved there under the output's id */
	const char *const *secrets; /* what no value may hold */
	size_t n_secrets;
};

/* Fills ret[component->n_outputs]; everything lives in the arena. One final newline of a value is dropped. -1 with *err set
 * when an output is missing, too large, not text, not of its type, a folder where a value was promised, or a link that leads
 * out of the folder. */
int outputs_read(const struct outputs_request *request, struct arena *arena, struct engine_output *ret, struct error *err);

#endif
