#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_tree.h"
#include "base/yaml.h"
#include "runtime/cluster/foreign.h"
#include "runtime/cluster/project.h"
#include "tests/cases.h"
#include "tests/tap.h"

/* A case's parts: `workflow`, an object as YAML, or `file`, the name of one in runs/ (a version a line; the last one's templates
 * count); then `plan`, what is made of it, and `run`, what is shown. */

/* Is the order drawn as an arrow between steps? */
static bool
is_drawn(const struct plan_step *step, size_t before)
{
	for (size_t i = 0; i < step->n_after; i++)
		if (step->after[i] == before)
			return true;
	return false;
}

static void
write_needs(struct buf *buf, const struct plan *plan, const struct target_report *names, const struct plan_group *group,
	    const struct plan_child *child)
{
	for (size_t i = 0; i < child->n_needs; i++) {
		const struct plan_child *need = &group->children[child->needs[i]];

		buf_printf(buf, "%s%s", i ? "," : " after ", need->is_group ? names->groups[need->index].task : plan->steps[need->index].name);
		if (!child->is_group && !need->is_group && !is_drawn(&plan->steps[child->index], need->index))
			buf_puts(buf, "~");
	}
}

static void
write_step(struct buf *buf, const struct plan_step *step, const struct target_step *names)
{
	const struct component *c = step->component;

	buf_printf(buf, "step %s %s %s", step->name, names->task ? names->task : "(the item itself)", c->name);
	for (size_t i = 0; i < c->n_outputs; i++)
		buf_printf(buf, "%s%s%s", i ? " " : " -> ", c->outputs[i].id, c->outputs[i].passing == PASS_FILE ? "@" : "");
	if (step->settings->timeout)
		buf_printf(buf, " timeout %lld", (long long)step->settings->timeout);
	if (step->settings->retry.set)
		buf_printf(buf, " retry %lld", (long long)step->settings->retry.limit);
}

static void
write_group(struct buf *buf, const struct plan *plan, const struct target_report *names, size_t group, size_t indent)
{
	static const char *const kinds[] = { "pipeline", "if", "for", "while", "exit", "nested" };
	const struct plan_group *g = &plan->groups[group];

	for (size_t i = 0; i < g->n_children; i++) {
		const struct plan_child *child = &g->children[i];

		buf_repeat(buf, ' ', indent);
		if (child->is_group)
			buf_printf(buf, "%s %s `%s`", kinds[plan->groups[child->index].kind], names->groups[child->index].task,
				   plan->groups[child->index].label);
		else
			write_step(buf, &plan->steps[child->index], &names->steps[child->index]);
		write_needs(buf, plan, names, g, child);
		buf_putc(buf, '\n');
		if (child->is_group)
			write_group(buf, plan, names, child->index, indent + 2);
	}
}

static void
write_plan(struct buf *buf, const struct plan *plan, const struct target_report *names)
{
	buf_printf(buf, "%s(", plan->name);
	for (size_t i = 0; i < plan->n_params; i++) {
		buf_printf(buf, "%s%s = ", i ? ", " : "", plan->params[i].name);
		if (plan->params[i].fallback)
			value_write_json(buf, plan->params[i].fallback);
	}
	buf_puts(buf, ")\n");
	write_group(buf, plan, names, 0, 2);
}

static void
write_run(struct buf *buf, const struct run *run)
{
	struct arena *arena = arena_new();
	const struct value *steps = value_get(run_to_value(run, arena), "steps");

	for (size_t i = 0; i < steps->list.n; i++) {
		const struct value *s = steps->list.items[i];

		buf_printf(buf, "%s %s ", value_text(value_get(s, "name")), value_text(value_get(s, "phase")));
		value_write_json(buf, value_get(s, "outputs"));
		if (value_text(value_get(s, "message")))
			buf_printf(buf, " (%s)", value_text(value_get(s, "message")));
		buf_putc(buf, '\n');
	}
	for (size_t i = 1; i < run->plan->n_groups; i++)
		buf_printf(buf, "group %zu %s %zu/%zu\n", i, phase_name(run->groups[i].phase), run->groups[i].done, run->groups[i].total);
	buf_printf(buf, "run %s%s%s\n", phase_name(run->phase), run->message ? ": " : "", run->message ? run->message : "");
	arena_free(arena);
}

static void
take(struct workflow_model *model, struct project *project, const char *text, size_t len)
{
	const size_t *places;
	size_t n;
	bool head;
	struct error err;

	workflow_model_begin(model);
	workflow_model_feed(model, text, len);
	if (workflow_model_end(model, &places, &n, &head, &err))
		BUG("%s", err.text);
	project_take(project, model, places, n);
}

/* The versions, a line each, malloc'ed. */
static char *
read_versions(const struct test_case *test, struct arena *arena)
{
	const char *file = case_text(test, "file"), *yaml_text = case_text(test, "workflow");
	struct buf buf = { 0 };
	struct source *source;
	struct yaml yaml;
	struct yaml_problem problem;
	size_t len;

	if (file) {
		CLEANUP(freep) char *name = test_path(arena_printf(arena, "tests/runtime/cluster/runs/%.*s", (int)strcspn(file, "\n"), file));
		char *text = test_read_file(name, &len);

		if (!text)
			BUG("%s", name);
		return text;
	}
	source = source_new("workflow.yaml", yaml_text, strlen(yaml_text));
	if (yaml_read(arena, source, &yaml, &problem))
		BUG("%s: %s", test->name, problem.error.text);
	value_write_json(&buf, yaml.documents[0]->value);
	buf_putc(&buf, '\n');
	source_unref(source);
	return buf_detach(&buf, NULL);
}

static void
show(struct case_file *file, struct test_case *test, struct plan *plan, const struct target_report *names, const char *versions)
{
	struct workflow_model *model = workflow_model_new();
	struct run *run = run_new(plan, "id", "name");
	struct project *project = project_new(run, names, NULL);
	CLEANUP(buf_release) struct buf made = { 0 };
	CLEANUP(buf_release) struct buf shown = { 0 };

	write_plan(&made, plan, names);
	case_is(file, test, "plan", buf_text(&made), made.len);
	for (const char *line = versions; *line; line += strcspn(line, "\n") + 1)
		take(model, project, line, strcspn(line, "\n"));
	write_run(&shown, run);
	case_is(file, test, "run", buf_text(&shown), shown.len);
	project_free(project);
	run_unref(run);
	workflow_model_free(model);
}

static void
run_case(struct case_file *file, struct test_case *test)
{
	struct arena *arena = arena_new();
	CLEANUP(freep) char *versions = read_versions(test, arena);
	const char *last = versions;
	struct target_report names;
	struct error err = { "" };
	const struct value *object;
	struct plan *plan = NULL;

	for (const char *line = versions; *line; line += strcspn(line, "\n") + 1)
		last = line;
	object = json_tree_read(arena, last, strcspn(last, "\n"), &err);
	if (object)
		plan = foreign_plan(object, arena, &names, &err);
	if (plan)
		show(file, test, plan, &names, versions);
	else
		case_is(file, test, "plan", err.text, strlen(err.text));
	plan_unref(plan);
	arena_free(arena);
}

int
main(void)
{
	struct case_file file;

	cases_open(&file, "tests/runtime/cluster/foreign.cases");
	for (size_t i = 0; i < file.n_cases; i++)
		run_case(&file, &file.cases[i]);
	cases_close(&file);
	return done_testing();
}
