/* What a training leaves for TensorBoard: the numbers of each step, what it was made with as text and for the tab HPARAMS, titles of samples, and
 * how some weights and their gradients are spread. */
#ifndef RUNTIME_STEP_TRAIN_EVENTS_H
#define RUNTIME_STEP_TRAIN_EVENTS_H

#include "runtime/step/train.h"
#include "runtime/step/train_samples.h"
#include "runtime/train/events.h"

struct train_events {
	struct events *events; /* NULL: nothing is written */
};

/* folder "": none is wanted. */
int train_events_open(struct train_events *e, const char *folder, const struct train_setup *setup, struct error *err);
/* tokens a second. */
int train_events_step(struct train_events *e, const struct trainer_step *step, double speed, struct error *err);
/* After a look at dev, whose weight is 0 where there is none. */
int train_events_stock(struct train_events *e, uint64_t step, struct trainer *trainer, const struct model_result *dev,
	const struct train_samples *samples, struct error *err);
int train_events_close(struct train_events *e, bool well, struct error *err); /* zero-initialised is fine */

#endif
