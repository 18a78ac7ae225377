/* Elements of command, args and env of a component that is declared in place: expressions to parts. Internal to the
 * checker. */
#ifndef DSL_CHECK_PARTS_H
#define DSL_CHECK_PARTS_H

#include "dsl/check.h"

/* The parts of a `command` or `args` list, in the unit's arena; what cannot be one is reported and left out. */
const struct part *check_parts(struct check *check, const struct component *component, const struct ast_expr *list,
			       size_t *ret_n);
/* Adds the variables of an `env {…}` to the component. */
void check_component_env(struct check *check, struct component *component, const struct ast_setting *setting, struct map *seen);
/* Does command, args or env name the path of that output? */
bool part_names_output(const struct component *component, size_t output);

#endif
