/* What a model is: its family and its sizes, as config.json says them. */
#ifndef RUNTIME_MODEL_CONFIG_H
#define RUNTIME_MODEL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/value.h"

enum {
	MODEL_LAYERS_MAX = 256,
	MODEL_CHANNELS_MAX = 32768,
	MODEL_VOCABULARY_MAX = 1 << 20,
	MODEL_CONTEXT_MAX = 65536,
};

/* Both are decoders with the norm before each branch.
 * MODEL_PREPEND is Tensor2Tensor's, as `transformer_prepend` with a decoder alone: ReLU, no biases in attention, positions by sines, embedding
 * times the root of C with nothing for id 0, dropout behind the activation too. MODEL_GPT2 is GPT-2. In both the embedding is the
 * output's matrix. */
enum model_arch { MODEL_PREPEND, MODEL_GPT2 };

struct model_config {
	enum model_arch arch;
	size_t layers, channels, heads, inner; /* L, C, NH, F */
	size_t vocabulary, context; /* V, and the most tokens of a document */
	double dropout, epsilon, smoothing; /* smoothing: of the labels */
};

/* The sizes of `tiny`, `small` and `gpt2` (GPT-2's 124 million), for a family `prepend` or `gpt2`. */
int model_config_preset(struct model_config *ret, const char *arch, const char *size, size_t vocabulary, size_t context, struct error *err);
/* Whether all of it is within bounds and fits together. */
int model_config_check(const struct model_config *config, struct error *err);
const char *model_arch_name(enum model_arch arch);
/* config.json: for MODEL_GPT2 as Hugging Face's transformers has it. */
void model_config_write(const struct model_config *config, struct buf *buf);
int model_config_read(struct model_config *ret, const char *json, size_t len, struct error *err);
bool model_config_equal(const struct model_config *a, const struct model_config *b);

#endif
