#include "config.h"

#include "dsl/argo.h"

#include <stdint.h>
#include <string.h>

const struct secret *
argo_secret(const struct plan *plan, const struct expr *expr)
{
	return expr->kind == EXPR_PARAM ? plan->params[expr->index].secret : expr->kind == EXPR_SECRET ? expr->secret : NULL;
}

/* As the Kubeflow SDK names the folders of files: letters, digits and `-_.` stay. */
static const char *
folder_name(struct arena *arena, const char *name)
{
	CLEANUP(buf_release) struct buf buf = { 0 };
	bool gap = false;

	for (; *name; name++) {
		bool stays = strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.", *name) != NULL;

		if (!stays && !gap)
			buf_putc(&buf, '_');
		gap = !stays;
		if (stays)
			buf_putc(&buf, *name);
	}
	return arena_strndup(arena, buf_text(&buf), buf.len);
}

const char *
argo_input_path(struct arena *arena, const struct component *component, size_t input)
{
	return arena_printf(arena, "/tmp/inputs/%s/data", folder_name(arena, component->inputs[input].name));
}

const char *
argo_output_path(struct arena *arena, const struct component *component, size_t output)
{
	const struct port *port = &component->outputs[output];

	return port->path ? port->path : arena_printf(arena, "/tmp/outputs/%s/data", folder_name(arena, port->name));
}

const char *
argo_pod_slot(struct argo_pod *pod, enum argo_slot_kind kind, size_t index, const char *name)
{
	struct argo_slot slot = { .kind = kind, .index = index };

	for (size_t i = 0; i < pod->slots.n; i++)
		if (pod->slots.items[i].kind == kind && pod->slots.items[i].index == index)
			return pod->slots.items[i].name;
	slot.name = argo_unique(pod->argo->arena, &pod->slot_names, argo_port_name(pod->argo->arena, name));
	slot.what = arena_printf(pod->argo->arena, "the argument `%s`", slot.name);
	vec_push(&pod->slots, slot);
	return slot.name;
}

const struct expr *
argo_slot_expr(const struct plan_step *step, const struct argo_slot *slot)
{
	switch (slot->kind) {
	case SLOT_VALUE:
	case SLOT_FILE:
		return step->args[slot->index];
	case SLOT_ENV:
		return step->settings->env[slot->index].value;
	case SLOT_LABEL:
		return step->settings->labels[slot->index].value;
	case SLOT_ANNOTATION:
		return step->settings->annotations[slot->index].value;
	case SLOT_NODE_SELECTOR:
		return step->settings->node_selector[slot->index].value;
	case SLOT_GPU:
		return step->settings->gpu;
	case SLOT_CPU:
		return step->settings->cpu;
	case SLOT_MEMORY:
		return step->settings->memory;
	case SLOT_STEP_NAME:
		break;
	}
	return NULL;
}

enum argo_form
argo_slot_form(const struct plan_step *step, enum argo_slot_kind kind)
{
	if (kind == SLOT_VALUE)
		return step->component->script ? FORM_KUBELET_EXACT : FORM_KUBELET;
	return kind == SLOT_ENV ? FORM_KUBELET_EXACT : kind == SLOT_STEP_NAME ? FORM_KUBELET : FORM_PLAIN;
}

static void
find_varying(const struct expr *expr, void *context)
{
	bool *found = context;

	*found = *found || expr->kind == EXPR_PARAM || expr->kind == EXPR_OUTPUT || expr->kind == EXPR_ITEM ||
		 (expr->kind == EXPR_FACT && expr->fact == FACT_STEP_NAME);
}

const char *
argo_pod_setting(struct argo_pod *pod, enum argo_slot_kind kind, size_t index, const char *key, const struct expr *expr)
{
	struct arena *arena = pod->argo->arena;
	struct argo_site site = pod->site;
	bool varies = false;

	expr_walk(expr, find_varying, &varies);
	pod->needs_brace = pod->needs_brace || (varies && kind == SLOT_ENV);
	if (varies)
		return arena_printf(arena, "{{inputs.parameters.%s}}", argo_pod_slot(pod, kind, index, key));
	site.form = argo_slot_form(pod->step, kind);
	site.what = arena_printf(arena, "the setting for `%s`", key);
	return argo_text(&site, expr);
}

/* ---- inputs and outputs of the template ---- */

static bool
is_attempt(const struct expr *expr)
{
	return expr->kind == EXPR_FACT && expr->fact == FACT_STEP_ATTEMPT;
}

static enum argo_input_kind
input_kind(struct arena *arena, const struct plan_step *step, size_t input)
{
	const struct expr *arg = step->args[input];
	const struct port *port = &step->component->inputs[input];
	const char *constant;

	if (!arg)
		return INPUT_ABSENT;
	if (port->type->kind == TYPE_SECRET)
		return INPUT_SECRET;
	if (port->passing == PASS_FILE)
		return INPUT_PASSED;
	constant = argo_constant(arena, arg);
	return is_attempt(arg) || (constant && !argo_survives(constant)) ? INPUT_FIXED : INPUT_PASSED;
}

static const struct value *
template_inputs(struct argo_pod *pod)
{
	struct arena *arena = pod->argo->arena;
	struct rows parameters = { .arena = arena }, artifacts = { .arena = arena };
	struct object inputs = { .arena = arena };

	for (size_t i = 0; i < pod->slots.n; i++) {
		const struct argo_slot *slot = &pod->slots.items[i];
		struct object row = { .arena = arena };

		object_put_text(&row, "name", slot->name);
		if (slot->kind == SLOT_FILE) {
			object_put_text(&row, "path", argo_input_path(arena, pod->step->component, slot->index));
			rows_add(&artifacts, object_take(&row));
		} else {
			rows_add(&parameters, object_take(&row));
		}
	}
	object_put(&inputs, "parameters", rows_take(&parameters));
	object_put(&inputs, "artifacts", rows_take(&artifacts));
	return object_take(&inputs);
}

static const struct value *
template_outputs(struct argo_pod *pod)
{
	struct arena *arena = pod->argo->arena;
	const struct component *component = pod->step->component;
	struct rows parameters = { .arena = arena }, artifacts = { .arena = arena };
	struct object outputs = { .arena = arena };

	for (size_t i = 0; i < component->n_outputs; i++) {
		const char *page = kfp_page_artifact(component->outputs[i].name);
		const struct value *path = value_string(arena, argo_output_path(arena, component, i));
		struct object parameter = { .arena = arena }, artifact = { .arena = arena };

		if (pod->usage->as_value[i]) {
			object_put_text(&parameter, "name", pod->usage->output_names[i]);
			object_put(&parameter, "valueFrom", argo_nest(arena, "path", path));
			rows_add(&parameters, object_take(&parameter));
		}
		if (pod->usage->as_file[i]) {
			object_put_text(&artifact, "name", pod->usage->output_names[i]);
			object_put(&artifact, "path", path);
			if (page)
				object_put(&artifact, "optional", &VALUE_OF_TRUE);
			rows_add(&artifacts, object_take(&artifact));
		}
	}
	object_put(&outputs, "parameters", rows_take(&parameters));
	object_put(&outputs, "artifacts", rows_take(&artifacts));
	return object_take(&outputs);
}

/* ---- sharing ---- */

/* Steps of one shape have one template: what may differ between them is in its slots. */
static const char *
shape_of(struct argo *argo, const struct plan_step *step, const struct argo_usage *usage, bool needs_brace)
{
	CLEANUP(buf_release) struct buf key = { 0 };

	argo_identity(&key, step->component);
	argo_identity(&key, step->settings);
	buf_putc(&key, needs_brace ? 'y' : 'n');
	for (size_t i = 0; i < step->component->n_inputs; i++) {
		enum argo_input_kind kind = input_kind(argo->arena, step, i);
		const struct secret *secret = kind == INPUT_SECRET ? argo_secret(argo->plan, step->args[i]) : NULL;
		const char *constant = NULL;

		buf_putc(&key, (char)('a' + (int)kind));
		if (secret)
			buf_printf(&key, ":%s/%s/%d", secret->name, secret->key ? secret->key : "", secret->optional);
		if (kind == INPUT_FIXED || (kind == INPUT_PASSED && usage->conditions_on_inputs))
			constant = argo_constant(argo->arena, step->args[i]);
		if (constant)
			buf_printf(&key, ":%zu:%s", strlen(constant), constant);
	}
	return arena_strndup(argo->arena, buf_text(&key), key.len);
}

static bool
is_given(void *context, size_t input)
{
	const struct argo_pod *pod = context;

	return pod->inputs[input] != INPUT_ABSENT;
}

static const char *
known_text(void *context, size_t input)
{
	const struct argo_pod *pod = context;

	return argo_constant(pod->argo->arena, pod->step->args[input]);
}

static bool
resolve_step(struct argo_pod *pod)
{
	struct resolve_inputs inputs = { .given = is_given, .text = known_text, .context = pod };
	struct error err;
	struct span span;
	struct diag *diag;

	if (!resolve_component(pod->argo->arena, pod->step->component, &inputs, &pod->resolved, &span, &err))
		return true;
	diag = diags_add(pod->argo->diags, DIAG_L0603, pod->step->name_span, "target `%s`: %s", argo_target_name(pod->argo), err.text);
	if (span.source)
		diag_label(pod->argo->diags, diag, span, "what it is about");
	diag_help(pod->argo->diags, diag, "give the step an argument that is known now, or use a component that does without");
	return false;
}

static bool
can_express(struct argo_pod *pod)
{
	const struct component *component = pod->step->component;

	if (component->kind == COMPONENT_CONTAINER || component->kind == COMPONENT_PROCESS)
		return true;
	argo_refuse(pod->argo, pod->step->name_span,
		    component->kind == COMPONENT_GRAPH ? "a component with a graph implementation" : "a component with a manifest",
		    "use a component that runs a container");
	return false;
}

static const struct value *
build_body(struct argo_pod *pod)
{
	struct object body = { .arena = pod->argo->arena };
	const struct value *container;
	const struct value *metadata;
	struct object around = { .arena = pod->argo->arena };
	const struct value *schedule;

	if (!can_express(pod) || !resolve_step(pod))
		return NULL;
	if (pod->argo->target == TARGET_ARGO && pod->step->settings->cache != CACHE_UNSET && pod->step->settings->cache != CACHE_OFF)
		argo_refuse(pod->argo, pod->step->name_span, "`cache` of a step", "leave it out here, or compile for `kfp`");
	container = argo_container(pod);
	argo_put_schedule(pod, &around);
	metadata = argo_metadata(pod); /* last of all: it may list the slots */
	schedule = object_take(&around);
	object_put(&body, "inputs", template_inputs(pod));
	object_put(&body, "outputs", template_outputs(pod));
	object_put(&body, "container", container);
	for (size_t i = 0; schedule && i < schedule->dict.n; i++)
		object_put(&body, schedule->dict.keys[i], schedule->dict.items[i]);
	object_put(&body, "metadata", metadata);
	if (container)
		return object_take(&body);
	object_take(&body);
	return NULL;
}

static void
pod_release(struct argo_pod *pod)
{
	vec_release(&pod->slots);
	map_release(&pod->slot_names);
	vec_release(&pod->env_names);
	vec_release(&pod->env);
	object_take(&pod->runtime_limits);
}

/* Of the component's name in the template's, so that a number fits behind it; and pods have the template's name in theirs. */
enum { TEMPLATE_NAME_MAX = 100 };

/* A template for that body, or the one that has it already. */
static struct argo_template *
template_for(struct argo *argo, struct argo_pod *pod, const struct value *body)
{
	const struct component *component = pod->step->component;
	CLEANUP(buf_release) struct buf key = { 0 };
	struct argo_template *template;
	const char *name;

	buf_printf(&key, "%p ", (const void *)component);
	value_write_json(&key, body);
	for (size_t i = 0; i < pod->slots.n; i++) /* what fills them is part of it */
		buf_printf(&key, " %d.%zu", (int)pod->slots.items[i].kind, pod->slots.items[i].index);
	template = map_get(&argo->bodies, buf_text(&key));
	if (template)
		return template;
	template = arena_new_struct(argo->arena, struct argo_template);
	name = argo_dns_name(argo->arena, component->name);
	if (strlen(name) > TEMPLATE_NAME_MAX)
		name = arena_strndup(argo->arena, name, TEMPLATE_NAME_MAX);
	template->name = argo_unique(argo->arena, &argo->template_names, *name ? name : "step");
	template->body = body;
	template->slots = arena_copy(argo->arena, pod->slots.items, pod->slots.n * sizeof *pod->slots.items);
	template->n_slots = pod->slots.n;
	vec_push(&argo->pods, template);
	map_set(&argo->bodies, buf_text(&key), template);
	return template;
}

/* A script gets every text through the variable, known or not, so that its steps share one template. */
static bool
wants_brace(const struct plan_step *step, size_t input)
{
	const struct port *port = &step->component->inputs[input];

	if (port->type->kind == TYPE_SECRET || port->passing == PASS_FILE)
		return false;
	if (step->component->script)
		return argo_is_free_text(port->type);
	return argo_needs_brace(step->args[input]);
}

const struct argo_template *
argo_pod(struct argo *argo, size_t index)
{
	const struct plan_step *step = &argo->plan->steps[index];
	struct argo_pod pod = { .argo = argo, .step = step, .usage = argo->steps[index].usage };
	const char *shape;
	struct argo_template *template;
	const struct value *body;

	for (size_t i = 0; i < step->component->n_inputs; i++)
		pod.needs_brace = pod.needs_brace || (step->args[i] && wants_brace(step, i));
	shape = shape_of(argo, step, pod.usage, pod.needs_brace);
	template = map_get(&argo->shapes, shape);
	if (template)
		return template;
	pod.site = (struct argo_site){ .argo = argo, .group = step->group, .step = step, .in_pod = true, .span = step->name_span };
	pod.runtime_limits.arena = argo->arena;
	pod.inputs = arena_alloc(argo->arena, step->component->n_inputs * sizeof *pod.inputs);
	for (size_t i = 0; i < step->component->n_inputs; i++)
		pod.inputs[i] = input_kind(argo->arena, step, i);
	body = build_body(&pod);
	template = body ? template_for(argo, &pod, body) : NULL;
	pod_release(&pod);
	if (template)
		map_set(&argo->shapes, shape, template);
	return template;
}
