/* What Kubeflow's pages show of a step: {"version": 1, "outputs": […]}, an entry for each thing, as its output viewers read it. */
#ifndef RUNTIME_STEP_UI_METADATA_H
#define RUNTIME_STEP_UI_METADATA_H

#include "base/buf.h"

void ui_metadata_begin(struct buf *buf);
/* A button that starts TensorBoard over the events at `source`: a place in a bucket, or on a volume (`volume://CLAIM/…`), as Kubeflow's server
 * comes to no folder of a step. */
void ui_metadata_tensorboard(struct buf *buf, const char *source);
/* A page of Markdown. */
void ui_metadata_markdown(struct buf *buf, const char *text, size_t len);
void ui_metadata_end(struct buf *buf);

#endif
