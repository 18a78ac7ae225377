#include "config.h"

#include "runtime/cluster/foreign.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "runtime/cluster/foreign_private.h"

enum {
	NEEDS_MAX = 64, /* of a list of steps so many of the list before are drawn as what it needs */
	LABEL_MAX = 120, /* bytes */
};

/* ---- templates ---- */

static void
learn_templates(struct foreign *foreign)
{
	const struct value *list = value_get(foreign->spec, "templates");

	for (size_t i = 0; i < value_count(list); i++)
		if (value_text_at(list->list.items[i], "name"))
			map_set(&foreign->templates, value_text_at(list->list.items[i], "name"), (void *)(uintptr_t)list->list.items[i]);
}

/* One that a WorkflowTemplate has; Argo keeps those that were used with the workflow. */
static const struct value *
stored_template(struct foreign *foreign, const struct value *ref, const char **ret_name)
{
	const char *name = value_text_at(ref, "name"), *template = value_text_at(ref, "template");
	const struct value *scoped = value_get(ref, "clusterScope");
	bool cluster = scoped && scoped->kind == VALUE_BOOLEAN && scoped->boolean;

	if (!name || !template)
		return NULL;
	*ret_name = arena_printf(foreign->arena, "%s/%s/%s", cluster ? "cluster" : "namespaced", name, template);
	return value_get(value_get(foreign->status, "storedTemplates"), *ret_name);
}

/* What the task calls; *ret_name is never NULL. */
static const struct value *
template_of(struct foreign *foreign, const struct value *task, const char **ret_name)
{
	const struct value *inline_ = value_get(task, "inline"), *ref = value_get(task, "templateRef");

	*ret_name = value_text_at(task, "template");
	if (*ret_name)
		return map_get(&foreign->templates, *ret_name);
	*ret_name = arena_printf(foreign->arena, "%s (inline)", value_text_at(task, "name") ? value_text_at(task, "name") : "task");
	return inline_ ? inline_ : stored_template(foreign, ref, ret_name);
}

static bool
has_tasks(const struct value *template)
{
	return value_count(value_get(value_get(template, "dag"), "tasks")) || value_count(value_get(template, "steps"));
}

/* Is it read already, further out? */
static bool
is_recursion(const struct foreign *foreign, const struct value *template)
{
	for (size_t i = 0; i < foreign->depth; i++)
		if (foreign->stack[i] == template)
			return true;
	return foreign->depth + 2 >= PLAN_GROUP_DEPTH_MAX;
}

static bool
is_loop(const struct value *task)
{
	return value_get(task, "withItems") || value_get(task, "withParam") || value_get(task, "withSequence");
}

/* ---- steps and groups ---- */

/* The children of one group while they are read. */
struct reading {
	size_t group;
	struct map tasks; /* name to place + 1 */
	VEC(struct plan_child) children;
};

static const char *
unique_name(struct foreign *foreign, const char *task)
{
	const char *name = arena_strdup(foreign->arena, task);

	for (unsigned n = 2; map_has(&foreign->taken, name); n++)
		name = arena_printf(foreign->arena, "%s-%u", task, n);
	map_set(&foreign->taken, name, foreign);
	return name;
}

static size_t
add_step(struct foreign *foreign, size_t group, const char *name, const char *task, const char *template_name, const struct value *template)
{
	const struct foreign_template *made = foreign_template_read(foreign, template_name, template);
	struct plan_step step = { .name = unique_name(foreign, name), .component = made->component, .settings = made->settings, .group = group };
	struct target_step names = { .outputs = made->outputs };

	names.task = task ? arena_strdup(foreign->names_arena, task) : NULL;
	names.template = arena_strdup(foreign->names_arena, template_name);
	vec_push(&foreign->steps, step);
	vec_push(&foreign->step_names, names);
	return foreign->steps.n - 1;
}

static size_t
add_group(struct foreign *foreign, enum group_kind kind, size_t parent, const char *task, const char *label)
{
	struct plan_group group = { .kind = kind, .parent = parent, .label = label };
	struct target_group names = { .task = task ? arena_strdup(foreign->names_arena, task) : NULL };

	if (kind == GROUP_FOR)
		group.variable = arena_strdup(foreign->arena, task);
	group.chain = foreign->groups.n;
	vec_push(&foreign->groups, group);
	vec_push(&foreign->group_names, names);
	return foreign->groups.n - 1;
}

/* What stands over the group: `two for item in ["q","r"]`, `three if {{…}} == x`. */
static const char *
label_of(struct foreign *foreign, const struct value *task, const char *name)
{
	static const char *const loops[] = { "withItems", "withParam", "withSequence" };
	CLEANUP(buf_release) struct buf buf = { 0 };

	buf_puts(&buf, name);
	for (size_t i = 0; i < ARRAY_LEN(loops); i++) {
		const struct value *items = value_get(task, loops[i]);

		if (!items)
			continue;
		buf_puts(&buf, " for item in ");
		value_write_plain(&buf, items);
	}
	if (value_text_at(task, "when"))
		buf_printf(&buf, " if %s", value_text_at(task, "when"));
	if (buf.len <= LABEL_MAX)
		return arena_strdup(foreign->arena, buf_text(&buf));
	return arena_printf(foreign->arena, "%.*s…", (int)(LABEL_MAX - utf8_partial_tail(buf_text(&buf), LABEL_MAX)), buf_text(&buf));
}

static void
add_child(struct foreign *foreign, struct reading *reading, const char *task, bool is_group, size_t index)
{
	struct plan_child child = { .is_group = is_group, .index = index };

	(void)foreign;
	vec_push(&reading->children, child);
	map_set(&reading->tasks, task, (void *)(uintptr_t)reading->children.n);
}

static void read_group(struct foreign *foreign, size_t group, const struct value *template);

/* A group with one step that its items are themselves. */
static void
fill_with_step(struct foreign *foreign, size_t group, const char *name, const char *template_name, const struct value *template)
{
	struct plan_child *child = arena_new_struct(foreign->arena, struct plan_child);

	child->index = add_step(foreign, group, name, NULL, template_name, template);
	foreign->groups.items[group].children = child;
	foreign->groups.items[group].n_children = 1;
}

static void
read_task(struct foreign *foreign, struct reading *reading, const struct value *task)
{
	const char *name = value_text_at(task, "name"), *template_name;
	const struct value *template = template_of(foreign, task, &template_name);
	bool loop = is_loop(task), inner = has_tasks(template) && !is_recursion(foreign, template);
	size_t group;

	if (!name || map_has(&reading->tasks, name) || foreign->steps.n >= FOREIGN_STEPS_MAX)
		return;
	if (!loop && !inner) {
		add_child(foreign, reading, name, false, add_step(foreign, reading->group, name, name, template_name, template));
		return;
	}
	group = add_group(foreign, loop ? GROUP_FOR : value_text_at(task, "when") ? GROUP_IF : GROUP_NESTED, reading->group, name, label_of(foreign, task, name));
	add_child(foreign, reading, name, true, group);
	if (inner)
		read_group(foreign, group, template);
	else
		fill_with_step(foreign, group, name, template_name, template);
}

/* ---- order ---- */

static void
set_needs(struct foreign *foreign, struct plan_child *child, const size_t *needs, size_t n)
{
	child->needs = arena_copy(foreign->arena, needs, n * sizeof(*needs));
	child->n_needs = n;
}

static bool
is_name(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_';
}

/* The tasks that `a.Succeeded && (b || c.Failed)` names. */
static void
read_depends(struct foreign *foreign, struct reading *reading, size_t place, const char *depends)
{
	VEC(size_t) needs = { 0 };

	for (const char *p = depends; *p;) {
		size_t len = 0;
		CLEANUP(freep) char *name = NULL;
		size_t at;

		while (is_name(p[len]))
			len++;
		if (!len) {
			p++;
			continue;
		}
		name = xstrndup(p, len);
		at = (size_t)(uintptr_t)map_get(&reading->tasks, name);
		if (at && at - 1 != place)
			vec_push(&needs, at - 1);
		p += len;
		while (*p == '.' || is_name(*p))
			p++;
	}
	set_needs(foreign, &reading->children.items[place], needs.items, needs.n);
	vec_release(&needs);
}

static void
order_task(struct foreign *foreign, struct reading *reading, const struct value *task)
{
	const struct value *dependencies = value_get(task, "dependencies");
	const char *name = value_text_at(task, "name"), *depends = value_text_at(task, "depends");
	size_t place = name ? (size_t)(uintptr_t)map_get(&reading->tasks, name) : 0;
	CLEANUP(buf_release) struct buf all = { 0 };

	for (size_t i = 0; i < value_count(dependencies); i++)
		if (value_text(dependencies->list.items[i]))
			buf_printf(&all, "%s ", value_text(dependencies->list.items[i]));
	if (place)
		read_depends(foreign, reading, place - 1, depends ? depends : buf_text(&all));
}

/* A circle would be no plan: of what is left over when all that can be put in order is, needs are dropped. */
static void
break_circles(const struct reading *reading)
{
	size_t n = reading->children.n, left = n;
	CLEANUP(freep) bool *done = xcalloc(n + 1, sizeof *done);

	for (size_t before = n + 1; left && left < before;) {
		before = left;
		for (size_t i = 0; i < n; i++) {
			const struct plan_child *child = &reading->children.items[i];
			bool ready = !done[i];

			for (size_t k = 0; ready && k < child->n_needs; k++)
				ready = done[child->needs[k]];
			done[i] |= ready;
			left -= ready;
		}
	}
	for (size_t i = 0; i < n; i++)
		if (!done[i])
			reading->children.items[i].n_needs = 0;
}

static void
read_dag(struct foreign *foreign, struct reading *reading, const struct value *tasks)
{
	for (size_t i = 0; i < value_count(tasks); i++)
		read_task(foreign, reading, tasks->list.items[i]);
	for (size_t i = 0; i < value_count(tasks); i++)
		order_task(foreign, reading, tasks->list.items[i]);
	break_circles(reading);
}

/* Lists of steps, one list after the other. */
static void
read_lists(struct foreign *foreign, struct reading *reading, const struct value *lists)
{
	size_t before = 0, n_before = 0;

	for (size_t i = 0; i < value_count(lists); i++) {
		const struct value *list = lists->list.items[i];
		size_t first = reading->children.n, needs[NEEDS_MAX];

		for (size_t k = 0; k < value_count(list); k++)
			read_task(foreign, reading, list->list.items[k]);
		for (size_t k = 0; k < n_before; k++)
			needs[k] = before + k;
		for (size_t k = first; k < reading->children.n; k++)
			set_needs(foreign, &reading->children.items[k], needs, n_before);
		if (reading->children.n == first)
			continue;
		before = first;
		n_before = reading->children.n - first < NEEDS_MAX ? reading->children.n - first : NEEDS_MAX;
	}
}

/* What is drawn between steps; the data itself that goes there is not looked for. */
static void
draw_needs(struct foreign *foreign, const struct reading *reading)
{
	const struct plan_child *children = reading->children.items;

	for (size_t i = 0; i < reading->children.n; i++) {
		size_t *after, n = 0;

		if (children[i].is_group)
			continue;
		after = arena_alloc(foreign->arena, children[i].n_needs * sizeof *after + 1);
		for (size_t k = 0; k < children[i].n_needs; k++)
			if (!children[children[i].needs[k]].is_group)
				after[n++] = children[children[i].needs[k]].index;
		foreign->steps.items[children[i].index].after = after;
		foreign->steps.items[children[i].index].n_after = n;
	}
}

static void
end_group(struct foreign *foreign, struct reading *reading)
{
	struct plan_group *group = &foreign->groups.items[reading->group];

	group->children = arena_copy(foreign->arena, reading->children.items, reading->children.n * sizeof(*reading->children.items));
	group->n_children = reading->children.n;
	vec_release(&reading->children);
	map_release(&reading->tasks);
}

static void
read_tasks(struct foreign *foreign, struct reading *reading, const struct value *template)
{
	foreign->stack[foreign->depth++] = template;
	read_dag(foreign, reading, value_get(value_get(template, "dag"), "tasks"));
	read_lists(foreign, reading, value_get(template, "steps"));
	draw_needs(foreign, reading);
	foreign->depth--;
}

static void
read_group(struct foreign *foreign, size_t group, const struct value *template)
{
	struct reading reading = { .group = group };

	read_tasks(foreign, &reading, template);
	end_group(foreign, &reading);
}

/* ---- the whole ---- */

/* What runs at the end is a task of the workflow itself. */
static void
read_exit(struct foreign *foreign, struct reading *reading)
{
	const char *name = value_text_at(foreign->spec, "onExit");
	const struct value *template = name ? map_get(&foreign->templates, name) : NULL;
	size_t n = reading->children.n, group;
	CLEANUP(freep) size_t *needs = xcalloc(n + 1, sizeof *needs);

	if (!name)
		return;
	for (size_t i = 0; i < n; i++)
		needs[i] = i;
	if (has_tasks(template)) {
		group = add_group(foreign, GROUP_NESTED, 0, "onExit", "onExit");
		add_child(foreign, reading, "onExit", true, group);
		read_group(foreign, group, template);
	} else {
		add_child(foreign, reading, "onExit", false, add_step(foreign, 0, "onExit", "onExit", name, template));
	}
	set_needs(foreign, &reading->children.items[n], needs, n < NEEDS_MAX ? n : NEEDS_MAX);
}

static void
read_params(struct foreign *foreign, const struct value *workflow)
{
	const struct value *list = value_get(value_get(value_get(workflow, "spec"), "arguments"), "parameters");
	struct plan_param *params = arena_alloc(foreign->arena, value_count(list) * sizeof(*params) + 1);
	CLEANUP(map_release) struct map seen = { 0 };

	foreign->plan->params = params;
	for (size_t i = 0; i < value_count(list); i++) {
		const char *name = value_text_at(list->list.items[i], "name");
		const struct value *value = value_get(list->list.items[i], "value");
		CLEANUP(buf_release) struct buf text = { 0 };

		if (!name || map_has(&seen, name))
			continue;
		map_set(&seen, name, foreign);
		if (value)
			value_write_plain(&text, value);
		params[foreign->plan->n_params++] = (struct plan_param){ .name = arena_strdup(foreign->arena, name), .type = &TYPE_OF_STRING,
			.fallback = value ? value_string(foreign->arena, buf_text(&text)) : NULL };
	}
}

static const char *
name_of(const struct value *workflow)
{
	const struct value *metadata = value_get(workflow, "metadata");
	const char *generated = value_text_at(metadata, "generateName"), *name = value_text_at(metadata, "name");

	return generated ? generated : name ? name : "workflow";
}

static int
read_entry(struct foreign *foreign, struct error *err)
{
	const char *entry = value_text_at(foreign->spec, "entrypoint");
	const struct value *template = entry ? map_get(&foreign->templates, entry) : NULL;
	struct reading reading = { 0 };

	if (!template)
		return error_set(err, "the workflow does not say what its first template `%s` is", entry ? entry : "");
	add_group(foreign, GROUP_ROOT, 0, NULL, NULL);
	if (has_tasks(template))
		read_tasks(foreign, &reading, template);
	else
		add_child(foreign, &reading, "", false, add_step(foreign, 0, entry, NULL, entry, template));
	read_exit(foreign, &reading);
	end_group(foreign, &reading);
	return 0;
}

static void
settle(struct foreign *foreign, const struct value *workflow, struct target_report *ret)
{
	struct plan *plan = foreign->plan;
	const char *name = name_of(workflow);
	size_t len = strlen(name);

	while (len > 1 && name[len - 1] == '-')
		len--;
	plan->name = arena_strndup(plan->arena, name, len);
	plan->settings = arena_new_struct(plan->arena, struct settings);
	read_params(foreign, workflow);
	plan->steps = arena_copy(plan->arena, foreign->steps.items, foreign->steps.n * sizeof(*foreign->steps.items));
	plan->n_steps = foreign->steps.n;
	plan->groups = arena_copy(plan->arena, foreign->groups.items, foreign->groups.n * sizeof(*foreign->groups.items));
	plan->n_groups = foreign->groups.n;
	*ret = (struct target_report){ .templates = foreign->templates.live };
	ret->steps = arena_copy(foreign->names_arena, foreign->step_names.items, foreign->step_names.n * sizeof(*foreign->step_names.items));
	ret->groups = arena_copy(foreign->names_arena, foreign->group_names.items, foreign->group_names.n * sizeof(*foreign->group_names.items));
}

static void
foreign_release(struct foreign *foreign)
{
	map_release(&foreign->templates);
	map_release(&foreign->made);
	map_release(&foreign->taken);
	vec_release(&foreign->steps);
	vec_release(&foreign->step_names);
	vec_release(&foreign->groups);
	vec_release(&foreign->group_names);
}

static struct plan *
new_plan(void)
{
	struct arena *arena = arena_new();
	struct plan *plan = arena_new_struct(arena, struct plan);

	plan->refs = 1;
	plan->arena = arena;
	return plan;
}

struct plan *
foreign_plan(const struct value *workflow, struct arena *arena, struct target_report *ret_names, struct error *err)
{
	CLEANUP(foreign_release) struct foreign foreign = { .plan = new_plan(), .names_arena = arena };
	const struct value *stored;

	foreign.arena = foreign.plan->arena;
	foreign.status = value_get(workflow, "status");
	foreign.spec = value_get(workflow, "spec");
	stored = value_get(foreign.status, "storedWorkflowTemplateSpec");
	if (stored && !value_count(value_get(foreign.spec, "templates")))
		foreign.spec = stored;
	learn_templates(&foreign);
	if (read_entry(&foreign, err)) {
		plan_unref(foreign.plan);
		return NULL;
	}
	settle(&foreign, workflow, ret_names);
	return foreign.plan;
}
