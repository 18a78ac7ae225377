#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "dsl/eval.h"
#include "runtime/cluster/project_private.h"
#include "runtime/cluster/why.h"

/* The engine's words. */
static const char did_not_run[] = "what it depends on did not succeed";
static const char stopped[] = "stopped";

/* ---- phases ---- */

/* When the run is over, what had not ended never will. */
static enum phase
settled(const struct project *project, enum phase phase, bool begun)
{
	if (!project->ended || phase_ended(phase))
		return phase;
	return begun ? PHASE_FAILED : PHASE_OMITTED;
}

enum phase
project_group_phase(const struct project *project, size_t id)
{
	const struct inst *inst = &project->insts.items[id];
	const struct workflow_node *node = project_node(project, inst->place);

	if (!node && inst->loose != PHASE_PENDING)
		return settled(project, inst->loose, true);
	if (!node)
		return project->frames.items[inst->frame].cover;
	return settled(project, node->phase, true);
}

enum phase
project_frame_phase(const struct project *project, size_t id)
{
	const struct frame *frame = &project->frames.items[id];
	const struct workflow_node *node = project_node(project, frame->place);

	/* Behind the first node's end what runs at the end may still come. */
	if (frame->inst == NOWHERE)
		return project->ended ? PHASE_OMITTED : PHASE_RUNNING;
	return node ? settled(project, node->phase, true) : project_group_phase(project, frame->inst);
}

static enum phase
phase_of_counts(const size_t counts[PHASE_COUNT], size_t ended)
{
	static const enum phase order[] = { PHASE_ERROR, PHASE_FAILED, PHASE_SUCCEEDED, PHASE_OMITTED, PHASE_SKIPPED };

	if (counts[PHASE_RUNNING] || (counts[PHASE_PENDING] && ended))
		return PHASE_RUNNING;
	for (size_t i = 0; !counts[PHASE_PENDING] && i < ARRAY_LEN(order); i++)
		if (counts[order[i]])
			return order[i];
	return PHASE_PENDING;
}

enum phase
project_loose_phase(const struct project *project, size_t id)
{
	const struct inst *inst = &project->insts.items[id];
	size_t counts[PHASE_COUNT] = { 0 }, ended = 0;

	if (inst->place != NOWHERE || project->plan->groups[inst->index].kind != GROUP_FOR)
		return PHASE_PENDING;
	for (size_t i = 0; i < inst->frames.n; i++) {
		const struct workflow_node *node = project_node(project, project->frames.items[inst->frames.items[i]].place);

		if (!node)
			continue;
		counts[node->phase]++;
		ended += phase_ended(node->phase);
	}
	return phase_of_counts(counts, ended);
}

/* ---- attempts ---- */

static const struct workflow_node *
child_of(const struct project *project, const struct workflow_node *node, size_t i)
{
	return project_node(project, workflow_model_find(project->model, node->children[i]));
}

static long
number_of(const struct workflow_node *node)
{
	const char *paren = strrchr(node->name, '(');

	return paren ? strtol(paren + 1, NULL, 10) : -1;
}

const struct workflow_node *
project_last(const struct project *project, size_t inst, int *ret_attempts)
{
	const struct workflow_node *node = project_node(project, project->insts.items[inst].place), *last = NULL;

	*ret_attempts = 0;
	if (!node)
		return NULL;
	if (node->type != WORKFLOW_RETRY) {
		*ret_attempts = !node->hit && node->type != WORKFLOW_SKIPPED && (node->phase == PHASE_RUNNING || phase_ran(node->phase));
		return node;
	}
	for (size_t i = 0; i < node->n_children; i++) {
		const struct workflow_node *child = child_of(project, node, i);

		if (!child || child->hooked)
			continue;
		*ret_attempts += child->phase == PHASE_RUNNING || phase_ran(child->phase);
		if (!last || number_of(child) > number_of(last))
			last = child;
	}
	return last;
}

/* Between two attempts a step is Pending. */
static enum phase
step_phase(const struct workflow_node *node, const struct workflow_node *last)
{
	if (node->type != WORKFLOW_RETRY || phase_ended(node->phase))
		return node->phase;
	if (!last || phase_bad(last->phase))
		return PHASE_PENDING;
	return phase_ended(last->phase) ? PHASE_RUNNING : last->phase;
}

/* ---- outputs ---- */

static const struct workflow_port *
port_called(const struct workflow_node *node, const char *name)
{
	for (size_t i = 0; i < node->n_outputs; i++)
		if (node->outputs[i].text && strcmp(node->outputs[i].name, name) == 0)
			return &node->outputs[i];
	return NULL;
}

static int
read_output(const struct project *project, const struct inst *inst, const struct workflow_node *node, size_t i, struct arena *arena,
	    struct engine_output *ret, struct error *err)
{
	const struct port *port = &project->plan->steps[inst->index].component->outputs[i];
	const struct type *type = type_is_file(port->type) || port->passing == PASS_FILE ? &TYPE_OF_STRING : port->type;
	const struct workflow_port *given = port_called(node, project_output_name(project, inst->index, i));

	*ret = (struct engine_output){ .path = inst->files ? inst->files[i] : NULL };
	if (!given)
		return 0;
	ret->value = eval_parse(arena, given->text, strlen(given->text), type, err);
	return ret->value ? 0 : error_prefix(err, "output `%s`", port->name);
}

/* Of a Retry node Argo copies them from the attempt; which of both has them differs by version. */
static const struct engine_output *
read_outputs(const struct project *project, const struct inst *inst, const struct workflow_node *node, struct arena *arena,
	     struct error *err)
{
	size_t n = project->plan->steps[inst->index].component->n_outputs;
	struct engine_output *outputs = arena_alloc(arena, n * sizeof *outputs + 1);
	struct error one;

	for (size_t i = 0; i < n; i++)
		if (read_output(project, inst, node, i, arena, &outputs[i], &one) && !err->text[0])
			*err = one;
	return n ? outputs : NULL;
}

static bool
same_value(const struct value *a, const struct value *b)
{
	return a == b || (a && b && a->kind == b->kind && value_equal(a, b));
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool
same_outputs(const struct engine_output *a, const struct engine_output *b, size_t n)
{
	if (!a || !b)
		return a == b;
	for (size_t i = 0; i < n; i++)
		if (!same_value(a[i].value, b[i].value) || !same_text(a[i].path, b[i].path))
			return false;
	return true;
}

/* ---- words ---- */

static struct why
words(const struct project *project, const struct inst *inst, const struct workflow_node *node, bool pending, struct arena *arena)
{
	struct why_facts facts = { .step = &project->plan->steps[inst->index], .message = node->message, .waits = node->waits };

	return pending ? why_pending(&facts, arena) : why_failed(&facts, arena);
}

static const char *
plain_words(const struct project *project, const struct workflow_node *node, const struct workflow_node *own, enum phase phase)
{
	const struct workflow *head = workflow_model_head(project->model);

	switch (phase) {
	case PHASE_FAILED:
	case PHASE_ERROR:
		return head->deleted ? "the workflow was deleted" : stopped;
	case PHASE_SUCCEEDED:
		return node->hit || own->hit ? "nothing was run: its outputs were kept from an earlier run" : NULL;
	case PHASE_OMITTED:
		return phase_ended(node->phase) ? did_not_run : head->shutdown ? stopped : NULL;
	case PHASE_RUNNING:
		return node->type == WORKFLOW_SUSPEND ? "waits until somebody resumes it" : NULL;
	default:
		return NULL;
	}
}

static struct why
why_of(const struct project *project, const struct inst *inst, const struct workflow_node *node, const struct workflow_node *last,
       enum phase phase, struct arena *arena)
{
	const struct workflow_node *own = last && (phase_bad(last->phase) || !phase_bad(node->phase)) ? last : node;

	if ((phase == PHASE_PENDING || phase_bad(phase)) && phase_bad(own->phase))
		return words(project, inst, own, false, arena);
	if (phase == PHASE_PENDING)
		return inst->reason ? (struct why){ .what = inst->reason } : words(project, inst, own, true, arena);
	return (struct why){ .what = plain_words(project, node, own, phase) };
}

/* ---- steps ---- */

/* The node that opens the frame, or stands for its loop. */
static const struct workflow_node *
frame_node(const struct project *project, size_t id)
{
	const struct frame *frame = &project->frames.items[id];
	const struct workflow_node *node = project_node(project, frame->place);

	return node || frame->inst == NOWHERE ? node : project_node(project, project->insts.items[frame->inst].place);
}

/* The run's end; of one whose workflow was deleted the last that was seen of it. */
static int64_t
run_ended_ms(const struct project *project)
{
	int64_t ended = workflow_model_head(project->model)->ended_ms;

	return ended ? ended : project->latest_ms;
}

static int64_t
cover_ended_ms(const struct project *project, size_t id)
{
	for (;;) {
		const struct workflow_node *node = frame_node(project, id);
		size_t inst = project->frames.items[id].inst;

		if (node && node->ended_ms)
			return node->ended_ms;
		if (inst == NOWHERE)
			return run_ended_ms(project);
		id = project->insts.items[inst].frame;
	}
}

static void
state_without_node(const struct project *project, const struct inst *inst, struct run_node *state)
{
	enum phase phase = settled(project, project->frames.items[inst->frame].cover, false);

	const struct workflow_node *around = frame_node(project, inst->frame);

	state->phase = phase;
	state->ended_ms = phase_ended(phase) ? cover_ended_ms(project, inst->frame) : 0;
	if (phase == PHASE_OMITTED && project->ended && workflow_model_head(project->model)->shutdown &&
	    (!around || around->phase != PHASE_OMITTED))
		state->message = stopped;
}

static void
state_of_node(const struct project *project, size_t id, struct arena *arena, struct run_node *state)
{
	const struct inst *inst = &project->insts.items[id];
	const struct workflow_node *node = project_node(project, inst->place), *last = project_last(project, id, &state->attempts);
	struct error err = { "" };
	struct why why;

	state->phase = settled(project, step_phase(node, last), state->attempts > 0);
	state->started_ms = state->attempts || node->hit ? node->started_ms : 0;
	state->ended_ms = !phase_ended(state->phase) ? 0 : node->ended_ms ? node->ended_ms : run_ended_ms(project);
	state->exit_code = last && state->phase != PHASE_ERROR ? last->exit_code : -1;
	why = why_of(project, inst, node, last, state->phase, arena);
	state->message = why.what;
	state->help = why.help;
	if (state->phase != PHASE_SUCCEEDED)
		return;
	state->outputs = read_outputs(project, inst, last && last->n_outputs ? last : node, arena, &err);
	if (err.text[0])
		state->message = arena_strdup(arena, err.text);
}

static bool
same_state(const struct run_node *a, const struct run_node *b)
{
	return a->phase == b->phase && a->attempts == b->attempts && a->started_ms == b->started_ms && a->ended_ms == b->ended_ms &&
	       a->exit_code == b->exit_code && same_text(a->message, b->message) && same_text(a->help, b->help) &&
	       a->outputs == b->outputs;
}

static bool
is_trouble(const char *message)
{
	return message && strcmp(message, "the container is being made") != 0 && strcmp(message, "the pod is getting ready") != 0;
}

/* When the time of a pod that cannot begin is over, the cluster forgets why it could not. */
static void
keep_trouble(struct inst *inst, struct run_node *state, struct arena *arena)
{
	if (state->phase == PHASE_PENDING || state->phase == PHASE_RUNNING) {
		free(inst->waited);
		inst->waited = state->phase == PHASE_PENDING && !state->attempts && is_trouble(state->message) ? xstrdup(state->message) : NULL;
	} else if (phase_bad(state->phase) && inst->waited && state->message && strncmp(state->message, "timed out", 9) == 0) {
		state->message = arena_printf(arena, "%s, without having begun: %s", state->message, inst->waited);
		state->help = NULL;
	}
}

void
project_show_step(struct project *project, size_t id)
{
	struct inst *inst = &project->insts.items[id];
	const struct run_node *old = project->run->nodes[inst->run_node];
	struct run_node state = {
		.step = old->step, .key = old->key, .exit_code = -1, .tail = old->tail, .folder = old->folder,
	};
	struct arena *arena = arena_new();

	if (project_node(project, inst->place))
		state_of_node(project, id, arena, &state);
	else
		state_without_node(project, inst, &state);
	keep_trouble(inst, &state, arena);
	if (same_outputs(state.outputs, old->outputs, project->plan->steps[inst->index].component->n_outputs))
		state.outputs = old->outputs;
	if (phase_ended(old->phase) && (!phase_ended(state.phase) || state.phase != old->phase))
		project->stale[inst->index] = true;
	if (!same_state(&state, old))
		run_set_node(project->run, inst->run_node, &state);
	arena_free(arena);
}

/* ---- groups ---- */

static void
add_items(const struct project *project, const struct inst *inst, struct run_group *state)
{
	state->total += inst->frames.n;
	for (size_t i = 0; i < inst->frames.n; i++)
		state->done += phase_ended(project_frame_phase(project, inst->frames.items[i]));
}

/* A loop over nothing, or one that did not begin, leaves steps without an instance. */
static void
show_empty(struct project *project, size_t group, enum phase phase)
{
	const struct plan_group *g = &project->plan->groups[group];

	for (size_t i = 0; i < g->n_children; i++) {
		if (g->children[i].is_group)
			show_empty(project, g->children[i].index, phase);
		else
			run_set_step(project->run, g->children[i].index, phase);
	}
}

/* All instances of it together. */
void
project_show_group(struct project *project, size_t group)
{
	const struct project_group *own = &project->groups[group];
	struct run_group state = { 0 };
	size_t counts[PHASE_COUNT] = { 0 }, ended = 0;

	for (size_t i = 0; i < own->insts.n; i++) {
		const struct inst *inst = &project->insts.items[own->insts.items[i]];
		const struct workflow_node *node = project_node(project, inst->place);
		enum phase phase = project_group_phase(project, own->insts.items[i]);

		counts[phase]++;
		ended += phase_ended(phase);
		if (project->plan->groups[group].kind == GROUP_FOR)
			add_items(project, inst, &state);
		if (node && phase_ran(phase) + (phase == PHASE_RUNNING) && (!state.started_ms || node->started_ms < state.started_ms))
			state.started_ms = node->started_ms;
		if (node && node->ended_ms > state.ended_ms)
			state.ended_ms = node->ended_ms;
	}
	state.phase = phase_of_counts(counts, ended);
	if (!phase_ended(state.phase))
		state.ended_ms = 0;
	run_set_group(project->run, group, &state);
	if (project->plan->groups[group].kind == GROUP_FOR)
		show_empty(project, group, phase_ended(state.phase) ? state.phase : PHASE_PENDING);
}

/* ---- the run ---- */

/* The step that went wrong first. */
static const char *
first_bad(const struct project *project, struct arena *arena)
{
	const struct run *run = project->run;
	const struct run_node *first = NULL;

	for (size_t i = 0; i < run->n_nodes; i++) {
		const struct run_node *node = run->nodes[i];

		if (!phase_bad(node->phase) || !node->message)
			continue;
		if (!first || node->ended_ms < first->ended_ms ||
		    (node->ended_ms == first->ended_ms && (node->step < first->step || (node->step == first->step && strcmp(node->key, first->key) < 0))))
			first = node;
	}
	return first ? arena_printf(arena, "the step `%s%s` did not succeed: %s", project->plan->steps[first->step].name, first->key,
				    first->message) : NULL;
}

static const char *
run_message(const struct project *project, enum phase phase, struct arena *arena)
{
	const struct workflow *head = workflow_model_head(project->model);
	struct why_facts facts = { .message = head->message };
	const char *bad;

	if (!phase_ended(phase))
		return head->suspended ? "suspended, until somebody resumes it" : phase == PHASE_PENDING ? why_pending(&facts, arena).what : NULL;
	if (head->deleted && !phase_ended(head->phase))
		return "the workflow was deleted on the cluster before it had ended";
	if (!phase_bad(phase))
		return NULL;
	if (head->shutdown)
		return stopped;
	/* Lists of steps say only that a child failed. */
	bad = head->message && strncmp(head->message, "child '", 7) != 0 ? NULL : first_bad(project, arena);
	return bad ? bad : why_failed(&facts, arena).what;
}

static enum phase
run_phase(const struct project *project)
{
	const struct workflow *head = workflow_model_head(project->model);

	if (head->deleted && !phase_ended(head->phase))
		return PHASE_ERROR;
	/* Results that are still outstanding may bring outputs. */
	return phase_ended(head->phase) && !project->ended ? PHASE_RUNNING : head->phase;
}

static void
show_outputs(struct project *project, enum phase phase, const char **message, struct arena *arena)
{
	const struct value *const *outputs;
	struct error err = { "" };
	size_t same = 0, n = project->plan->n_outputs;

	if (phase != PHASE_SUCCEEDED || !n) {
		project->run->outputs = NULL;
		return;
	}
	outputs = project_outputs(project, arena, &err);
	if (!outputs)
		*message = arena_strdup(arena, err.text);
	while (outputs && project->run->outputs && same < n && same_value(outputs[same], project->run->outputs[same]))
		same++;
	if (outputs && same < n)
		run_set_outputs(project->run, outputs);
}

void
project_show_run(struct project *project)
{
	const struct workflow *head = workflow_model_head(project->model);
	struct run *run = project->run;
	enum phase phase = run_phase(project);
	struct arena *arena = arena_new();
	const char *message = run_message(project, phase, arena);
	int64_t started = phase == PHASE_PENDING ? 0 : head->started_ms, ended = phase_ended(phase) ? run_ended_ms(project) : 0;
	const struct value *const *outputs = run->outputs;

	show_outputs(project, phase, &message, arena);
	if (run->phase != phase || !same_text(run->message, message) || run->started_ms != started || run->ended_ms != ended ||
	    run->outputs != outputs) {
		run->started_ms = started;
		run->ended_ms = ended;
		run_set_phase(run, phase, message, phase_ended(phase) ? ended : started);
	}
	arena_free(arena);
}
