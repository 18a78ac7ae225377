/* The two devices of a comparison: 0 is the reference, 1 the one that is tested; and what both are given. */
#ifndef TESTS_KERNELS_PAIR_H
#define TESTS_KERNELS_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/ops.h"
#include "tests/kernels/arrays.h"

#define BOTH(which) for (int which = 0; which < 2; which++)
#define OPS(which) devices[which]->ops

extern struct ops_device *devices[2];
extern const struct ops_step STEP;

/* An array as one of them sees it; and one whose numbers are narrow (ops.h). */
void *side(struct array *array, int which);
void *narrow(struct array *array, int which);
bool is_narrow(void);
/* Places, ids and the like, where the device can read them. */
const int32_t *ints(const int32_t *numbers, size_t n, int which);
const struct ops_step *step_for(int which);
struct ops_dropout dropout_of(double rate, int which);
/* n numbers below `below`, to be freed. */
int32_t *numbers(size_t n, size_t below);

#endif
