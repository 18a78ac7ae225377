/* A component as data, for `lateen component FILE --json` and for tools:
 *     {name, kind, image, description, inputs: [{name, id, type, passing, optional, default?, description?}],
 *      outputs: [{name, id, type, passing, path?, produced, description?}], command, args, env, labels, annotations,
 *      tasks?, digest?, url?}
 * Names, types, defaults, command and args are as the component.yaml has them, placeholders included; those of a component
 * declared in Lateen are written in the same words, and facts as {"fact": "run.id"}. `name` is the component.yaml's own, null
 * when it has none; in Lateen the program's. `image` is null when there is none; `tasks` are the names of a graph's. */
#ifndef DSL_COMPONENT_JSON_H
#define DSL_COMPONENT_JSON_H

#include "base/arena.h"
#include "base/value.h"
#include "dsl/component.h"

const struct value *component_json(struct arena *arena, const struct component *component);

/* "run.id" */
const char *component_json_fact(enum fact fact);

#endif
