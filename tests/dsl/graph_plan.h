/* Plans from program text and runs from words, for the tests of pictures. */
#ifndef TESTS_DSL_GRAPH_PLAN_H
#define TESTS_DSL_GRAPH_PLAN_H

#include "dsl/graph.h"

/* The last pipeline of a program that uses no other file. Drop it with plan_unref. A program with problems is a BUG() that prints
 * them. */
struct plan *graph_plan(const char *text, size_t len);

/* "copied=Succeeded/12.5 trained=Running/63/2/3:10 webapp=Failed/1/1//exit code 1": a step's phase, seconds, attempts, done:total and
 * message (`_` for a blank). Steps that are not named are Pending. The first word may be the run's phase and seconds. */
struct graph_run *graph_run_from(struct arena *arena, const struct plan *plan, const char *words);

#endif
