/* A run as people look at it, wherever it happens: the phase, times, messages and outputs of each step. Displays, `logs`,
 * `runs` and JSON read this; whoever drives a run (the local executor now, a cluster's watcher later) writes it.
 *
 * A run has one node for each instance of a step: outside of loops one for each step, from the beginning; in a loop one for
 * each item, once the items are known.
 *
 * One thread drives a run: it alone calls run_add_node, run_set_… and run_wrote, which take the run's lock where they change it, and it
 * may look without. Other threads hold the lock (run_lock, run_unlock) over whatever they look at; values and texts of nodes that
 * they found stay as long as they hold the run, its `message` only within the lock. run_ref and run_unref are for all threads.
 * Observers are called in the driving thread, without the lock, and are added and forgotten there or before it begins. */
#ifndef RUNTIME_RUN_H
#define RUNTIME_RUN_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "base/value.h"
#include "dsl/plan.h"
#include "runtime/engine.h"
#include "runtime/phase.h"

struct run_node {
	size_t step; /* of plan->steps */
	const char *key; /* "" outside of loops, "[2]", "[2][0]" */
	enum phase phase;
	int attempts; /* begun */
	int64_t started_ms, ended_ms; /* milliseconds since 1970; 0: not yet */
	int exit_code; /* 128 and the signal's number after a signal; -1: none yet */
	const char *message; /* why it is not Succeeded, or NULL */
	const char *help; /* what can be done about that, where it is known; or NULL */
	const struct engine_output *outputs; /* of the component's outputs, when it Succeeded and has any; else NULL */
	const char *tail; /* the last lines of the last attempt, when it went wrong; or NULL */
	const char *folder; /* of the last attempt, or NULL */
};

/* All instances of one step taken together. */
struct run_step {
	enum phase phase;
	int attempts; /* the most of one instance */
	int64_t started_ms, ended_ms;
	size_t n_nodes; /* instances so far */
	size_t done; /* those that have ended */
	size_t counts[PHASE_COUNT];
	size_t *nodes; /* n_nodes indexes of run->nodes, in the order of their keys */
	size_t cap_nodes;
	size_t bad; /* the first node that went wrong; SIZE_MAX: none */
};

/* A group: an `if`, or a loop with its items. */
struct run_group {
	enum phase phase;
	int64_t started_ms, ended_ms;
	const char *message;
	size_t done, total; /* items of a loop (in all its instances) */
};

struct run;

/* Told after each change; node is SIZE_MAX when it is the run as a whole. Called in the thread that drives the run. */
struct run_observer {
	void (*changed)(void *context, struct run *run, size_t node);
	/* What a step wrote, secrets masked; pieces of any size. May be NULL. */
	void (*wrote)(void *context, struct run *run, size_t node, const char *text, size_t len);
	void *context;
};

struct run {
	unsigned refs;
	struct arena *arena;
	struct plan *plan; /* held */
	char *id, *name;
	const struct value *const *params; /* plan->n_params: what was given, or NULL: the default; NULL: nothing is known */
	char *folder; /* where its attempts' folders lie, or NULL */
	enum phase phase;
	char *message;
	int64_t started_ms, ended_ms;
	struct run_node **nodes;
	size_t n_nodes, cap_nodes;
	struct run_step *steps; /* plan->n_steps */
	struct run_group *groups; /* plan->n_groups */
	const struct value *const *outputs; /* plan->n_outputs, when it Succeeded; else NULL */
	struct run_observer *observers;
	size_t n_observers, cap_observers;
	bool quiet; /* changes are not told */
	pthread_mutex_t lock;
};

struct run *run_new(struct plan *plan, const char *id, const char *name);
struct run *run_ref(struct run *run);
void run_unref(struct run *run); /* NULL is fine */

/* For threads that do not drive it. The same thread must not take it twice. */
void run_lock(const struct run *run);
void run_unlock(const struct run *run);

void run_observe(struct run *run, const struct run_observer *observer);
void run_forget_observer(struct run *run, const void *context);

/* ---- for those who drive a run ---- */

/* What it was given; before others see the run. Copies the values; NULL is fine, for all and for one. */
void run_set_params(struct run *run, const struct value *const *params);
/* A new node, Pending; returns its index. */
size_t run_add_node(struct run *run, size_t step, const char *key);
/* Takes over phase, attempts, times, exit code, message, help, outputs, tail and folder; texts and values are copied. */
void run_set_node(struct run *run, size_t node, const struct run_node *state);
/* Takes a step's instances together anew: after some of them went back, as a retry on a cluster makes them. */
void run_recount(struct run *run, size_t step);
void run_set_group(struct run *run, size_t group, const struct run_group *state);
/* Of a step that has no instance and will have none: a loop over nothing, or one that did not begin. */
void run_set_step(struct run *run, size_t step, enum phase phase);
void run_set_phase(struct run *run, enum phase phase, const char *message, int64_t now_ms);
/* Copies the values; plan->n_outputs of them. */
void run_set_outputs(struct run *run, const struct value *const *outputs);
void run_wrote(struct run *run, size_t node, const char *text, size_t len);

/* ---- for those who look ---- */

/* The value of STEP.OUTPUT: by file its path; of a step in a loop a List. NULL with *err set when there is none (yet). */
const struct value *run_output(const struct run *run, size_t step, size_t output, struct arena *arena, struct error *err);
/* The first node that went wrong and has its own reason, by the program's order; SIZE_MAX: none. */
size_t run_culprit(const struct run *run);
/* How many steps' instances are in each phase. */
void run_counts(const struct run *run, size_t ret[PHASE_COUNT]);
/* { id, phase, steps: [{ name, phase, attempts, exit_code, message, outputs: {} }], outputs }; one entry for each instance, named
 * with its key. */
void run_write_json(const struct run *run, struct buf *buf);
/* A Dict of the node's outputs, of the run's. */
const struct value *run_node_outputs(const struct run *run, const struct run_node *node, struct arena *arena);
const struct value *run_outputs_dict(const struct run *run, struct arena *arena);
/* The same as a value. */
const struct value *run_to_value(const struct run *run, struct arena *arena);

#endif
