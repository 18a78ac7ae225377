/* The display of a run that goes on: shown once, then updated in place at most twice a second, and always at its end, so that
 * a saved notebook holds the final state. Below the picture is the chart of what the steps tell of how far they are (progress.h). */
#ifndef KERNEL_LIVE_H
#define KERNEL_LIVE_H

#include "kernel/language.h"
#include "runtime/run.h"

struct live;

/* Shows the run as it is. Output and run are borrowed. */
struct live *live_new(struct output *output, struct run *run);
void live_free(struct live *live);

void live_changed(struct live *live); /* something did: worth an update */
/* Milliseconds until an update is due; -1: none is. */
int live_due(const struct live *live);
void live_update(struct live *live); /* if one is due; in the thread that drives the run */
void live_finish(struct live *live); /* the final state */

enum { LIVE_ID_SIZE = 40 };
const char *live_display_id(const struct live *live); /* shorter than that */

/* The run's picture as a MIME bundle in JSON text, for a run that is over or seen from outside. */
void live_bundle(struct buf *buf, const struct run *run);

#endif
