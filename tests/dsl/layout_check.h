/* What any layout must keep, for the test and the fuzzer. */
#ifndef TESTS_DSL_LAYOUT_CHECK_H
#define TESTS_DSL_LAYOUT_CHECK_H

#include "base/buf.h"
#include "dsl/layout.h"

/* Appends a sentence for each promise of layout.h that is broken, at most ten; returns how many are. Quadratic. */
unsigned layout_check(const struct layout *layout, struct buf *problems);
/* Pairs of edges without a common end whose lines cross. Quadratic. */
unsigned layout_count_crossings(const struct layout *layout);

#endif
