/* What the steps have in common that do what the codelab's containers with Tensor2Tensor do. */
#ifndef RUNTIME_STEP_T2T_H
#define RUNTIME_STEP_T2T_H

#include "base/buf.h"
#include "base/error.h"
#include "runtime/step/step.h"
#include "runtime/train/trainer.h"

/* An option that names a folder: a path, or `file://` and one, without slashes at its end. Anything in a bucket is refused with what to do. */
int t2t_folder(const struct step_call *call, const char *option, struct buf *ret, struct error *err);
/* Writes a text to the file that an option names, with nothing behind it, as the containers do; the option may be empty. */
int t2t_output(const struct step_call *call, const char *option, const char *text, struct error *err);

/* Measures what a trainer's model says of the titles that are kept for looking, if any, says it, and writes it as scalars
 * `metrics-PROBLEM/targets/…` into an event file of the folder. */
int t2t_evaluate(const struct shard *shard, const struct trainer_options *options, struct trainer *trainer, const char *folder, const char *problem,
	struct error *err);

#endif
