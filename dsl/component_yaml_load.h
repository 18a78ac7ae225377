/* What the files that load a component.yaml share: the component being made, and what they say about a node that is not
 * what it should be. Functions that return bool say whether all is well, and have reported it when not. */
#ifndef DSL_COMPONENT_YAML_LOAD_H
#define DSL_COMPONENT_YAML_LOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/yaml.h"
#include "dsl/ast.h"
#include "dsl/component.h"
#include "dsl/diag.h"

struct loading {
	struct arena *arena;
	struct diags *diags;
	struct component *component;
	size_t errors; /* in diags before it began */
	struct port *inputs, *outputs; /* the component's, while they can be written */
	/* Of the inputs: does a placeholder want the value, or the path? */
	bool *by_value, *by_path;
	/* Of the outputs: the placeholder that writes it; its source is NULL when none does. */
	struct span *written;
	bool executor; /* {executorInput} is there, which tells the program all paths */
};

/* ---- shapes: `what` names the field: "`inputs`" ---- */

/* Is the node there and not null? */
bool loading_has(const struct yaml_node *node);
bool loading_is(struct loading *l, const struct yaml_node *node, enum value_kind kind, const char *what);
/* The text of a String; NULL otherwise, reported. */
const char *loading_text(struct loading *l, const struct yaml_node *node, const char *what);
/* The text of any scalar but null, as Python's str writes it; NULL otherwise, not reported. */
const char *loading_scalar_text(struct loading *l, const struct yaml_node *node);
/* Warns of keys of the map that are none of these. `what` is the map: "an input". */
void loading_check_keys(struct loading *l, const struct yaml_node *dict, const char *const *keys, size_t n, const char *what);
const char *loading_kind_name(enum value_kind kind); /* "a list" */

/* ---- the parts of a document ---- */

void loading_ports(struct loading *l, const struct yaml_node *document);
/* After all placeholders are known: passing, paths, what is never written. */
void loading_settle_ports(struct loading *l);
/* The list `command` or `args`. */
void loading_parts(struct loading *l, const struct yaml_node *list, const char *what, const struct part **ret, size_t *ret_n);
/* The port with exactly that name; SIZE_MAX, reported, if there is none. */
size_t loading_find_port(struct loading *l, bool output, const char *name, struct span span);
void loading_container(struct loading *l, const struct yaml_node *container);
void loading_graph(struct loading *l, const struct yaml_node *graph);

#endif
