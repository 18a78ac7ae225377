/* A training, step by step: data, model, rate of learning, checkpoints.
 *
 * The state between two steps is in the model and a few numbers, all of them in a checkpoint: a training that is stopped after any step
 * and goes on from there gives the same bits as one that never stopped. */
#ifndef RUNTIME_TRAIN_TRAINER_H
#define RUNTIME_TRAIN_TRAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "runtime/model/model.h"
#include "runtime/train/checkpoint.h"
#include "runtime/train/loader.h"

struct trainer_options {
	struct model_config config;
	struct loader_options data;
	enum model_optimizer optimizer;
	double rate; /* of learning: the largest, reached after the warm-up */
	double muon_rate; /* the same of what Muon moves */
	uint64_t warmup; /* steps; behind it the rate falls as one over the root of the step */
	uint64_t seed;
	const char *folder; /* of this training's checkpoints; NULL: none are written */
	size_t keep; /* checkpoints, besides the best */
	/* A checkpoint of another training of a model like this one is gone on from, at the beginning of the data; else it is an error. */
	bool adopt;
	const struct buf *tokenizer; /* its file, for whoever uses a checkpoint */
	const char *init; /* a folder whose weights it begins with, of the same config but for dropout and smoothing; NULL: none */
	uint32_t init_digest; /* of these weights */
};

/* With which a family is usually trained. */
enum model_optimizer trainer_usual(enum model_arch arch);
const char *trainer_optimizer_name(enum model_optimizer optimizer);

enum { TRAINER_MEAN_STEPS = 20, TRAINER_PATIENCE = 100, TRAINER_DOCUMENTS_NAMED = 8 };
#define TRAINER_FAR 1.5
#define TRAINER_FAR_AT_LEAST 0.5

struct trainer_step {
	struct model_result result;
	uint64_t step; /* this one, from 1 */
	uint64_t epoch, batch; /* that it learnt from, from 0 */
	size_t tokens; /* of the batch */
	double rate;
};

struct trainer;

/* Appends a name for a training that others do not have, for its folder: "prepend-1a2b3c4d". */
void trainer_name(const struct trainer_options *options, const struct shard *shard, const struct ops_device *device, struct buf *ret);
/* Bytes that a training will take, all of it. */
size_t trainer_memory(const struct trainer_options *options, struct ops_device *device, uint64_t documents);
/* Goes on from the folder's newest checkpoint that is whole, if there is one; one of another training is an error. When there are some and all
 * of them are damaged, that is an error too: nothing is deleted or begun anew behind anybody's back. What is passed stays the caller's. */
struct trainer *trainer_open(struct ops_device *device, const struct shard *shard, const struct trainer_options *options, struct error *err);
void trainer_close(struct trainer *trainer); /* NULL is fine */
/* Steps done, those of earlier starts included. */
uint64_t trainer_done(const struct trainer *trainer);
/* That a damaged checkpoint was passed over, in a sentence; or NULL. */
const char *trainer_warning(const struct trainer *trainer);
struct loader *trainer_loader(const struct trainer *trainer);
struct model *trainer_model(const struct trainer *trainer);
double trainer_best(const struct trainer *trainer); /* infinite before the first trainer_evaluate */

/* 1: the flag of model_watch was set, and the step is not taken. -1 also when the training diverges: the loss or the gradients' norm is no
 * number any more, or the loss's running mean (over some TRAINER_MEAN_STEPS steps) has been above TRAINER_FAR times the least that it was, and
 * TRAINER_FAR_AT_LEAST more, for TRAINER_PATIENCE steps in a row. The weights are of no use then, and the checkpoints are as they were. */
int trainer_step(struct trainer *trainer, struct trainer_step *ret, struct error *err);
/* On at most `batches` of the documents that are kept for looking; with none of them weight is 0. */
int trainer_evaluate(struct trainer *trainer, size_t batches, struct model_result *ret, struct error *err);
/* Writes a checkpoint of the steps done; nothing without a folder. */
int trainer_save(struct trainer *trainer, struct error *err);
/* The rate of step `step`, from 0. */
double trainer_rate(const struct trainer_options *options, uint64_t step);

#endif
