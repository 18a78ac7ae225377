/* The workflow model: objects one after the other, whatever they are. A line is an object. What is refused changes nothing; after
 * what is taken the living nodes are those of that object alone. Of the first object with templates a plan is made, and a run of it
 * follows the model. */
#include "config.h"

#include <stdint.h>
#include <string.h>

#include "base/json_tree.h"
#include "runtime/cluster/foreign.h"
#include "runtime/cluster/project.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t
living(const struct workflow_model *model)
{
	size_t n = 0;

	for (size_t i = 0; i < workflow_model_count(model); i++) {
		const struct workflow_node *node = workflow_model_node(model, i);

		if (workflow_model_find(model, node->id) != i)
			BUG("node %s is not found at its place", node->id);
		n += !node->removed;
	}
	return n;
}

struct follower {
	struct arena *arena;
	struct target_report names;
	struct run *run;
	struct project *project;
};

static void
check_run(const struct run *run)
{
	CLEANUP(buf_release) struct buf json = { 0 };

	for (size_t i = 0; i < run->plan->n_steps; i++)
		if (run->steps[i].done > run->steps[i].n_nodes)
			BUG("%zu of %zu instances have ended", run->steps[i].done, run->steps[i].n_nodes);
	run_write_json(run, &json);
}

static void
follow(struct follower *f, const struct workflow_model *model, const char *text, size_t len, const size_t *places, size_t n)
{
	const struct value *object = f->project ? NULL : json_tree_read(f->arena, text, len, NULL);
	struct plan *plan = object ? foreign_plan(object, f->arena, &f->names, NULL) : NULL;

	if (plan) {
		f->run = run_new(plan, "id", "name");
		f->project = project_new(f->run, &f->names, NULL);
		plan_unref(plan);
	}
	if (!f->project)
		return;
	project_take(f->project, model, places, n);
	check_run(f->run);
}

static int
feed(struct workflow_model *model, struct follower *follower, const char *text, size_t len, size_t piece)
{
	const size_t *changed;
	size_t n;
	bool head;
	struct error err = { 0 };

	workflow_model_begin(model);
	for (size_t i = 0; i < len; i += piece)
		workflow_model_feed(model, text + i, len - i < piece ? len - i : piece);
	if (workflow_model_end(model, &changed, &n, &head, &err)) {
		if (!err.text[0])
			BUG("refused without words");
		return -1;
	}
	for (size_t i = 0; i < n; i++)
		if (changed[i] >= workflow_model_count(model))
			BUG("news of a node that is not there");
	if (follower)
		follow(follower, model, text, len, changed, n);
	return 0;
}

static void
check_line(struct workflow_model *model, struct follower *follower, const char *text, size_t len)
{
	struct workflow_model *fresh = workflow_model_new();
	size_t before = living(model);
	int taken = feed(model, follower, text, len, 5);

	if (taken != feed(fresh, NULL, text, len, len + 1))
		BUG("a new model says otherwise");
	if (taken && living(model) != before)
		BUG("what was refused changed something");
	if (!taken && !workflow_model_head(model)->offloaded && living(model) != living(fresh))
		BUG("%zu nodes live, of the object %zu", living(model), living(fresh));
	workflow_model_free(fresh);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct workflow_model *model = workflow_model_new();
	struct follower follower = { .arena = arena_new() };
	const char *p = (const char *)data, *end = p + size;

	while (p < end) {
		const char *line = memchr(p, '\n', (size_t)(end - p));

		if (!line)
			line = end;
		check_line(model, &follower, p, (size_t)(line - p));
		p = line + 1;
	}
	project_free(follower.project);
	run_unref(follower.run);
	arena_free(follower.arena);
	workflow_model_free(model);
	return 0;
}
