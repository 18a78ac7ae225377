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

/* All are decoders with the norm before each branch.
 * MODEL_PREPEND is Tensor2Tensor's, as `transformer_prepend` with a decoder alone: ReLU, no biases in attention, positions by sines, embedding
 * times the root of C with nothing for id 0, dropout behind the activation too. MODEL_GPT2 is GPT-2. In both the embedding is the
 * output's matrix. MODEL_LLAMA is Llama: norms without mean, SwiGLU, rotary positions, no biases, maybe fewer heads of keys than of
 * queries, and maybe an output matrix of its own. */
enum model_arch { MODEL_PREPEND, MODEL_GPT2, MODEL_LLAMA };

/* How rotary angles are stretched beyond the context that a model first learnt with: not at all, all of them, or, as Llama 3.1 does it, the
 * long waves only. */
enum model_rope { MODEL_ROPE_PLAIN, MODEL_ROPE_LINEAR, MODEL_ROPE_LLAMA3 };

struct model_config {
	enum model_arch arch;
	size_t layers, channels, heads, inner; /* L, C, NH, F */
	size_t vocabulary, context; /* V, and the most tokens of a document */
	double dropout, epsilon, smoothing; /* smoothing: of the labels */
	/* Of MODEL_LLAMA. */
	size_t kv_heads; /* NKV, which divides NH */
	bool tied; /* whether the output's matrix is the embedding */
	struct {
		double theta;
		enum model_rope kind;
		double factor, low, high; /* how far; low and high for MODEL_ROPE_LLAMA3, with `original`: the context that it learnt with */
		size_t original;
	} rope;
};

/* The sizes of `tiny`, `small` and `gpt2` (GPT-2's 124 million), for a family `prepend`, `gpt2` or `llama`; the families' parameters are
 * near each other. */
int model_config_preset(struct model_config *ret, const char *arch, const char *size, size_t vocabulary, size_t context, struct error *err);
/* Whether all of it is within bounds and fits together. */
int model_config_check(const struct model_config *config, struct error *err);
const char *model_arch_name(enum model_arch arch);
/* config.json: for MODEL_GPT2 and MODEL_LLAMA as Hugging Face's transformers has it. What it says that changes the numbers and is not known
 * here is an error. */
void model_config_write(const struct model_config *config, struct buf *buf);
int model_config_read(struct model_config *ret, const char *json, size_t len, struct error *err);
/* What is a family's own before anything is said: dropout, epsilon and the like; no sizes. */
void model_config_defaults(struct model_config *config);
size_t model_config_head(const struct model_config *config); /* channels of a head */
size_t model_config_kv_heads(const struct model_config *config); /* NKV; NH where the family knows no other */
size_t model_config_keys(const struct model_config *config); /* CK */
bool model_config_tied(const struct model_config *config);
bool model_config_equal(const struct model_config *a, const struct model_config *b);

#endif
