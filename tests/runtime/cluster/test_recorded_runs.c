#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dsl/scope.h"
#include "runtime/cluster/project.h"
#include "tests/cases.h"
#include "tests/tap.h"

/* Runs of runs/flow.lateen as a cluster told of them (Kubernetes 1.35, Argo 3.7): some of the objects that a watch gave, a line each,
 * without what nobody reads here. A case is named after its pipeline and, behind `-kfp`, what Kubeflow's server had of it. */

static int
no_load(struct resolver *resolver, const char *location, const struct source *from, const char *sha256, struct buf *ret_text,
	char **ret_name, struct error *err)
{
	(void)resolver, (void)from, (void)sha256, (void)ret_text, (void)ret_name;
	return error_set(err, "`%s` is not here", location);
}

struct watched {
	struct workflow_model *model;
	struct project *project;
	struct run *run;
};

static void
watched_init(struct watched *w, struct plan *plan, const struct target_report *report)
{
	w->model = workflow_model_new();
	w->run = run_new(plan, "id", "name");
	w->project = project_new(w->run, report, NULL);
}

static void
watched_release(struct watched *w)
{
	project_free(w->project);
	run_unref(w->run);
	workflow_model_free(w->model);
}

static void
take(struct watched *w, const char *text, size_t len)
{
	const size_t *places;
	size_t n;
	bool head;
	struct error err;

	workflow_model_begin(w->model);
	for (size_t i = 0; i < len; i += 1000)
		workflow_model_feed(w->model, text + i, len - i < 1000 ? len - i : 1000);
	if (workflow_model_end(w->model, &places, &n, &head, &err))
		BUG("%s", err.text);
	project_take(w->project, w->model, places, n);
}

static void
write_steps(struct buf *buf, const struct run *run)
{
	struct arena *arena = arena_new();
	const struct value *steps = value_get(run_to_value(run, arena), "steps");

	for (size_t i = 0; i < steps->list.n; i++) {
		value_write_json(buf, steps->list.items[i]);
		buf_putc(buf, '\n');
	}
	buf_printf(buf, "run %s %s\n", phase_name(run->phase), run->message ? run->message : "");
	arena_free(arena);
}

static void
run_case(struct case_file *file, struct test_case *test, const struct scope *scope)
{
	CLEANUP(freep) char *pipeline = xstrndup(test->name, strcspn(test->name, "-"));
	const struct binding *binding = scope_lookup(scope, pipeline);
	enum target target = strstr(test->name, "-kfp") ? TARGET_KFP : TARGET_ARGO;
	char name[100];
	CLEANUP(freep) char *path = NULL;
	CLEANUP(freep) char *text = NULL;
	struct arena *arena = arena_new();
	struct target_report report;
	struct diags diags;
	struct watched w;
	size_t len;
	CLEANUP(buf_release) struct buf got = { 0 };

	snprintf(name, sizeof name, "tests/runtime/cluster/runs/%s.jsonl", test->name);
	path = test_path(name);
	text = test_read_file(path, &len);
	diags_init(&diags);
	if (!text || !target_compile(arena, binding->plan, target, &diags, &report))
		BUG("%s", path);
	watched_init(&w, binding->plan, &report);
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
		struct watched fresh;
		CLEANUP(buf_release) struct buf want = { 0 };

		watched_init(&fresh, binding->plan, &report);
		take(&w, line, strcspn(line, "\n"));
		take(&fresh, line, strcspn(line, "\n"));
		buf_clear(&got);
		write_steps(&got, w.run);
		write_steps(&want, fresh.run);
		is_str(buf_text(&got), buf_text(&want), "%s: as from this object alone", test->name);
		watched_release(&fresh);
	}
	case_is(file, test, "run", buf_text(&got), got.len);
	watched_release(&w);
	diags_release(&diags);
	arena_free(arena);
}

int
main(void)
{
	CLEANUP(freep) char *path = test_path("tests/runtime/cluster/runs/flow.lateen");
	size_t len;
	CLEANUP(freep) char *text = test_read_file(path, &len);
	struct resolver resolver = { no_load };
	struct scope *scope = scope_new(&resolver);
	struct source *source = source_new("flow.lateen", text, len);
	struct diags diags;
	struct program *program;
	struct case_file file;

	diags_init(&diags);
	program = scope_check(scope, source, &diags);
	if (!program)
		BUG("%s: %s", path, diags.items[0]->message);
	cases_open(&file, "tests/runtime/cluster/recorded_runs.cases");
	for (size_t i = 0; i < file.n_cases; i++)
		run_case(&file, &file.cases[i], scope);
	cases_close(&file);
	program_free(program);
	source_unref(source);
	diags_release(&diags);
	scope_free(scope);
	return done_testing();
}
