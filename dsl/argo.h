/* Inside the Argo and Kubeflow back ends (dsl/argo_*.c, dsl/kfp.c); nobody else includes it.
 *
 * How a plan becomes a Workflow: every group is a DAG template, and steps that need the same pod share one template with
 * the values as its inputs. A value that is wanted in a group where it is not made comes in through the group's inputs
 * and, from a group below, out through its outputs; argo_flow.c keeps both lists. Groups are written from the last to
 * the first, so that a group's inputs are known before the task that fills them is written.
 *
 * Texts on their way to a container are in the kubelet's form: it turns `$$` into `$` and replaces `$(NAME)`, so a `$`
 * that it would touch is doubled; and as Argo knows no way to write `{{`, its second brace is `$(LATEEN_BRACE)`. */
#ifndef DSL_ARGO_H
#define DSL_ARGO_H

#include "base/map.h"
#include "dsl/resolve.h"
#include "dsl/target.h"

#define ARGO_BRACE "LATEEN_BRACE" /* the variable that holds `{` */

enum { ARGO_NAME_MAX = 128, ARGO_PREFIX_MAX = 50 }; /* bytes of a task's or template's name; of generateName, which grows by 5 */

/* ---- argo_value.c: building dicts and lists ---- */

struct object {
	struct arena *arena; /* holds the arrays too */
	const char **keys;
	const struct value **items;
	size_t n, cap;
};

struct rows {
	struct arena *arena;
	const struct value **items;
	size_t n, cap;
};

/* NULL values are left out. Keys and values are borrowed. */
void object_put(struct object *object, const char *key, const struct value *value);
void object_put_text(struct object *object, const char *key, const char *text);
void object_put_integer(struct object *object, const char *key, int64_t integer);
/* The dict, NULL when it has no keys; the builder is empty afterwards. */
const struct value *object_take(struct object *object);
void rows_add(struct rows *rows, const struct value *value);
void rows_add_text(struct rows *rows, const char *text);
const struct value *rows_take(struct rows *rows); /* NULL when it has none */
/* {name: NAME, value: TEXT} */
const struct value *argo_pair(struct arena *arena, const char *name, const char *text);
/* A dict of one key. */
const struct value *argo_nest(struct arena *arena, const char *key, const struct value *value);

/* ---- argo_name.c: names ---- */

/* Lower case; every run of anything but letters, digits and `-` is one `-`; none at the ends. "" if nothing is left. */
const char *argo_dns_name(struct arena *arena, const char *name);
/* As Kubeflow names inputs and outputs: letters, digits, `_` and `-` stay, the rest is `-`. Never "". */
const char *argo_port_name(struct arena *arena, const char *name);
/* Appends what tells this thing from all others, as a part of a map's key. */
void argo_identity(struct buf *key, const void *thing);
/* The name, or with -2, -3 … behind it, so that the map did not have it; the map has it then. */
const char *argo_unique(struct arena *arena, struct map *taken, const char *name);

/* ---- what is known of the plan ---- */

/* How steps of one component use its outputs. */
struct argo_usage {
	bool *as_value, *as_file; /* component->n_outputs: as a parameter, as an artifact */
	const char **output_names;
	bool conditions_on_inputs; /* arguments that depend on the text of an input */
};

enum argo_slot_kind {
	SLOT_VALUE, /* index: an input, as a parameter */
	SLOT_FILE, /* index: an input, as an artifact */
	SLOT_STEP_NAME,
	SLOT_ENV, SLOT_LABEL, SLOT_ANNOTATION, SLOT_NODE_SELECTOR, /* index: of the step's setting */
	SLOT_GPU, SLOT_CPU, SLOT_MEMORY,
};

/* An input of a container template. */
struct argo_slot {
	enum argo_slot_kind kind;
	size_t index;
	const char *name;
	const char *what; /* in complaints: "the argument `x`" */
};

struct argo_template {
	const char *name;
	const struct argo_slot *slots;
	size_t n_slots;
	const struct value *body; /* the template without its name */
};

struct argo_step {
	const char *task;
	const struct argo_usage *usage;
	struct argo_usage *own_usage; /* the same, while it is being found out */
	const struct argo_template *pod;
};

enum argo_ref_kind { REF_PARAM, REF_OUTPUT, REF_FILE, REF_ITEM };

/* A value that crosses the border of a group. */
struct argo_ref {
	enum argo_ref_kind kind;
	size_t index, output; /* param; step and output; loop */
	const char *name; /* of the group's input or output */
};

struct argo_refs {
	VEC(struct argo_ref) list;
	struct map by_key; /* "kind.index.output" to index + 1 */
	struct map names;
};

struct argo_group {
	const char *task, *template; /* task NULL: of the root, and of groups without steps, which are left out */
	const char *items_name; /* of the input with its items, which only the run knows */
	const char *body_template; /* of a loop that limits how many run at once: what runs for each item */
	struct argo_refs inputs, outputs;
	struct rows tasks;
	bool items_with_dollars; /* some item holds what the kubelet would touch */
	bool uses_depends; /* some task looks at how another ended */
};

struct argo {
	struct arena *arena;
	const struct plan *plan;
	enum target target;
	struct diags *diags;
	struct map task_names, template_names;
	struct map usages; /* by component */
	struct map shapes, bodies; /* to struct argo_template */
	VEC(struct argo_template *) pods;
	struct argo_step *steps;
	struct argo_group *groups;
	const char **params; /* their names in the workflow */
	bool *params_with_dollars; /* the default holds what the kubelet would touch */
};

/* An error with the code L0603: what the target cannot express, and the way round. */
void argo_refuse(struct argo *argo, struct span span, const char *construct, const char *way_round);
const char *argo_target_name(const struct argo *argo); /* "argo" */

/* ---- argo_flow.c: where a value is found ---- */

/* Where tasks of a group find it: an output of the task, or an input of the group if task is NULL, or of the workflow. */
struct argo_path {
	const char *task, *name;
	bool is_file, is_global;
};

struct argo_path argo_find(struct argo *argo, size_t group, const struct argo_ref *ref);
/* `tasks.a.outputs.parameters.x`, for {{ }}. */
void argo_path_tag(struct buf *buf, const struct argo_path *path);
/* `tasks['a-b'].outputs.parameters.x`, for an expression. */
void argo_path_code(struct buf *buf, const struct argo_path *path);
/* Is `inner` the group or below it? */
bool argo_group_within(const struct argo *argo, size_t inner, size_t group);
/* The child of `group` in which `inner`, which is below it, lies. */
size_t argo_group_below(const struct argo *argo, size_t group, size_t inner);
void argo_flow_release(struct argo *argo);

/* ---- argo_text.c: texts and expressions in Argo's words ---- */

/* Where a text is going. */
enum argo_form {
	FORM_KUBELET, /* into command, args or env */
	FORM_KUBELET_EXACT, /* the same, and what only the run knows is put into the kubelet's form too */
	FORM_PLAIN, /* nobody expands it, and `{{` cannot be kept: refused */
};

struct argo_site {
	struct argo *argo;
	size_t group; /* of the tasks among which it stands */
	const struct plan_step *step; /* or NULL */
	enum argo_form form;
	bool in_pod; /* within a container template, where `step.attempt` is known */
	const char *what; /* "the argument `x`", for messages */
	struct span span; /* where to point when the expression has no place */
};

/* Appends literal text; `before_hole`: a tag comes next. False if `{{` cannot be written there. */
bool argo_literal(struct buf *buf, const char *text, enum argo_form form, bool before_hole);
/* The expression as text with tags, in the arena. "" after an error. */
const char *argo_text(const struct argo_site *site, const struct expr *expr);
/* Is its text known now? Then the plain text, else NULL. */
const char *argo_constant(struct arena *arena, const struct expr *expr);
/* Does a literal in it hold `{{`, so that its container needs ARGO_BRACE? */
bool argo_needs_brace(const struct expr *expr);
/* Argo quotes what it puts in for a tag as Go does, and a few characters are then no JSON. Does the text survive for sure;
 * does it break for sure? */
bool argo_survives(const char *text);
bool argo_breaks(const char *text);
bool argo_is_free_text(const struct type *type); /* could it hold a `$` or `{`? */
bool argo_is_reference(const struct expr *expr); /* a parameter, an output, the item or a fact */
/* An output of steps in a loop, seen from outside it: a JSON list of texts. */
bool argo_is_gathered(const struct argo_site *site, const struct expr *expr);
bool argo_holds_dollars(const struct value *value); /* text that the kubelet would touch; NULL is none */
const char *argo_fact(enum fact fact); /* the variable: "workflow.uid"; NULL for step.name */

/* ---- argo_code.c: the language of {{= }} ---- */

/* Appends code whose value is the expression's text. */
void argo_code_text(const struct argo_site *site, struct buf *buf, const struct expr *expr);
/* Appends code whose value has the expression's type. */
void argo_code(const struct argo_site *site, struct buf *buf, const struct expr *expr);
/* Appends a string literal that holds no `{{` or `}}`. */
void argo_code_string(struct buf *buf, const char *text);

/* ---- argo_when.c: conditions ---- */

struct argo_condition {
	const char *when; /* NULL: none */
	const char *states; /* what `depends` says of how others ended; NULL: nothing */
	VEC(size_t) steps; /* that `states` is about */
};

void argo_condition(const struct argo_site *site, const struct expr *expr, struct argo_condition *ret);

/* ---- argo_pod.c: container templates and who shares them ---- */

/* What a step does with one of its inputs. */
enum argo_input_kind {
	INPUT_ABSENT,
	INPUT_SECRET,
	INPUT_FIXED, /* its text stands in the template: only there is it known, or only there does it survive */
	INPUT_PASSED, /* a parameter or an artifact of the template */
};

struct argo_pod {
	struct argo *argo;
	const struct plan_step *step;
	const struct argo_usage *usage;
	struct argo_site site; /* for texts within the template */
	enum argo_input_kind *inputs; /* one for each of the component's */
	struct resolved resolved;
	bool needs_brace;
	VEC(struct argo_slot) slots;
	struct map slot_names;
	VEC(const char *) env_names;
	VEC(const struct value *) env;
	struct object runtime_limits; /* resources that only the run knows */
};

/* The template of the step, shared with every step that needs the same; NULL after an error. */
const struct argo_template *argo_pod(struct argo *argo, size_t step);
/* The slot's name in the template; it is added if it is new. */
const char *argo_pod_slot(struct argo_pod *pod, enum argo_slot_kind kind, size_t index, const char *name);
/* A setting's text within the template: with tags, through a slot if it differs from step to step. */
const char *argo_pod_setting(struct argo_pod *pod, enum argo_slot_kind kind, size_t index, const char *key, const struct expr *expr);
enum argo_form argo_slot_form(const struct plan_step *step, enum argo_slot_kind kind);
/* The expression that fills a slot; NULL for SLOT_STEP_NAME. */
const struct expr *argo_slot_expr(const struct plan_step *step, const struct argo_slot *slot);
/* Paths within the container. */
const char *argo_input_path(struct arena *arena, const struct component *component, size_t input);
const char *argo_output_path(struct arena *arena, const struct component *component, size_t output);
/* The Secret of an argument: EXPR_SECRET, or a parameter of that type. */
const struct secret *argo_secret(const struct plan *plan, const struct expr *expr);

/* ---- argo_container.c: what runs in the pod ---- */

const struct value *argo_container(struct argo_pod *pod); /* NULL after an error */

/* ---- argo_settings.c: step settings around the container ---- */

const struct value *argo_resources(struct argo_pod *pod);
const struct value *argo_metadata(struct argo_pod *pod);
void argo_put_schedule(struct argo_pod *pod, struct object *ret); /* retry, deadline, selector, tolerations, affinity, patch */

/* ---- argo_dag.c: groups ---- */

/* The templates of all groups, the root first. */
void argo_dags(struct argo *argo, struct rows *ret);

/* ---- kfp.c: what Kubeflow Pipelines reads besides ---- */

const struct value *kfp_workflow_annotations(struct argo *argo);
void kfp_pod_annotations(struct argo_pod *pod, struct object *ret);
/* An output that Kubeflow's pages look for: its artifact's name, else NULL. */
const char *kfp_page_artifact(const char *output);

/* ---- argo.c ---- */

const struct value *argo_workflow(struct arena *arena, const struct plan *plan, enum target target, struct diags *diags,
				  struct target_report *ret_report);

#endif
