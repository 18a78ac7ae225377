#include "config.h"

#include "dsl/lower.h"

#include <stdint.h>
#include <string.h>

/* ---- edges ---- */

void
lower_depend(struct lower *l, size_t group, size_t place, size_t step, struct span span)
{
	size_t to_group = l->steps.items[step].step.group, to = l->steps.items[step].place;
	const struct lower_group *groups = l->groups.items;

	while (group != to_group) {
		bool lift_from = groups[group].depth >= groups[to_group].depth;
		bool lift_to = groups[to_group].depth >= groups[group].depth;

		if (lift_from) {
			place = groups[group].place;
			group = groups[group].group.parent;
		}
		if (lift_to) {
			to = groups[to_group].place;
			to_group = groups[to_group].group.parent;
		}
	}
	vec_push(&l->groups.items[group].children.items[place].edges, ((struct edge){ to, span }));
}

struct dependent {
	struct lower *l;
	size_t group, place;
};

static void
depend_on(const struct expr *e, void *context)
{
	struct dependent *d = context;

	if (e->kind == EXPR_OUTPUT)
		lower_depend(d->l, d->group, d->place, e->index, e->span);
}

void
lower_depend_on_expr(struct lower *l, size_t group, size_t place, const struct expr *expr)
{
	struct dependent d = { l, group, place };

	if (!expr)
		return;
	if (l->nodes <= LOWER_NODES_MAX && l->nodes + expr->nodes > LOWER_NODES_MAX)
		diags_add(l->check->diags, DIAG_L0412, expr->span, "the expressions of this pipeline have more than %d parts together",
			LOWER_NODES_MAX);
	l->nodes += expr->nodes;
	if (l->nodes <= LOWER_NODES_MAX)
		expr_walk(expr, depend_on, &d);
}

/* ---- cycles ---- */

enum colour { WHITE, GREY, BLACK };

/* Where a walk stands: a child, and how many of its edges were looked at. */
struct stop {
	size_t place, edge;
};

struct walk {
	struct lower *l;
	const struct lower_group *group;
	enum colour *colours;
	struct {
		struct stop *items;
		size_t n, cap;
	} stack;
};

static const char *
child_name(struct lower *l, const struct lower_child *child)
{
	const struct lower_group *g;

	if (!child->is_group)
		return l->steps.items[child->index].step.name;
	g = &l->groups.items[child->index];
	return g->group.kind == GROUP_FOR ? "the loop" : g->group.is_else ? "the `else` branch" : "the `if` branch";
}

static void
add_name(struct buf *buf, struct lower *l, const struct lower_child *child)
{
	buf_printf(buf, child->is_group ? "%s" : "`%s`", child_name(l, child));
}

/* The grey part of the stack from `to` on is the cycle; its last stop waits for `to`. */
static void
complain_of_cycle(struct walk *w, size_t to)
{
	const struct lower_child *children = w->group->children.items;
	CLEANUP(buf_release) struct buf text = { .max = 4000 };
	struct diags *diags = w->l->check->diags;
	size_t first = w->stack.n;
	const struct edge *edge;
	struct diag *d;

	while (w->stack.items[first - 1].place != to)
		first--;
	add_name(&text, w->l, &children[w->stack.items[first - 1].place]);
	for (size_t i = first; i < w->stack.n; i++) {
		buf_puts(&text, i == first ? " waits for " : ", which waits for ");
		add_name(&text, w->l, &children[w->stack.items[i].place]);
	}
	buf_puts(&text, first == w->stack.n ? " waits for " : ", which waits for ");
	add_name(&text, w->l, &children[to]);
	edge = &children[w->stack.items[first - 1].place].edges.items[w->stack.items[first - 1].edge - 1];
	d = diags_add(diags, DIAG_L0210, edge->span, "%s", buf_text(&text));
	diag_primary(diags, d, "%s waits here", child_name(w->l, &children[w->stack.items[first - 1].place]));
	for (size_t i = first; i < w->stack.n && i < first + 20; i++) {
		const struct lower_child *c = &children[w->stack.items[i].place];

		diag_label(diags, d, c->edges.items[w->stack.items[i].edge - 1].span, "%s waits here", child_name(w->l, c));
	}
}

/* Returns false when a cycle was found. No recursion: a pipeline may be one chain of all its steps. */
static bool
walk_from(struct walk *w, size_t start)
{
	vec_push(&w->stack, ((struct stop){ start, 0 }));
	w->colours[start] = GREY;
	while (w->stack.n) {
		struct stop *top = &w->stack.items[w->stack.n - 1];
		const struct lower_child *child = &w->group->children.items[top->place];
		size_t to;

		if (top->edge == child->edges.n) {
			w->colours[top->place] = BLACK;
			w->stack.n--;
			continue;
		}
		to = child->edges.items[top->edge++].to;
		if (w->colours[to] == GREY) {
			complain_of_cycle(w, to);
			return false;
		}
		if (w->colours[to] == WHITE) {
			w->colours[to] = GREY;
			vec_push(&w->stack, ((struct stop){ to, 0 }));
		}
	}
	return true;
}

void
lower_check_cycles(struct lower *l)
{
	for (size_t g = 0; g < l->groups.n; g++) {
		struct walk w = { .l = l, .group = &l->groups.items[g] };
		size_t n = w.group->children.n;

		w.colours = xcalloc(n + 1, sizeof(*w.colours));
		for (size_t i = 0; i < n; i++)
			if (w.colours[i] == WHITE && !walk_from(&w, i))
				break;
		vec_release(&w.stack);
		freep(&w.colours);
	}
}

/* ---- the plan's arrays ---- */

static void
finish_child(struct lower *l, const struct lower_child *child, size_t *stamps, size_t stamp, struct plan_child *ret)
{
	size_t *needs = child->edges.n ? arena_alloc(l->arena, child->edges.n * sizeof(*needs)) : NULL, n = 0;

	for (size_t i = 0; i < child->edges.n; i++) {
		size_t to = child->edges.items[i].to;

		if (stamps[to] == stamp)
			continue;
		stamps[to] = stamp;
		needs[n++] = to;
	}
	*ret = (struct plan_child){ .is_group = child->is_group, .index = child->index, .needs = needs, .n_needs = n };
}

static void
finish_group(struct lower *l, struct lower_group *g)
{
	struct plan_child *children = arena_alloc(l->arena, (g->children.n + 1) * sizeof(*children));
	size_t *stamps = xcalloc(g->children.n + 1, sizeof(*stamps));

	for (size_t i = 0; i < g->children.n; i++)
		finish_child(l, &g->children.items[i], stamps, i + 1, &children[i]);
	freep(&stamps);
	g->group.children = children;
	g->group.n_children = g->children.n;
}

void
lower_finish(struct lower *l, struct plan *plan)
{
	struct plan_step *steps = arena_alloc(l->arena, (l->steps.n + 1) * sizeof(*steps));
	struct plan_group *groups = arena_alloc(l->arena, (l->groups.n + 1) * sizeof(*groups));

	for (size_t i = 0; i < l->steps.n; i++)
		steps[i] = l->steps.items[i].step;
	for (size_t i = 0; i < l->groups.n; i++) {
		finish_group(l, &l->groups.items[i]);
		groups[i] = l->groups.items[i].group;
	}
	plan->steps = steps;
	plan->n_steps = l->steps.n;
	plan->groups = groups;
	plan->n_groups = l->groups.n;
}
