#include "config.h"

#include "dsl/argo.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

bool
argo_group_within(const struct argo *argo, size_t inner, size_t group)
{
	while (inner > group)
		inner = argo->plan->groups[inner].parent;
	return inner == group;
}

size_t
argo_group_below(const struct argo *argo, size_t group, size_t inner)
{
	while (argo->plan->groups[inner].parent != group)
		inner = argo->plan->groups[inner].parent;
	return inner;
}

static const char *
output_name(const struct argo *argo, const struct argo_ref *ref)
{
	return argo->steps[ref->index].usage->output_names[ref->output];
}

/* What the value is called where a group passes it on. */
static const char *
passing_name(struct argo *argo, const struct argo_ref *ref)
{
	switch (ref->kind) {
	case REF_PARAM:
		return argo->params[ref->index];
	case REF_ITEM:
		return argo_port_name(argo->arena, argo->plan->groups[ref->index].variable);
	case REF_OUTPUT:
	case REF_FILE:
		break;
	}
	return arena_printf(argo->arena, "%s-%s", argo->steps[ref->index].task, output_name(argo, ref));
}

/* The name under which the list passes the value on; it is added if it is new. */
static const char *
passed(struct argo *argo, struct argo_refs *refs, const struct argo_ref *ref)
{
	char key[64];
	size_t at;
	struct argo_ref new = *ref;

	snprintf(key, sizeof key, "%d.%zu.%zu", (int)ref->kind, ref->index, ref->output);
	at = (size_t)(uintptr_t)map_get(&refs->by_key, key);
	if (at)
		return refs->list.items[at - 1].name;
	new.name = argo_unique(argo->arena, &refs->names, passing_name(argo, ref));
	vec_push(&refs->list, new);
	map_set(&refs->by_key, key, (void *)(uintptr_t)refs->list.n);
	return new.name;
}

struct argo_path
argo_find(struct argo *argo, size_t group, const struct argo_ref *ref)
{
	struct argo_path path = { .is_file = ref->kind == REF_FILE };
	bool is_output = ref->kind == REF_OUTPUT || ref->kind == REF_FILE;
	size_t home = is_output ? argo->plan->steps[ref->index].group : 0;
	size_t below;

	if (ref->kind == REF_PARAM && !group && !argo->plan->params[ref->index].fallback && argo->target == TARGET_ARGO) {
		/* Argo's lint wants every input of the first template to have a value; a parameter of the workflow need not. */
		path.is_global = true;
		path.name = argo->params[ref->index];
	} else if (is_output && home == group) {
		path.task = argo->steps[ref->index].task;
		path.name = output_name(argo, ref);
	} else if (is_output && argo_group_within(argo, home, group)) {
		below = argo_group_below(argo, group, home);
		path.task = argo->groups[below].task;
		path.name = passed(argo, &argo->groups[below].outputs, ref);
	} else {
		path.name = passed(argo, &argo->groups[group].inputs, ref);
	}
	return path;
}

void
argo_path_tag(struct buf *buf, const struct argo_path *path)
{
	const char *kind = path->is_file ? "artifacts" : "parameters";

	if (path->task)
		buf_printf(buf, "tasks.%s.outputs.%s.%s", path->task, kind, path->name);
	else
		buf_printf(buf, "%s.%s.%s", path->is_global ? "workflow" : "inputs", kind, path->name);
}

/* `.name`, or `['a-name']` where a dot would read it as a subtraction or a number. */
static void
add_member(struct buf *buf, const char *name)
{
	bool plain = !isdigit((unsigned char)*name);

	for (const char *p = name; *p; p++)
		plain = plain && *p != '-';
	buf_printf(buf, plain ? ".%s" : "['%s']", name);
}

void
argo_path_code(struct buf *buf, const struct argo_path *path)
{
	if (path->task) {
		buf_puts(buf, "tasks");
		add_member(buf, path->task);
		buf_puts(buf, ".outputs.parameters");
	} else {
		buf_puts(buf, path->is_global ? "workflow.parameters" : "inputs.parameters");
	}
	add_member(buf, path->name);
}

static void
refs_release(struct argo_refs *refs)
{
	vec_release(&refs->list);
	map_release(&refs->by_key);
	map_release(&refs->names);
}

void
argo_flow_release(struct argo *argo)
{
	for (size_t i = 0; i < argo->plan->n_groups; i++) {
		refs_release(&argo->groups[i].inputs);
		refs_release(&argo->groups[i].outputs);
	}
}
