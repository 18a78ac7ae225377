/* What a name means: its signature, its documentation, its type, where it was declared. Words of the language, settings, verbs and
 * codes of problems are known as well. */
#ifndef DSL_INSPECT_H
#define DSL_INSPECT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "dsl/scope.h"

/* Appends plain text about a dotted name ("train", "std.train", "r.train.loss"); with detail also its source. Returns false,
 * and appends nothing, when nothing has that name. */
bool inspect_name(struct buf *buf, const struct scope *scope, const char *name, bool detail);
/* The same for the name at the cursor (cursor is at most len), which may be declared by the cell itself: plain text and Markdown. */
bool inspect_at(struct buf *plain, struct buf *markdown, struct scope *scope, const char *code, size_t len, size_t cursor,
		bool detail);

/* "(steps: Integer, init: Path?) -> (model: Model)" */
void inspect_component_signature(struct buf *buf, const struct component *component);
void inspect_plan_signature(struct buf *buf, const struct plan *plan);

#endif
