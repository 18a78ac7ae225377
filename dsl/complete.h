/* What could stand at a place of an unfinished cell. Asked at every key, so it never complains, declares nothing, and does with
 * whatever the parser could make of the text.
 *
 * Names of files within strings are not offered here: the language does no I/O. */
#ifndef DSL_COMPLETE_H
#define DSL_COMPLETE_H

#include <stddef.h>

#include "base/arena.h"
#include "dsl/scope.h"

enum { COMPLETIONS_MAX = 2000 };

struct completion {
	const char *text; /* what replaces the word; a name that needs them has its backticks */
	const char *type; /* "keyword", "function", "module", "class", "instance", "property", "param" */
	const char *signature; /* "(steps: Integer) -> (model: Model)", "Integer", or NULL */
};

struct completions {
	struct arena *arena; /* of all texts */
	struct completion *items; /* nearest meaning first, then by alphabet */
	size_t n, cap;
	size_t start, end; /* bytes of the code that a completion replaces */
};

/* cursor is at most len. Completions of a pipeline's step know its component although the cell is not declared yet. */
void complete(struct completions *ret, struct scope *scope, const char *code, size_t len, size_t cursor);
void completions_release(struct completions *completions);

#endif
