/* Graphs to lay out, as data: the twelve that the layout is judged by, and larger ones by size. */
#ifndef TESTS_DSL_GRAPH_FIXTURES_H
#define TESTS_DSL_GRAPH_FIXTURES_H

#include "base/arena.h"
#include "dsl/layout.h"

enum { GRAPH_FIXTURES = 12 };

extern const char *const graph_fixture_names[GRAPH_FIXTURES];

/* The graph of that name, not yet laid out: one of the twelve, or `layered-N`, `chain-N`, `fan-N`, `long-N`, `loose-N` or
 * `groups-N` with about N boxes. NULL if there is none. */
struct layout *graph_fixture(struct arena *arena, const char *name);

#endif
