/* Lines of a training that lie beside its checkpoints, so that one that goes on shows all of its curve. A line's step is the first number
 * in it. Nothing depends on them: a file that cannot be had or written is no failure. */
#ifndef RUNTIME_STEP_KEPT_H
#define RUNTIME_STEP_KEPT_H

#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"

struct kept {
	FILE *file; /* or NULL */
};

/* Appends the lines of steps up to `done` to ret. Those behind are cut off: their steps were lost, and will come again. folder NULL: none. */
void kept_open(struct kept *kept, const char *folder, const char *name, uint64_t done, struct buf *ret);
void kept_add(struct kept *kept, const char *text, size_t len); /* whole lines */
void kept_close(struct kept *kept);

#endif
