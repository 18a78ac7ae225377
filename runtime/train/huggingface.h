/* A model as Hugging Face's transformers load it: a folder with config.json, generation_config.json, model.safetensors and its tokenizer.
 *
 * MODEL_GPT2 and MODEL_LLAMA are themselves there too. MODEL_PREPEND is GPT-2 with other parts that its config names: ReLU, positions that hold the sines, biases of
 * nothing in attention, an embedding that is scaled already (and nothing for id 0), and an output that is not the embedding. */
#ifndef RUNTIME_TRAIN_HUGGINGFACE_H
#define RUNTIME_TRAIN_HUGGINGFACE_H

#include "base/buf.h"
#include "base/error.h"
#include "runtime/model/model.h"
#include "runtime/train/safetensors.h"

/* Writes the files of a model in the dtype into a folder that is there, with the tokenizer's file: see huggingface_tokenizer. A weight that the
 * dtype has no room for is an error. */
int huggingface_write(const char *folder, const struct model *model, enum tensor_dtype dtype, const struct buf *tokenizer, struct error *err);

/* tokenizer.json and tokenizer_config.json for a tokenizer.json, or else `vocab.subwords`: what Tensor2Tensor's vocabularies do is nothing that a
 * tokenizer.json can say. *ret_known: whether it was a tokenizer.json. */
int huggingface_tokenizer(const char *folder, const struct model_config *config, const struct buf *tokenizer, bool *ret_known, struct error *err);

#endif
