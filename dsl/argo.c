#include "config.h"

#include "dsl/argo.h"

#include <stdint.h>
#include <string.h>

const char *
argo_target_name(const struct argo *argo)
{
	return argo->target == TARGET_KFP ? "kfp" : "argo";
}

void
argo_refuse(struct argo *argo, struct span span, const char *construct, const char *way_round)
{
	struct diag *diag = diags_add(argo->diags, DIAG_L0603, span, "target `%s` cannot express %s", argo_target_name(argo), construct);

	diag_help(argo->diags, diag, "%s", way_round);
}

/* ---- names ---- */

static void
name_params(struct argo *argo)
{
	struct map taken = { 0 };

	argo->params = arena_alloc(argo->arena, argo->plan->n_params * sizeof *argo->params);
	argo->params_with_dollars = arena_alloc(argo->arena, argo->plan->n_params);
	for (size_t i = 0; i < argo->plan->n_params; i++) {
		argo->params_with_dollars[i] = argo_holds_dollars(argo->plan->params[i].fallback);
		argo->params[i] = argo_unique(argo->arena, &taken, argo_port_name(argo->arena, argo->plan->params[i].name));
	}
	map_release(&taken);
}

/* A task must not begin with a digit where others depend on it. */
static const char *
task_name(struct argo *argo, const struct plan_step *step)
{
	const char *name = argo_dns_name(argo->arena, step->name);
	struct diag *diag;

	if (!*name || (*name >= '0' && *name <= '9'))
		name = arena_printf(argo->arena, *name ? "step-%s" : "step", name);
	if (strlen(name) <= ARGO_NAME_MAX)
		return name;
	diag = diags_add(argo->diags, DIAG_L0602, step->name_span, "target `%s` takes names of at most %d characters, and `%.40s…` has %zu",
			 argo_target_name(argo), ARGO_NAME_MAX, step->name, strlen(name));
	diag_help(argo->diags, diag, "give the step a shorter name");
	return name;
}

static void
name_steps(struct argo *argo)
{
	const struct plan *plan = argo->plan;

	for (size_t i = 0; i < plan->n_steps; i++) {
		const char *name = task_name(argo, &plan->steps[i]);
		const struct plan_step *other = map_get(&argo->task_names, name);
		struct diag *diag;

		argo->steps[i].task = name;
		if (!other) {
			map_set(&argo->task_names, name, (void *)(uintptr_t)&plan->steps[i]);
			continue;
		}
		diag = diags_add(argo->diags, DIAG_L0602, plan->steps[i].name_span, "the steps `%s` and `%s` would both be `%s` on the target `%s`",
				 other->name, plan->steps[i].name, name, argo_target_name(argo));
		diag_label(argo->diags, diag, other->name_span, "`%s` is here", other->name);
		diag_help(argo->diags, diag, "rename one of them: names on a cluster are lower case, with `-` for `_`");
	}
}

static bool *
groups_with_steps(const struct argo *argo)
{
	const struct plan *plan = argo->plan;
	bool *has = arena_alloc(argo->arena, plan->n_groups);

	for (size_t i = 0; i < plan->n_steps; i++)
		has[plan->steps[i].group] = true;
	for (size_t i = plan->n_groups; i-- > 1;)
		has[plan->groups[i].parent] = has[plan->groups[i].parent] || has[i];
	return has;
}

/* `condition-1`, with another number if that is a step's name or taken. */
static const char *
group_name(struct argo *argo, const char *kind, unsigned *count)
{
	const char *name;

	do
		name = arena_printf(argo->arena, "%s-%u", kind, ++*count);
	while (map_has(&argo->task_names, name) || map_has(&argo->template_names, name));
	map_set(&argo->task_names, name, argo);
	map_set(&argo->template_names, name, argo);
	return name;
}

static void
name_groups(struct argo *argo)
{
	const struct plan *plan = argo->plan;
	bool *has_steps = groups_with_steps(argo);
	unsigned conditions = 0, loops = 0;

	for (size_t i = 1; i < plan->n_groups; i++) {
		struct argo_group *group = &argo->groups[i];

		if (!has_steps[i])
			continue;
		if (plan->groups[i].kind == GROUP_IF)
			group->task = group_name(argo, "condition", &conditions);
		else if (plan->groups[i].kind == GROUP_FOR)
			group->task = group_name(argo, "for-loop", &loops);
		else
			argo_refuse(argo, plan->groups[i].span, "this kind of block", "use `if` and `for`");
		group->template = group->task;
		if (plan->groups[i].items && plan->groups[i].items->kind == EXPR_VALUE)
			group->items_with_dollars = argo_holds_dollars(plan->groups[i].items->value);
		if (group->task && plan->groups[i].parallel)
			group->body_template = argo_unique(argo->arena, &argo->template_names, arena_printf(argo->arena, "%s-item", group->task));
	}
}

/* The pipeline's name as the start of the workflow's, and as its first template. Kubeflow's graph takes a task with the name
 * of a template around it for a recursion, so that one keeps clear of all tasks. */
static const char *
name_root(struct argo *argo)
{
	const struct plan *plan = argo->plan;
	const char *name = argo_dns_name(argo->arena, plan->display ? plan->display : plan->name);
	const char *root;
	size_t len;

	if (!*name)
		name = argo_dns_name(argo->arena, plan->name);
	len = strlen(name);
	if (len > ARGO_PREFIX_MAX)
		for (len = ARGO_PREFIX_MAX; len && name[len - 1] == '-'; len--)
			;
	name = *name ? arena_strndup(argo->arena, name, len) : "pipeline";
	root = name;
	for (unsigned n = 2; map_has(&argo->task_names, root); n++)
		root = arena_printf(argo->arena, "%s-%u", name, n);
	argo->groups[0].template = argo_unique(argo->arena, &argo->template_names, root);
	return name;
}

/* ---- who uses outputs how ---- */

static struct argo_usage *
usage_of(struct argo *argo, const struct component *component)
{
	CLEANUP(buf_release) struct buf key = { 0 };
	struct argo_usage *usage;

	argo_identity(&key, component);
	usage = map_get(&argo->usages, buf_text(&key));
	if (usage)
		return usage;
	usage = arena_new_struct(argo->arena, struct argo_usage);
	map_set(&argo->usages, buf_text(&key), usage);
	return usage;
}

static bool
parts_look_at_inputs(const struct part *parts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (parts[i].kind == PART_IF && parts[i].condition->kind == PART_INPUT)
			return true;
		if (parts_look_at_inputs(parts[i].parts, parts[i].n_parts) ||
		    parts_look_at_inputs(parts[i].else_parts, parts[i].n_else_parts))
			return true;
	}
	return false;
}

/* What a component's outputs are by themselves: values are parameters, files artifacts. Kubeflow's pages also want every
 * output of a component.yaml as an artifact. */
static void
init_usage(struct argo *argo, struct argo_usage *usage, const struct component *component)
{
	struct map taken = { 0 };

	usage->as_value = arena_alloc(argo->arena, component->n_outputs);
	usage->as_file = arena_alloc(argo->arena, component->n_outputs);
	usage->output_names = arena_alloc(argo->arena, component->n_outputs * sizeof *usage->output_names);
	usage->conditions_on_inputs = parts_look_at_inputs(component->command, component->n_command) ||
				      parts_look_at_inputs(component->args, component->n_args);
	for (size_t i = 0; i < component->n_outputs; i++) {
		const struct port *port = &component->outputs[i];
		const char *page = kfp_page_artifact(port->name);

		usage->output_names[i] = argo_unique(argo->arena, &taken, page ? page : argo_port_name(argo->arena, port->name));
		if (!port->produced && component->spec)
			continue;
		usage->as_value[i] = port->passing == PASS_VALUE && !page;
		usage->as_file[i] = port->passing == PASS_FILE || page || (argo->target == TARGET_KFP && component->spec);
	}
	map_release(&taken);
}

static void
use_as_value(const struct expr *expr, void *context)
{
	struct argo *argo = context;

	if (expr->kind == EXPR_OUTPUT)
		argo->steps[expr->index].own_usage->as_value[expr->output] = true;
}

/* A file input takes a file as it is, and from a component.yaml also a value, which is a file there. */
static void
use_argument(struct argo *argo, const struct port *port, const struct expr *arg)
{
	const struct component *component;

	if (arg->kind == EXPR_OUTPUT && port->passing == PASS_FILE) {
		component = argo->plan->steps[arg->index].component;
		if (component->outputs[arg->output].passing == PASS_FILE || component->spec) {
			argo->steps[arg->index].own_usage->as_file[arg->output] = true;
			return;
		}
	}
	if (arg->kind != EXPR_VALUE)
		expr_walk(arg, use_as_value, argo);
}

static void
use_pairs(struct argo *argo, const struct setting_pair *pairs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		expr_walk(pairs[i].value, use_as_value, argo);
}

static void
use_settings(struct argo *argo, const struct settings *settings)
{
	const struct expr *const limits[] = { settings->gpu, settings->cpu, settings->memory };

	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		if (limits[i])
			expr_walk(limits[i], use_as_value, argo);
	use_pairs(argo, settings->env, settings->n_env);
	use_pairs(argo, settings->labels, settings->n_labels);
	use_pairs(argo, settings->annotations, settings->n_annotations);
	use_pairs(argo, settings->node_selector, settings->n_node_selector);
}

static void
find_usages(struct argo *argo)
{
	const struct plan *plan = argo->plan;

	for (size_t i = 0; i < plan->n_steps; i++) {
		struct argo_usage *usage = usage_of(argo, plan->steps[i].component);

		if (!usage->output_names)
			init_usage(argo, usage, plan->steps[i].component);
		argo->steps[i].usage = argo->steps[i].own_usage = usage;
	}
	for (size_t i = 0; i < plan->n_steps; i++) {
		for (size_t k = 0; k < plan->steps[i].component->n_inputs; k++)
			if (plan->steps[i].args[k])
				use_argument(argo, &plan->steps[i].component->inputs[k], plan->steps[i].args[k]);
		use_settings(argo, plan->steps[i].settings);
	}
	for (size_t i = 0; i < plan->n_groups; i++) {
		if (plan->groups[i].condition)
			expr_walk(plan->groups[i].condition, use_as_value, argo);
		if (plan->groups[i].items)
			expr_walk(plan->groups[i].items, use_as_value, argo);
	}
	for (size_t i = 0; i < plan->n_outputs; i++)
		if (plan->outputs[i].value->kind != EXPR_OUTPUT || plan->outputs[i].value->type->kind != TYPE_ARTIFACT)
			expr_walk(plan->outputs[i].value, use_as_value, argo);
}

/* ---- the object ---- */

/* Kubeflow's server gives a parameter without value the empty text, and its pages then let a person type one. */
static const struct value *
argument_row(struct argo *argo, size_t index)
{
	const struct plan_param *param = &argo->plan->params[index];
	struct object row = { .arena = argo->arena };
	CLEANUP(buf_release) struct buf text = { 0 };

	if (param->type->kind == TYPE_SECRET)
		return NULL;
	object_put_text(&row, "name", argo->params[index]);
	if (param->fallback) {
		value_write_plain(&text, param->fallback);
		if (strstr(buf_text(&text), "{{") || argo_breaks(buf_text(&text)))
			argo_refuse(argo, param->span, "a parameter's value with `{{` or control characters",
				    "give the text to the step as an argument, or write it in the step's script");
		object_put_text(&row, "value", buf_text(&text));
	} else if (argo->target == TARGET_KFP) {
		object_put_text(&row, "value", "");
	}
	return object_take(&row);
}

/* Kubeflow's server refuses a run whose parameters take more than this as JSON, as it is set up by default. */
enum { KFP_PARAMETERS_MAX = 10000 };

static void
check_parameters(struct argo *argo, const struct value *parameters)
{
	CLEANUP(buf_release) struct buf json = { 0 };

	if (argo->target != TARGET_KFP || !parameters)
		return;
	value_write_json(&json, parameters);
	if (json.len > KFP_PARAMETERS_MAX)
		argo_refuse(argo, argo->plan->span, "parameters that take more than 10000 bytes together",
			    "keep long texts in the steps' scripts, or in files that the steps read");
}

static const struct value *
workflow_spec(struct argo *argo, const struct value *templates)
{
	const struct settings *settings = argo->plan->settings;
	struct object spec = { .arena = argo->arena };
	struct rows rows = { .arena = argo->arena };
	const char *account = settings->service_account;
	const struct value *parameters;

	object_put_text(&spec, "entrypoint", argo->groups[0].template);
	object_put_text(&spec, "serviceAccountName", account || argo->target == TARGET_ARGO ? account : "pipeline-runner");
	for (size_t i = 0; i < argo->plan->n_params; i++)
		rows_add(&rows, argument_row(argo, i));
	parameters = rows_take(&rows);
	check_parameters(argo, parameters);
	object_put(&spec, "arguments", argo_nest(argo->arena, "parameters", parameters));
	if (settings->timeout)
		object_put_integer(&spec, "activeDeadlineSeconds", settings->timeout);
	object_put(&spec, "templates", templates);
	return object_take(&spec);
}

static const struct value *
workflow_object(struct argo *argo, const char *name, const struct value *templates)
{
	struct object metadata = { .arena = argo->arena }, workflow = { .arena = argo->arena };

	object_put_text(&metadata, "generateName", arena_printf(argo->arena, "%s-", name));
	if (argo->target == TARGET_KFP)
		object_put(&metadata, "annotations", kfp_workflow_annotations(argo));
	object_put_text(&workflow, "apiVersion", "argoproj.io/v1alpha1");
	object_put_text(&workflow, "kind", "Workflow");
	object_put(&workflow, "metadata", object_take(&metadata));
	object_put(&workflow, "spec", workflow_spec(argo, templates));
	return object_take(&workflow);
}

static const struct value *
pod_template(struct argo *argo, const struct argo_template *pod)
{
	struct object template = { .arena = argo->arena };

	object_put_text(&template, "name", pod->name);
	for (size_t i = 0; i < pod->body->dict.n; i++)
		object_put(&template, pod->body->dict.keys[i], pod->body->dict.items[i]);
	return object_take(&template);
}

static void
argo_release(struct argo *argo)
{
	argo_flow_release(argo);
	map_release(&argo->task_names);
	map_release(&argo->template_names);
	map_release(&argo->usages);
	map_release(&argo->shapes);
	map_release(&argo->bodies);
	vec_release(&argo->pods);
}

/* The names, for who reads what the cluster says of the run. */
static void
report_names(const struct argo *argo, struct target_report *ret)
{
	const struct plan *plan = argo->plan;
	struct target_step *steps = arena_alloc(argo->arena, plan->n_steps * sizeof *steps);
	struct target_group *groups = arena_alloc(argo->arena, plan->n_groups * sizeof *groups);

	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct argo_step *step = &argo->steps[i];

		steps[i] = (struct target_step){ step->task, step->pod ? step->pod->name : NULL, step->usage->output_names };
	}
	for (size_t i = 0; i < plan->n_groups; i++)
		groups[i] = (struct target_group){ argo->groups[i].task, argo->groups[i].body_template != NULL };
	ret->steps = steps;
	ret->groups = groups;
	ret->params = argo->params;
}

static const struct value *
compile(struct argo *argo, struct target_report *ret)
{
	struct rows templates = { .arena = argo->arena };
	const struct value *list;
	const char *name;

	name_params(argo);
	name_steps(argo);
	name = name_root(argo);
	name_groups(argo);
	find_usages(argo);
	for (size_t i = 0; i < argo->plan->n_steps; i++)
		argo->steps[i].pod = argo_pod(argo, i);
	argo_dags(argo, &templates);
	for (size_t i = 0; i < argo->pods.n; i++)
		rows_add(&templates, pod_template(argo, argo->pods.items[i]));
	ret->templates = templates.n;
	report_names(argo, ret);
	list = rows_take(&templates);
	return workflow_object(argo, name, list);
}

const struct value *
argo_workflow(struct arena *arena, const struct plan *plan, enum target target, struct diags *diags, struct target_report *ret_report)
{
	struct argo argo = { .arena = arena, .plan = plan, .target = target, .diags = diags };
	size_t errors = diags->n_errors;
	const struct value *workflow = NULL;

	argo.steps = arena_alloc(arena, plan->n_steps * sizeof *argo.steps);
	argo.groups = arena_alloc(arena, plan->n_groups * sizeof *argo.groups);
	if (plan->n_steps)
		workflow = compile(&argo, ret_report);
	else
		argo_refuse(&argo, plan->span, "a pipeline without steps", "call a component in it");
	argo_release(&argo);
	return diags->n_errors > errors ? NULL : workflow;
}
