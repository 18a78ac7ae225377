#ifndef RUNTIME_TRAIN_CHECKPOINT_PRIVATE_H
#define RUNTIME_TRAIN_CHECKPOINT_PRIVATE_H

#include "runtime/train/checkpoint.h"

/* model.safetensors, config.json and tokenizer.json in a folder that is there. */
int checkpoint_write_files(const char *folder, const struct model *model, const struct buf *tokenizer, struct error *err);
int checkpoint_write_optimizer(const char *folder, const struct model *model, const struct checkpoint_state *state, struct error *err);

#endif
