/* A plan as text that a person can compare, for tests. One line a parameter, step and group; expressions in Lateen's own words. */
#ifndef TESTS_DSL_PLAN_DUMP_H
#define TESTS_DSL_PLAN_DUMP_H

#include "base/buf.h"
#include "dsl/plan.h"
#include "dsl/scope.h"

void plan_dump(struct buf *buf, const struct plan *plan);
/* plan may be NULL: then the expression is one of an action. */
void expr_dump(struct buf *buf, const struct plan *plan, const struct expr *expr);
void component_dump(struct buf *buf, const struct component *component);
/* The actions of a program; their plans by name. */
void program_dump(struct buf *buf, const struct program *program);

#endif
