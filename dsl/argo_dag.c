#include "config.h"

#include "dsl/argo.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Items that are written out one by one; longer ranges are a sequence. */
enum { ITEMS_WRITTEN_MAX = 1000 };

/* One group while its tasks are written. */
struct dag {
	struct argo *argo;
	size_t group;
	struct argo_condition *conditions; /* of the children that are `if` groups */
};

static struct argo_site
site_in(struct argo *argo, size_t group, const struct plan_step *step, enum argo_form form, const char *what, struct span span)
{
	return (struct argo_site){ .argo = argo, .group = group, .step = step, .form = form, .what = what, .span = span };
}

/* ---- arguments ---- */

static const struct value *
from_row(struct argo *argo, const char *name, size_t group, const struct argo_ref *ref)
{
	struct object row = { .arena = argo->arena };
	struct argo_path path = argo_find(argo, group, ref);
	CLEANUP(buf_release) struct buf buf = { 0 };

	buf_puts(&buf, "{{");
	argo_path_tag(&buf, &path);
	buf_puts(&buf, "}}");
	object_put_text(&row, "name", name);
	if (path.is_file)
		object_put_text(&row, "from", buf_text(&buf));
	else
		object_put_text(&row, "value", buf_text(&buf));
	return object_take(&row);
}

static const struct value *
arguments(struct arena *arena, struct rows *parameters, struct rows *artifacts)
{
	struct object object = { .arena = arena };

	object_put(&object, "parameters", rows_take(parameters));
	object_put(&object, "artifacts", rows_take(artifacts));
	return object_take(&object);
}

static bool
is_gathered_file(const struct argo_site *site, const struct expr *expr)
{
	if (!argo_is_gathered(site, expr))
		return false;
	argo_refuse(site->argo, site->span, "files of the steps of a loop as one folder", "let the steps of the loop give values, or gather them in a step of the loop");
	return true;
}

/* A file input: the artifact of another step, or the text as a file of its own. */
static const struct value *
file_argument(struct argo *argo, const struct plan_step *step, const struct argo_slot *slot)
{
	const struct expr *arg = step->args[slot->index];
	const char *what = arena_printf(argo->arena, "the file for the input `%s`", step->component->inputs[slot->index].name);
	struct argo_site site = site_in(argo, step->group, step, FORM_PLAIN, what, step->name_span);
	struct argo_ref ref = { .kind = REF_FILE, .index = arg->index, .output = arg->output };
	struct object row = { .arena = argo->arena };

	if (arg->kind == EXPR_OUTPUT && argo->steps[arg->index].usage->as_file[arg->output])
		return is_gathered_file(&site, arg) ? NULL : from_row(argo, slot->name, step->group, &ref);
	if (arg->kind == EXPR_CHOICE && arg->type->kind == TYPE_ARTIFACT) {
		argo_refuse(argo, step->name_span, "a file that comes from one branch or another", "let each branch call the step that takes the file");
		return NULL;
	}
	object_put_text(&row, "name", slot->name);
	object_put(&row, "raw", argo_nest(argo->arena, "data", value_string(argo->arena, argo_text(&site, arg))));
	return object_take(&row);
}

static const struct value *
value_argument(struct argo *argo, const struct plan_step *step, const struct argo_slot *slot)
{
	const struct expr *expr = argo_slot_expr(step, slot);
	enum argo_form form = argo_slot_form(step, slot->kind);
	struct argo_site site = site_in(argo, step->group, step, form, slot->what, step->name_span);

	return argo_pair(argo->arena, slot->name, expr ? argo_text(&site, expr) : step->name);
}

static const struct value *
step_arguments(struct argo *argo, size_t index)
{
	const struct argo_template *pod = argo->steps[index].pod;
	const struct plan_step *step = &argo->plan->steps[index];
	struct rows parameters = { .arena = argo->arena }, artifacts = { .arena = argo->arena };

	for (size_t i = 0; i < pod->n_slots; i++) {
		if (pod->slots[i].kind == SLOT_FILE)
			rows_add(&artifacts, file_argument(argo, step, &pod->slots[i]));
		else
			rows_add(&parameters, value_argument(argo, step, &pod->slots[i]));
	}
	return arguments(argo->arena, &parameters, &artifacts);
}

/* What a group below needs; `outer` is where its task stands. The item is not known there but at the task itself. */
static const struct value *
group_arguments(struct argo *argo, size_t outer, size_t group, bool with_item)
{
	const struct argo_refs *refs = &argo->groups[group].inputs;
	struct rows parameters = { .arena = argo->arena }, artifacts = { .arena = argo->arena };

	for (size_t i = 0; i < refs->list.n; i++) {
		struct argo_ref ref = refs->list.items[i];

		if (ref.kind == REF_ITEM && ref.index == group) {
			if (with_item)
				rows_add(&parameters, argo_pair(argo->arena, ref.name, "{{item}}"));
		} else {
			rows_add(ref.kind == REF_FILE ? &artifacts : &parameters, from_row(argo, ref.name, outer, &ref));
		}
	}
	return arguments(argo->arena, &parameters, &artifacts);
}

/* The same inside a loop's outer template, whose inputs have the names of the inner one's. */
static const struct value *
body_arguments(struct argo *argo, size_t group)
{
	const struct argo_refs *refs = &argo->groups[group].inputs;
	struct arena *arena = argo->arena;
	struct rows parameters = { .arena = arena }, artifacts = { .arena = arena };

	for (size_t i = 0; i < refs->list.n; i++) {
		const struct argo_ref *ref = &refs->list.items[i];
		struct object row = { .arena = arena };

		if (ref->kind == REF_ITEM && ref->index == group) {
			rows_add(&parameters, argo_pair(arena, ref->name, "{{item}}"));
		} else if (ref->kind == REF_FILE) {
			object_put_text(&row, "name", ref->name);
			object_put_text(&row, "from", arena_printf(arena, "{{inputs.artifacts.%s}}", ref->name));
			rows_add(&artifacts, object_take(&row));
		} else {
			rows_add(&parameters, argo_pair(arena, ref->name, arena_printf(arena, "{{inputs.parameters.%s}}", ref->name)));
		}
	}
	return arguments(arena, &parameters, &artifacts);
}

/* ---- loops ---- */

static void
add_item(struct argo *argo, struct rows *rows, const struct value *item, struct span span)
{
	CLEANUP(buf_release) struct buf text = { 0 };

	value_write_plain(&text, item);
	if (strstr(buf_text(&text), "{{") || argo_breaks(buf_text(&text)))
		argo_refuse(argo, span, "an item of a loop that holds `{{` or control characters", "give the steps of the loop an index, and the text in their script");
	rows_add_text(rows, buf_text(&text));
}

static bool
range_bounds(const struct expr *expr, int64_t *first, int64_t *last, int64_t *stride)
{
	int64_t numbers[3] = { 0, 0, 1 };

	for (size_t i = 0; i < expr->n_items; i++) {
		if (expr->items[i]->kind != EXPR_VALUE || expr->items[i]->value->kind != VALUE_INTEGER)
			return false;
		numbers[expr->n_items == 1 ? 1 : i] = expr->items[i]->value->integer;
	}
	*first = numbers[0];
	*last = numbers[1];
	*stride = numbers[2];
	return *stride != 0;
}

/* A range of numbers that are known. */
static void
put_range(struct argo *argo, struct object *task, int64_t first, int64_t last, int64_t stride, struct span span)
{
	struct object sequence = { .arena = argo->arena };
	struct rows rows = { .arena = argo->arena };
	size_t n = 0;

	for (int64_t i = first; (stride > 0 ? i < last : i > last) && n <= ITEMS_WRITTEN_MAX; n++) {
		rows_add_text(&rows, arena_printf(argo->arena, "%lld", (long long)i));
		if (__builtin_add_overflow(i, stride, &i))
			break;
	}
	if (n <= ITEMS_WRITTEN_MAX) {
		if (n)
			object_put(task, "withItems", rows_take(&rows));
		else
			object_put_text(task, "withParam", "[]");
		return;
	}
	rows_take(&rows);
	if (stride != 1) {
		argo_refuse(argo, span, "a `range` of more than 1000 numbers with a stride", "count by one, and multiply in the step");
		return;
	}
	object_put_text(&sequence, "start", arena_printf(argo->arena, "%lld", (long long)first));
	object_put_text(&sequence, "end", arena_printf(argo->arena, "%lld", (long long)last - 1));
	object_put(task, "withSequence", object_take(&sequence));
}

/* What the loop goes over, if that is known now. */
static bool
put_known_items(struct argo *argo, struct object *task, const struct plan_group *group)
{
	const struct expr *items = group->items;
	struct rows rows = { .arena = argo->arena };
	int64_t first, last, stride;

	if (items->kind == EXPR_RANGE && range_bounds(items, &first, &last, &stride)) {
		put_range(argo, task, first, last, stride, group->span);
		return true;
	}
	if (items->kind != EXPR_VALUE || items->value->kind != VALUE_LIST)
		return false;
	for (size_t i = 0; i < items->value->list.n; i++)
		add_item(argo, &rows, items->value->list.items[i], group->span);
	/* Argo takes an empty withItems for none. */
	if (items->value->list.n)
		object_put(task, "withItems", rows_take(&rows));
	else
		object_put_text(task, "withParam", "[]");
	return true;
}

static const char *
items_text(struct argo *argo, size_t outer, const struct plan_group *group)
{
	struct argo_site site = site_in(argo, outer, NULL, FORM_PLAIN, "the items of a loop", group->span);

	return argo_text(&site, group->items);
}

/* A task with a loop: its items and arguments. */
static void
put_loop(struct argo *argo, struct object *task, size_t outer, size_t index)
{
	const struct plan_group *group = &argo->plan->groups[index];
	struct argo_group *own = &argo->groups[index];
	struct object holder = { .arena = argo->arena };

	if (!group->parallel) {
		if (!put_known_items(argo, task, group))
			object_put_text(task, "withParam", items_text(argo, outer, group));
		object_put(task, "arguments", group_arguments(argo, outer, index, true));
		return;
	}
	/* The limit is of the tasks of a template, so the loop gets one of its own, which is given the items. */
	if (put_known_items(argo, &holder, group)) {
		object_put(task, "arguments", group_arguments(argo, outer, index, false));
	} else {
		const struct value *passed = group_arguments(argo, outer, index, false);
		const struct value *old = value_get(passed, "parameters");
		struct rows rows = { .arena = argo->arena };
		struct object arguments_ = { .arena = argo->arena };

		own->items_name = argo_unique(argo->arena, &own->inputs.names, "items");
		rows_add(&rows, argo_pair(argo->arena, own->items_name, items_text(argo, outer, group)));
		for (size_t i = 0; old && i < old->list.n; i++)
			rows_add(&rows, old->list.items[i]);
		object_put(&arguments_, "parameters", rows_take(&rows));
		object_put(&arguments_, "artifacts", value_get(passed, "artifacts"));
		object_put(task, "arguments", object_take(&arguments_));
	}
	object_take(&holder);
}

/* ---- order ---- */

static const char *
child_task(const struct argo *argo, const struct plan_child *child)
{
	return child->is_group ? argo->groups[child->index].task : argo->steps[child->index].task;
}

static bool
is_tested(const struct argo_condition *condition, const struct plan_child *child)
{
	for (size_t i = 0; i < condition->steps.n; i++)
		if (!child->is_group && condition->steps.items[i] == child->index)
			return true;
	return false;
}

/* `depends` for a DAG in which some task looks at how another ended. */
static const char *
depends_text(const struct dag *dag, const struct plan_group *group, size_t place)
{
	const struct plan_child *child = &group->children[place];
	const struct argo_condition *own = &dag->conditions[place];
	CLEANUP(buf_release) struct buf buf = { 0 };

	buf_puts(&buf, own->states ? own->states : "");
	for (size_t i = 0; i < child->n_needs; i++) {
		const struct plan_child *need = &group->children[child->needs[i]];
		const char *task = child_task(dag->argo, need);

		if (!task || is_tested(own, need))
			continue;
		buf_puts(&buf, buf.len ? " && " : "");
		/* A branch whose `depends` does not hold is Omitted, and those after it go on as after a Skipped one. */
		if (dag->conditions[child->needs[i]].states)
			buf_printf(&buf, "(%s.Succeeded || %s.Skipped || %s.Omitted)", task, task, task);
		else
			buf_puts(&buf, task);
	}
	return buf.len ? arena_strndup(dag->argo->arena, buf_text(&buf), buf.len) : NULL;
}

static void
put_order(const struct dag *dag, struct object *task, const struct plan_group *group, size_t place)
{
	const struct plan_child *child = &group->children[place];
	struct rows names = { .arena = dag->argo->arena };

	if (dag->argo->groups[dag->group].uses_depends) {
		object_put_text(task, "depends", depends_text(dag, group, place));
		return;
	}
	for (size_t i = 0; i < child->n_needs; i++) {
		const char *name = child_task(dag->argo, &group->children[child->needs[i]]);

		if (name)
			rows_add_text(&names, name);
	}
	object_put(task, "dependencies", rows_take(&names));
}

/* ---- tasks ---- */

static void
add_task(struct dag *dag, const struct plan_group *group, size_t place)
{
	struct argo *argo = dag->argo;
	const struct plan_child *child = &group->children[place];
	struct object task = { .arena = argo->arena };

	if (!child_task(argo, child) || (!child->is_group && !argo->steps[child->index].pod))
		return;
	object_put_text(&task, "name", child_task(argo, child));
	object_put_text(&task, "template", child->is_group ? argo->groups[child->index].template : argo->steps[child->index].pod->name);
	object_put_text(&task, "when", dag->conditions[place].when);
	put_order(dag, &task, group, place);
	if (!child->is_group)
		object_put(&task, "arguments", step_arguments(argo, child->index));
	else if (argo->plan->groups[child->index].kind == GROUP_FOR)
		put_loop(argo, &task, dag->group, child->index);
	else
		object_put(&task, "arguments", group_arguments(argo, dag->group, child->index, false));
	rows_add(&argo->groups[dag->group].tasks, object_take(&task));
}

static void
find_conditions(struct dag *dag, const struct plan_group *group)
{
	struct argo *argo = dag->argo;

	for (size_t i = 0; i < group->n_children; i++) {
		const struct plan_group *below = &argo->plan->groups[group->children[i].index];
		struct argo_site site;

		if (!group->children[i].is_group || below->kind != GROUP_IF)
			continue;
		site = site_in(argo, dag->group, NULL, FORM_PLAIN, "a condition", below->span);
		argo_condition(&site, below->condition, &dag->conditions[i]);
		if (dag->conditions[i].states)
			argo->groups[dag->group].uses_depends = true;
	}
}

static void
write_group(struct argo *argo, size_t index)
{
	const struct plan_group *group = &argo->plan->groups[index];
	struct dag dag = { .argo = argo, .group = index };

	dag.conditions = xcalloc(group->n_children + 1, sizeof *dag.conditions);
	argo->groups[index].tasks.arena = argo->arena;
	find_conditions(&dag, group);
	for (size_t i = 0; i < group->n_children; i++)
		add_task(&dag, group, i);
	for (size_t i = 0; i < group->n_children; i++)
		vec_release(&dag.conditions[i].steps);
	free(dag.conditions);
}

/* ---- templates ---- */

static const struct value *
group_inputs(struct argo *argo, size_t index, bool outer)
{
	const struct argo_group *group = &argo->groups[index];
	struct rows parameters = { .arena = argo->arena }, artifacts = { .arena = argo->arena };

	if (outer && group->items_name)
		rows_add(&parameters, argo_nest(argo->arena, "name", value_string(argo->arena, group->items_name)));
	for (size_t i = 0; i < group->inputs.list.n; i++) {
		const struct argo_ref *ref = &group->inputs.list.items[i];

		if (!(outer && ref->kind == REF_ITEM && ref->index == index))
			rows_add(ref->kind == REF_FILE ? &artifacts : &parameters,
				 argo_nest(argo->arena, "name", value_string(argo->arena, ref->name)));
	}
	return arguments(argo->arena, &parameters, &artifacts);
}

static void
add_output(struct argo *argo, const char *name, const struct argo_path *path, struct rows *parameters, struct rows *artifacts)
{
	struct object row = { .arena = argo->arena };
	CLEANUP(buf_release) struct buf tag = { 0 };

	buf_puts(&tag, "{{");
	argo_path_tag(&tag, path);
	buf_puts(&tag, "}}");
	object_put_text(&row, "name", name);
	if (path->is_file)
		object_put_text(&row, "from", buf_text(&tag));
	else
		object_put(&row, "valueFrom", argo_nest(argo->arena, "parameter", value_string(argo->arena, buf_text(&tag))));
	rows_add(path->is_file ? artifacts : parameters, object_take(&row));
}

/* What the group hands to those outside. */
static const struct value *
group_outputs(struct argo *argo, size_t index, const char *inner_task)
{
	struct rows parameters = { .arena = argo->arena }, artifacts = { .arena = argo->arena };

	for (size_t i = 0; i < argo->groups[index].outputs.list.n; i++) {
		const struct argo_ref ref = argo->groups[index].outputs.list.items[i];
		struct argo_path path = { .task = inner_task, .name = ref.name, .is_file = ref.kind == REF_FILE };

		if (!inner_task)
			path = argo_find(argo, index, &ref);
		add_output(argo, ref.name, &path, &parameters, &artifacts);
	}
	return arguments(argo->arena, &parameters, &artifacts);
}

static void
add_plan_output(struct argo *argo, const struct plan_output *output, struct rows *parameters, struct rows *artifacts)
{
	struct argo_site site = site_in(argo, 0, NULL, FORM_PLAIN, "an output of the pipeline", output->span);
	const struct expr *value = output->value;
	const char *name = argo_port_name(argo->arena, output->name);
	struct argo_ref ref = { .kind = REF_OUTPUT, .index = value->index, .output = value->output };
	struct object row = { .arena = argo->arena };
	CLEANUP(buf_release) struct buf code = { 0 };
	struct argo_path path;

	if (value->kind == EXPR_OUTPUT && !argo_is_gathered(&site, value)) {
		if (argo->plan->steps[value->index].component->outputs[value->output].passing == PASS_FILE)
			ref.kind = REF_FILE;
		path = argo_find(argo, 0, &ref);
		add_output(argo, name, &path, parameters, artifacts);
		return;
	}
	argo_code_text(&site, &code, value);
	object_put_text(&row, "name", name);
	object_put(&row, "valueFrom", argo_nest(argo->arena, "expression", value_string(argo->arena, buf_text(&code))));
	rows_add(parameters, object_take(&row));
}

static const struct value *
root_outputs(struct argo *argo)
{
	struct rows parameters = { .arena = argo->arena }, artifacts = { .arena = argo->arena };

	for (size_t i = 0; i < argo->plan->n_outputs; i++)
		add_plan_output(argo, &argo->plan->outputs[i], &parameters, &artifacts);
	return arguments(argo->arena, &parameters, &artifacts);
}

static void
add_template(struct argo *argo, struct rows *ret, const char *name, const struct value *inputs, const struct value *outputs,
	     int64_t parallelism, const struct value *tasks)
{
	struct object template = { .arena = argo->arena };

	object_put_text(&template, "name", name);
	object_put(&template, "inputs", inputs);
	object_put(&template, "outputs", outputs);
	if (parallelism)
		object_put_integer(&template, "parallelism", parallelism);
	object_put(&template, "dag", argo_nest(argo->arena, "tasks", tasks));
	rows_add(ret, object_take(&template));
}

/* The template around a loop that limits how many items run at once. */
static void
add_limiter(struct argo *argo, struct rows *ret, size_t index)
{
	const struct plan_group *plan_group = &argo->plan->groups[index];
	struct argo_group *group = &argo->groups[index];
	struct object task = { .arena = argo->arena };
	struct rows tasks = { .arena = argo->arena };

	object_put_text(&task, "name", "item");
	object_put_text(&task, "template", group->body_template);
	if (group->items_name)
		object_put_text(&task, "withParam", arena_printf(argo->arena, "{{inputs.parameters.%s}}", group->items_name));
	else
		put_known_items(argo, &task, plan_group);
	object_put(&task, "arguments", body_arguments(argo, index));
	rows_add(&tasks, object_take(&task));
	add_template(argo, ret, group->template, group_inputs(argo, index, true), group_outputs(argo, index, "item"),
		     plan_group->parallel, rows_take(&tasks));
}

void
argo_dags(struct argo *argo, struct rows *ret)
{
	for (size_t i = argo->plan->n_groups; i-- > 0;)
		if (i == 0 || argo->groups[i].task)
			write_group(argo, i);
	/* Outputs from the outside in: what an outer group hands on, an inner one must give. */
	for (size_t i = 0; i < argo->plan->n_groups; i++) {
		struct argo_group *group = &argo->groups[i];

		if (i && !group->task)
			continue;
		if (group->body_template)
			add_limiter(argo, ret, i);
		add_template(argo, ret, group->body_template ? group->body_template : group->template, group_inputs(argo, i, false),
			     i ? group_outputs(argo, i, NULL) : root_outputs(argo), 0, rows_take(&group->tasks));
	}
}
