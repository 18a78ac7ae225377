/* Kubeflow's component.yaml as a component.
 *
 * Container implementations of the first form (KFP SDK 1.8, kfp/components/_structures.py) are loaded whole; of a graph the
 * inputs, outputs and the shape are (kind COMPONENT_GRAPH). A specification of Kubeflow Pipelines 2 is recognised and refused.
 *
 * Decisions: an input is passed by file when the component asks for its path and never for its value; whoever asks for both
 * gets a value, written to a file where a path is wanted. An output is a value when its type is one of Lateen's or Kubeflow's
 * value types, else a file. `optional` is the file's; a default is a fallback either way, and as a text keeps its letters where
 * the SDK passes them unchanged. A volatile component's settings have the cache off. */
#ifndef DSL_COMPONENT_YAML_H
#define DSL_COMPONENT_YAML_H

#include "dsl/ast.h"
#include "dsl/component.h"
#include "dsl/diag.h"

/* What a component.yaml may hold; more is a diagnostic. */
enum { COMPONENT_PORTS_MAX = 2000 };

/* The unit's source is the YAML text; everything lives in its arena. `name` is what the program calls it, `url` where the text
 * came from or NULL. Returns NULL when something is wrong, all of it reported; warnings may come with a component. */
const struct component *component_from_yaml(struct unit *unit, const char *name, const char *url, struct diags *diags);

/* The identifier by which a port is reached: the name itself if it is one, else lower case with `_` for every run of other
 * characters, none at the ends, and `n` before a leading digit ("MLPipeline UI metadata" is mlpipeline_ui_metadata). "" when
 * nothing is left. */
const char *component_yaml_id(struct arena *arena, const char *name);

#endif
