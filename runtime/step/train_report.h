/* What a training says while it goes on: lines of its log, on a terminal one line that is written anew, and numbers for the chart that a
 * notebook draws meanwhile, in the file that LATEEN_PROGRESS names (kernel/progress.h has the form). */
#ifndef RUNTIME_STEP_TRAIN_REPORT_H
#define RUNTIME_STEP_TRAIN_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "runtime/step/kept.h"
#include "runtime/step/train_samples.h"
#include "runtime/train/trainer.h"

struct train_report {
	FILE *progress; /* or NULL */
	struct kept kept; /* the same lines */
	bool terminal, drawn; /* drawn: the line stands there */
	uint64_t steps; /* in all; 0: not known */
	double every; /* seconds between lines */
	double told, said; /* seconds of the clock: of the last numbers, of the last line */
	double loss; /* summed since `told` */
	uint64_t losses, tokens;
	double rate; /* tokens a second, at `told` */
};

/* folder: of the checkpoints, or NULL; done: steps of earlier starts, whose numbers come first. */
void train_report_open(struct train_report *report, const char *folder, uint64_t done, uint64_t steps);
void train_report_close(struct train_report *report); /* zero-initialised is fine */
/* After each step. left: seconds to go; infinite: not known. */
void train_report_step(struct train_report *report, const struct trainer_step *step, double left);
/* After a look at dev. */
void train_report_dev(struct train_report *report, uint64_t step, const struct model_result *dev, bool best);
/* What the model makes of the first sample, if there is one. */
void train_report_samples(const struct train_samples *samples);
/* In the end, instead of the time that is left. */
void train_report_end(struct train_report *report, uint64_t step, uint64_t tokens, double seconds);
double train_report_now(void); /* seconds of a clock that only goes on */

#endif
