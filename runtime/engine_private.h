/* What the files of the engine share. Nobody else includes this. */
#ifndef RUNTIME_ENGINE_PRIVATE_H
#define RUNTIME_ENGINE_PRIVATE_H

#include "base/macros.h"
#include "runtime/engine.h"

/* A node with what only the engine looks at. */
struct node {
	struct engine_node pub; /* first: a pointer to it is one to the node */
	uint32_t child; /* its place in the group */
	uint32_t waiting; /* needs that have not ended */
	enum phase branch; /* once ended, what it counts as for those behind it: Succeeded, Failed or Error */
	bool timed_out, killed;
	/* of a group that began */
	size_t *frames; /* one for each item; of an `if` one */
	size_t n_frames, next_frame, open_frames;
};

/* One instance of a group: a run of its children. */
struct frame {
	size_t group;
	size_t node; /* the group's node around it; ENGINE_NONE for the pipeline itself */
	size_t first; /* its children's nodes: first + place */
	size_t open; /* children that have not ended */
	size_t number; /* which item */
	const struct value *item; /* of a loop */
	bool begun;
};

/* Which places wait for a place, for every group in one array. */
struct group_index {
	size_t place; /* in its parent */
	uint32_t *start; /* n_children + 1 offsets into dependents */
	uint32_t *dependents;
	bool **tolerates; /* for each child, for each of its needs: the need may have ended in any phase. NULL: none */
};

enum timer_kind { TIMER_RETRY, TIMER_TIMEOUT, TIMER_RUN };

struct timer {
	int64_t due_ms;
	uint64_t order; /* of two due at once the one set first */
	size_t node;
	int attempt;
	enum timer_kind kind;
};

struct timers {
	VEC(struct timer) heap;
	uint64_t orders;
};

void timers_add(struct timers *timers, struct timer timer);
const struct timer *timers_first(const struct timers *timers); /* NULL: none */
void timers_drop_first(struct timers *timers);
void timers_release(struct timers *timers);

/* A queue that gives back its front now and then. */
struct queue {
	size_t *items;
	size_t head, n, cap;
};

void queue_push(struct queue *queue, size_t item);
bool queue_pop(struct queue *queue, size_t *ret);

struct engine {
	struct plan *plan;
	struct arena *arena;
	struct engine_args args; /* arrays are the arena's */
	const struct value **params;
	size_t *step_place; /* in its group */
	struct group_index *groups;
	bool **wants_text; /* by step, by output; NULL: none of the step's */
	VEC(struct node *) nodes; /* single nodes may move in blocks only: pointers stay good */
	VEC(struct frame) frames;
	struct queue work; /* nodes whose needs have all ended */
	struct queue ready; /* steps that wait for a free place */
	struct timers timers;
	VEC(struct engine_action) actions;
	size_t running;
	int64_t now_ms;
	bool begun, stopping;
	const char *why_stopped;
	enum phase phase;
	const char *message;
	const char *first_bad; /* which node went wrong first, and why */
	const struct value **outputs;
};

/* engine_build.c: indexes of the plan. */
int engine_build(struct engine *engine, struct error *err);
/* engine_frames.c: instances of groups, and what an end brings about. */
void engine_act(struct engine *engine, enum engine_action_kind kind, size_t node, int attempt);
void engine_set_phase(struct engine *engine, size_t id, enum phase phase);
/* The message lives as long as the engine, or is NULL. */
void engine_end_node(struct engine *engine, size_t id, enum phase phase, const char *message);
size_t engine_add_frame(struct engine *engine, size_t group, size_t node, size_t number, const struct value *item);
void engine_begin_frame(struct engine *engine, size_t id);
void engine_begin_if(struct engine *engine, size_t id);
void engine_begin_for(struct engine *engine, size_t id);
/* engine_steps.c: attempts. */
void engine_begin_attempt(struct engine *engine, size_t id);
void engine_kill_attempt(struct engine *engine, size_t id);
bool engine_take_exit(struct engine *engine, const struct engine_event *event);
/* engine_inputs.c: the inputs of the node's next attempt, in the engine's arena; NULL with *err set. */
const struct engine_input *engine_resolve(struct engine *engine, size_t node, struct error *err);
int engine_take_args(struct engine *engine, struct error *err);
/* engine_eval.c */
const struct value *engine_eval_in(struct engine *engine, size_t frame, size_t node, const struct expr *expr,
				   struct arena *arena, struct error *err);
/* The paths of an output by file: a String, or Lists of them; null where it was skipped. */
const struct value *engine_paths(struct engine *engine, size_t frame, const struct expr *expr, struct error *err);
/* Is it by file what the expression names? */
bool engine_is_file(const struct engine *engine, const struct expr *expr);

static inline struct node *
node_at(const struct engine *engine, size_t id)
{
	return engine->nodes.items[id];
}

static inline struct frame *
frame_at(const struct engine *engine, size_t id)
{
	return &engine->frames.items[id];
}

static inline const struct plan_child *
child_of(const struct engine *engine, const struct node *node)
{
	const struct frame *frame = frame_at(engine, node->pub.frame);

	return &engine->plan->groups[frame->group].children[node->child];
}

static inline const struct plan_step *
step_of(const struct engine *engine, const struct node *node)
{
	return &engine->plan->steps[node->pub.index];
}

#endif
