#include "config.h"

#include "kernel/live.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <uuid/uuid.h>

#include "dsl/bundle.h"
#include "dsl/svg.h"
#include "kernel/progress.h"

enum { UPDATE_MS = 500 }; /* at most 2 Hz: front ends redraw the whole output each time */

struct live {
	struct output *output;
	struct run *run;
	struct arena *arena; /* of graph and layout */
	struct graph *graph;
	struct layout *layout;
	char display_id[LIVE_ID_SIZE];
	struct run_progress progress;
	int64_t shown_ms, looked_ms;
	bool dirty;
};

_Static_assert((int)PHASE_PENDING == GRAPH_PENDING && (int)PHASE_RUNNING == GRAPH_RUNNING && (int)PHASE_SUCCEEDED == GRAPH_SUCCEEDED &&
		       (int)PHASE_FAILED == GRAPH_FAILED && (int)PHASE_ERROR == GRAPH_ERROR && (int)PHASE_SKIPPED == GRAPH_SKIPPED &&
		       (int)PHASE_OMITTED == GRAPH_OMITTED && (int)PHASE_COUNT == GRAPH_PHASE_MAX,
	       "runs and pictures name the same phases");

static int64_t
clock_ms(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static double
seconds_between(int64_t started_ms, int64_t ended_ms)
{
	if (!started_ms)
		return 0;
	if (!ended_ms)
		ended_ms = clock_ms(CLOCK_REALTIME);
	return (double)(ended_ms - started_ms) / 1000;
}

static struct graph_state
state_of_step(const struct run *run, const struct run_step *step)
{
	struct graph_state state = { .phase = (enum graph_phase)step->phase,
				     .attempts = (unsigned)step->attempts,
				     .seconds = seconds_between(step->started_ms, step->ended_ms) };

	if (step->bad != SIZE_MAX)
		state.message = run->nodes[step->bad]->message;
	else if (step->n_nodes == 1)
		state.message = run->nodes[step->nodes[0]]->message;
	if (step->n_nodes > 1) {
		state.done = step->done;
		state.total = step->n_nodes;
	}
	return state;
}

static struct graph_state
state_of_group(const struct run_group *group)
{
	return (struct graph_state){ .phase = (enum graph_phase)group->phase,
				     .seconds = seconds_between(group->started_ms, group->ended_ms),
				     .message = group->message,
				     .done = group->done,
				     .total = group->total };
}

/* The run as pictures know it; the arrays are the caller's to free. */
static struct graph_run
graph_run_of(const struct run *run, struct graph_state **ret_steps, struct graph_state **ret_groups)
{
	struct graph_state *steps = xcalloc(run->plan->n_steps, sizeof *steps);
	struct graph_state *groups = xcalloc(run->plan->n_groups, sizeof *groups);

	for (size_t i = 0; i < run->plan->n_steps; i++)
		steps[i] = state_of_step(run, &run->steps[i]);
	for (size_t i = 0; i < run->plan->n_groups; i++)
		groups[i] = state_of_group(&run->groups[i]);
	*ret_steps = steps;
	*ret_groups = groups;
	return (struct graph_run){ .id = run->name, .phase = (enum graph_phase)run->phase,
				   .seconds = seconds_between(run->started_ms, run->ended_ms), .message = run->message,
				   .steps = steps, .groups = groups, .params = run->params };
}

static json_t *
json_of_bundle(const struct buf *text)
{
	json_error_t problem;
	json_t *bundle = json_loadb(buf_text(text), text->len, 0, &problem);

	if (!bundle)
		BUG("a bundle of ours is not JSON: %s", problem.text);
	return bundle;
}

void
live_bundle(struct buf *buf, const struct run *run)
{
	CLEANUP(freep) struct graph_state *steps = NULL;
	CLEANUP(freep) struct graph_state *groups = NULL;
	CLEANUP(freep) char *dump = NULL;
	CLEANUP(buf_release) struct buf text = { 0 };
	struct graph_run state = graph_run_of(run, &steps, &groups);
	struct run_progress progress = { 0 };
	json_t *bundle;

	if (!run_progress_look(&progress, run)) {
		bundle_write(buf, run->plan, &state);
	} else {
		bundle_write(&text, run->plan, &state);
		bundle = json_of_bundle(&text);
		run_progress_add_to_bundle(bundle, &progress);
		dump = json_dumps(bundle, JSON_COMPACT);
		buf_puts(buf, dump);
		json_decref(bundle);
	}
	run_progress_release(&progress);
}

static void
build_graph(struct live *live)
{
	CLEANUP(freep) struct graph_state *steps = NULL;
	CLEANUP(freep) struct graph_state *groups = NULL;
	struct graph_run state = graph_run_of(live->run, &steps, &groups);

	live->graph = graph_fold(live->arena, graph_new(live->arena, live->run->plan, &state), SVG_NODES_MAX);
	live->layout = svg_layout(live->arena, live->graph);
}

/* Texts of the state go into an arena of their own, so that a long run does not grow. */
static json_t *
bundle_now(struct live *live)
{
	CLEANUP(freep) struct graph_state *steps = NULL;
	CLEANUP(freep) struct graph_state *groups = NULL;
	struct graph_run state = graph_run_of(live->run, &steps, &groups);
	struct arena *scratch = arena_new();
	struct buf text = { 0 };
	json_t *bundle;

	graph_update(scratch, live->graph, &state);
	bundle_write_graph(&text, live->graph, live->layout);
	bundle = json_of_bundle(&text);
	run_progress_add_to_bundle(bundle, &live->progress);
	buf_release(&text);
	arena_free(scratch);
	return bundle;
}

static void
show(struct live *live, void (*how)(struct output *, json_t *, json_t *, const char *))
{
	json_t *bundle = bundle_now(live);

	how(live->output, bundle, NULL, live->display_id);
	json_decref(bundle);
	live->shown_ms = live->looked_ms = clock_ms(CLOCK_MONOTONIC);
	live->dirty = false;
}

struct live *
live_new(struct output *output, struct run *run)
{
	struct live *live = xcalloc(1, sizeof *live);
	uuid_t id;

	live->output = output;
	live->run = run;
	live->arena = arena_new();
	uuid_generate_random(id);
	uuid_unparse_lower(id, live->display_id);
	build_graph(live);
	show(live, output->ops->display);
	return live;
}

void
live_free(struct live *live)
{
	run_progress_release(&live->progress);
	arena_free(live->arena);
	free(live);
}

const char *
live_display_id(const struct live *live)
{
	return live->display_id;
}

void
live_changed(struct live *live)
{
	live->dirty = true;
}

static bool
something_runs(const struct run *run)
{
	for (size_t i = 0; i < run->n_nodes; i++)
		if (run->nodes[i]->phase == PHASE_RUNNING && run->nodes[i]->folder)
			return true;
	return false;
}

int
live_due(const struct live *live)
{
	int64_t left;

	if (!live->dirty && !something_runs(live->run))
		return -1;
	left = (live->dirty ? live->shown_ms + UPDATE_MS : live->looked_ms + PROGRESS_LOOK_MS) - clock_ms(CLOCK_MONOTONIC);
	return left > 0 ? (int)left : 0;
}

void
live_update(struct live *live)
{
	if (live_due(live) != 0)
		return;
	live->looked_ms = clock_ms(CLOCK_MONOTONIC);
	if (run_progress_look(&live->progress, live->run) || live->dirty)
		show(live, live->output->ops->update);
}

void
live_finish(struct live *live)
{
	run_progress_look(&live->progress, live->run);
	show(live, live->output->ops->update);
}
