/* What is said of a log without a line: that nothing was written, that no line fits, or that it cannot be had; in that case with
 * the place where whoever runs the cluster keeps it, where that can be known (Google's, for a context that gcloud wrote). */
#ifndef KERNEL_EMPTY_LOG_H
#define KERNEL_EMPTY_LOG_H

#include "base/arena.h"
#include "runtime/store.h"

/* One sentence, and perhaps a second one, in the arena. */
const char *empty_log_text(struct store *store, const struct log_follower *follower, struct arena *arena);

#endif
