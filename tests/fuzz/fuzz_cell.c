/* Cells in one scope, one after the other, with a line `----` between them: whatever they say, checking ends, plans keep the
 * promises of dsl/plan.h, what is compiled compiles or is refused, and completion works at the end of each cell. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dsl/complete.h"
#include "dsl/inspect.h"
#include "dsl/scope.h"
#include "dsl/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- the plan's promises ---- */

static void
check_expr(const struct expr *e, void *context)
{
	const struct plan *plan = context;

	if (!e->type || e->nodes > EXPR_NODES_MAX || e->depth > EXPR_DEPTH_MAX)
		BUG("an expression past its ceilings");
	if (e->kind == EXPR_PARAM && e->index >= plan->n_params)
		BUG("parameter %zu of %zu", e->index, plan->n_params);
	if (e->kind == EXPR_OUTPUT && (e->index >= plan->n_steps || e->output >= plan->steps[e->index].component->n_outputs))
		BUG("output %zu of step %zu", e->output, e->index);
	if (e->kind == EXPR_ITEM && (e->index >= plan->n_groups || plan->groups[e->index].kind != GROUP_FOR))
		BUG("item of group %zu", e->index);
	if (e->kind == EXPR_VARIABLE || (e->kind == EXPR_VALUE && !e->value))
		BUG("kind %d in a plan", (int)e->kind);
}

static void
check_step(const struct plan *plan, const struct plan_step *s)
{
	if (!s->settings || s->group >= plan->n_groups)
		BUG("step `%s` without settings or group", s->name);
	for (size_t i = 0; i < s->component->n_inputs; i++) {
		const struct port *p = &s->component->inputs[i];

		if (s->args[i])
			expr_walk(s->args[i], check_expr, (void *)(uintptr_t)plan);
		else if (!p->optional || p->fallback || p->secret_fallback)
			BUG("`%s` of step `%s` is not given", p->name, s->name);
	}
	for (size_t i = 0; i < s->n_after; i++)
		if (s->after[i] >= plan->n_steps)
			BUG("after %zu", s->after[i]);
}

static void
check_group(const struct plan *plan, size_t index)
{
	const struct plan_group *g = &plan->groups[index];

	if (index && g->parent >= index)
		BUG("group %zu within %zu", index, g->parent);
	if ((g->kind == GROUP_IF && !g->condition) || (g->kind == GROUP_FOR && !g->items))
		BUG("group %zu without its expression", index);
	if (g->condition)
		expr_walk(g->condition, check_expr, (void *)(uintptr_t)plan);
	for (size_t i = 0; i < g->n_children; i++) {
		const struct plan_child *c = &g->children[i];

		if (c->index >= (c->is_group ? plan->n_groups : plan->n_steps))
			BUG("child %zu of group %zu", i, index);
		for (size_t k = 0; k < c->n_needs; k++)
			if (c->needs[k] >= g->n_children || c->needs[k] == i)
				BUG("need %zu of child %zu", c->needs[k], i);
	}
}

static void
check_plan(const struct plan *plan)
{
	for (size_t i = 0; i < plan->n_steps; i++)
		check_step(plan, &plan->steps[i]);
	for (size_t i = 0; i < plan->n_groups; i++)
		check_group(plan, i);
}

static void
compile(const struct plan *plan)
{
	for (int target = TARGET_ARGO; target <= TARGET_KFP; target++) {
		struct arena *arena = arena_new();
		struct target_report report;
		struct diags diags;

		diags_init(&diags);
		if (!target_compile(arena, plan, (enum target)target, &diags, &report) && !diags.n_errors)
			BUG("refused without a word");
		diags_release(&diags);
		arena_free(arena);
	}
}

/* ---- one cell ---- */

static void
check_diags(const struct diags *diags)
{
	for (size_t i = 0; i < diags->n; i++) {
		const struct diag *d = diags->items[i];

		if (!*d->message || (d->span.source && (d->span.start > d->span.end || d->span.end > d->span.source->len)))
			BUG("a problem at %u to %u: `%s`", d->span.start, d->span.end, d->message);
	}
}

static void
offer(struct scope *scope, const char *text, size_t len)
{
	struct completions found;
	struct buf plain = {0}, markdown = {0};

	complete(&found, scope, text, len, len);
	if (found.start > found.end || found.end > len)
		BUG("a completion of %zu to %zu in %zu bytes", found.start, found.end, len);
	completions_release(&found);
	inspect_at(&plain, &markdown, scope, text, len, len / 2, true);
	buf_release(&plain);
	buf_release(&markdown);
}

static void
run_cell(struct scope *scope, const char *text, size_t len)
{
	struct source *source = source_new("In[1]", text, len);
	struct program *program;
	struct diags diags;

	diags_init(&diags);
	program = scope_check(scope, source, &diags);
	if (!program != (diags.n_errors > 0))
		BUG("%zu errors and %s program", diags.n_errors, program ? "a" : "no");
	check_diags(&diags);
	for (size_t i = 0; program && i < program->n_plans; i++) {
		check_plan(program->plans[i]);
		compile(program->plans[i]);
	}
	program_free(program);
	diags_release(&diags);
	source_unref(source);
	offer(scope, text, len);
}

static int
load(struct resolver *resolver, const char *location, const struct source *from, const char *sha256, struct buf *ret_text,
     char **ret_name, struct error *err)
{
	static const char std[] = "component count(d: Dataset, n: Integer = 1) -> (n_out: Integer) { command [\"x\", d, n_out] }\n";
	static const char yaml[] = "name: U\ninputs:\n- {name: s, type: String}\n- {name: t, optional: true}\noutputs:\n"
				   "- {name: o, type: Integer}\nimplementation:\n  container:\n    image: x\n"
				   "    command: [a, {inputValue: s}, {if: {cond: {isPresent: t}, then: [{inputPath: t}]}}, {outputPath: o}]\n";

	(void)resolver;
	(void)from;
	(void)sha256;
	if (!strcmp(location, "none"))
		return error_set(err, "cannot open `none`");
	buf_puts(ret_text, strcmp(location, "std:") ? yaml : std);
	*ret_name = xstrdup(location);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct resolver resolver = { .load = load };
	struct scope *scope = scope_new(&resolver);
	const char *at = (const char *)data, *end = at + size;

	while (at <= end) {
		const char *cut = memmem(at, (size_t)(end - at), "\n----\n", 6);
		const char *stop = cut ? cut : end;

		run_cell(scope, at, (size_t)(stop - at));
		if (!cut)
			break;
		at = cut + 6;
	}
	scope_free(scope);
	return 0;
}
