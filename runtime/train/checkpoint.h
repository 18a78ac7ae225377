/* Checkpoints of a training: folders step-N in a folder of the training, each whole or not there.
 *
 *      step-N/model.safetensors       the weights, single precision
 *      step-N/optimizer.safetensors   Adam's means and squares; the state below as metadata
 *      step-N/config.json, tokenizer.json
 *      best                           a link to the one with the least loss on `dev`
 *
 * One is written beside its place and renamed once all of it is on disk, so that a crash or a full disk at any time leaves the ones before.
 * Whoever goes on takes the newest that is whole: a damaged one is renamed, never removed. */
#ifndef RUNTIME_TRAIN_CHECKPOINT_H
#define RUNTIME_TRAIN_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "runtime/model/model.h"
#include "runtime/train/loader.h"

enum { CHECKPOINT_RECIPE_MAX = 1024, CHECKPOINT_KEEP_MAX = 1000 };

/* All that a training needs besides the numbers of its parameters to go on as if it had never stopped. */
struct checkpoint_state {
	uint64_t step; /* steps done */
	struct loader_cursor cursor;
	uint64_t tokens; /* learnt from so far */
	double best; /* the least loss on dev so far; infinite before the first */
	uint64_t best_step;
	double mean, least; /* of the loss: its running mean, and the least that was */
	uint64_t above; /* steps in a row that the one was far above the other */
	char recipe[CHECKPOINT_RECIPE_MAX]; /* what the training is: another one does not go on from here */
};

/* Only one training at a time writes into a folder: takes it, made when needed. The number to give back, or -1 with *err set, which names the
 * process that has it. The lock goes with its process, however that ends. */
int checkpoint_lock(const char *folder, struct error *err);
void checkpoint_unlock(int lock); /* -1 is fine */

/* Writes step-N; then removes all but the newest `keep`, and but the best. is_best: this one is it. */
int checkpoint_save(const char *folder, const struct model *model, const struct checkpoint_state *state, const struct buf *tokenizer,
	size_t keep, bool is_best, struct error *err);
/* The newest, or with `nth` the one before it and so on: its path into ret. 1: there is one; 0: there is none, nor the folder; -1 with *err
 * set. */
int checkpoint_newest(const char *folder, size_t nth, struct buf *ret, struct error *err);
/* Renames one that is damaged, so that its place is free and nothing of it is lost: `.damaged` behind its name. */
int checkpoint_set_aside(const char *path, struct error *err);
/* What the checkpoint says of itself. */
int checkpoint_read_state(const char *path, struct checkpoint_state *ret, struct error *err);
/* Whoever goes on from a checkpoint with that state puts in order what a crash may have left behind it: unfinished folders, the link to the best. */
int checkpoint_mend(const char *folder, const struct checkpoint_state *state, struct error *err);
/* Weights, and with `optimizer` Adam's state, into a model of the same config. */
int checkpoint_load(const char *path, struct model *model, bool optimizer, struct error *err);

/* A model to use: model.safetensors, config.json and tokenizer.json in a folder that is made whole or not at all; what is there already
 * and no folder or not empty is an error. */
int checkpoint_write_model(const char *folder, const struct model *model, const struct buf *tokenizer, struct error *err);
int checkpoint_read_config(const char *path, struct model_config *ret, struct error *err);

#endif
