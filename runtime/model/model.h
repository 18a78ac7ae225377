/* A model on a device: its parameters, and one step of training on a batch, forward, backward, update, whose order is written once here
 * for every family and device.
 *
 * A batch is N tokens of whole documents, one behind the other, with no padding; attention stays inside a document. All memory is
 * taken when the model is made: a step takes none. */
#ifndef RUNTIME_MODEL_MODEL_H
#define RUNTIME_MODEL_MODEL_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "kernels/ops.h"
#include "runtime/model/config.h"
#include "runtime/model/params.h"

enum { MODEL_LOGIT_ROWS = 512 /* rows of logits that exist at a time, unless the device wants more */ };

struct model_batch {
	size_t N, documents, longest; /* longest: tokens of the longest document */
	int32_t *ids, *places, *labels; /* (N): what goes in, its place in its document, what should come out */
	float *weights; /* (N): of each label in the loss; 0 for one that does not count */
	int32_t *starts; /* (documents + 1): where each begins; N last */
};

/* How the parameters move: Adam as TensorFlow 1 writes it, or AdamW as PyTorch does. They differ in where epsilon stands, so that the same
 * numbers give other results. MODEL_MUON is Muon for the matrices of the layers and AdamW for all else. */
enum model_optimizer { MODEL_ADAM_TF, MODEL_ADAMW, MODEL_MUON };

struct model_update {
	enum model_optimizer optimizer;
	double rate; /* of learning, in this step */
	double beta1, beta2, epsilon;
	double decay; /* of the matrices, but with MODEL_ADAM_TF */
	double muon_rate, momentum; /* of MODEL_MUON */
	double clip; /* the largest norm of all gradients; 0: any */
};

struct model_result {
	double loss; /* the mean over what counts */
	double weight; /* how much counts */
	double accuracy; /* the share of it where the right token is the likeliest */
	double norm; /* of the gradients, before they were clipped; model_train only */
};

/* What the numbers of all parameters are. */
enum model_slab { MODEL_WEIGHTS, MODEL_GRADIENTS, MODEL_MEANS, MODEL_SQUARES, MODEL_SLABS };

struct model;

/* What a model is made for: only what that wants has memory. Whoever trains by Muon can train by the others, too. */
enum model_purpose { MODEL_TO_USE, MODEL_TO_TRAIN, MODEL_TO_TRAIN_BY_MUON };

/* Bytes that a model takes on a device for batches of up to N tokens and as many documents, the device's own scratch included. */
size_t model_memory(const struct model_config *config, struct ops_device *device, size_t N, enum model_purpose purpose);
/* A seed for weights that are put right behind: they are zeros. */
static const uint64_t MODEL_NO_SEED = UINT64_MAX;
/* Weights as params_begin makes them from the seed. The device stays the caller's. NULL with *err set when memory does not suffice. */
struct model *model_new(struct ops_device *device, const struct model_config *config, size_t N, enum model_purpose purpose,
	uint64_t seed, struct error *err);
void model_free(struct model *model); /* NULL is fine */
const struct model_config *model_config(const struct model *model);
enum model_purpose model_purpose(const struct model *model);
const struct params *model_params(const struct model *model);

/* The n numbers of one parameter. */
void model_get(const struct model *model, enum model_slab slab, const struct param *param, float *ret);
void model_put(struct model *model, enum model_slab slab, const struct param *param, const float *from);
/* Where it lies in the device's memory. Who writes weights there must see to the narrow copy of them, if there is one: model_put does. */
void *model_at(const struct model *model, enum model_slab slab, size_t which);
struct ops_device *model_device(const struct model *model);
/* What MODEL_PREPEND adds for a place, (C): sines of C / 2 wavelengths from 2 pi to 10000 times that, then as many cosines, as Tensor2Tensor has
 * it. */
void model_sines(size_t place, size_t C, float *ret);
/* By what MODEL_LLAMA turns queries and keys at a place, (D): cosines of a head's D / 2 angles, then their sines. */
void model_angles(const struct model_config *config, size_t place, float *ret);
/* A flag that a signal sets: what is under way is given up within a layer. NULL: none. */
void model_watch(struct model *model, const volatile sig_atomic_t *stop);

/* Forward and backward, gradients kept; with dropout's random numbers from seed and step if there is a seed, else no dropout. */
int model_gradients(struct model *model, const struct model_batch *batch, const uint64_t *seed, uint64_t step, struct model_result *ret,
	struct error *err);
/* The same, then the update. step counts from 0. 1: the flag of model_watch was set, and nothing has changed. A loss that is no number is no error here: who calls looks at it. */
int model_train(struct model *model, const struct model_batch *batch, const struct model_update *update, uint64_t seed, uint64_t step,
	struct model_result *ret, struct error *err);
/* The loss, without dropout or smoothing. */
int model_evaluate(struct model *model, const struct model_batch *batch, struct model_result *ret, struct error *err);
/* Logits of n rows of the batch into ret (n, V). */
int model_logits(struct model *model, const struct model_batch *batch, const int32_t *rows, size_t n, float *ret, struct error *err);

#endif
