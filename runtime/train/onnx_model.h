/* A model as graphs of ONNX: `prefill.onnx` takes texts and gives logits and what is kept of them, `decode.onnx` takes one more token of each text and
 * what is kept, and gives the next logits and what is kept now.
 *
 *     input_ids (batch, sequence)                  position_ids the same: a token's place in its text, from 0
 *     attention_mask (batch, total)                1 for tokens, 0 for what fills up; total counts what is kept too
 *     past_key_values.N.key, .value                decode only: (batch, heads, past, channels of a head), of each layer
 *     logits (batch, sequence, vocabulary)         present.N.key, .value: the same with the new tokens behind
 *
 * Texts of different lengths are filled up on their left. All is computed in single precision; the weights are kept in the dtype that is
 * asked for. */
#ifndef RUNTIME_TRAIN_ONNX_MODEL_H
#define RUNTIME_TRAIN_ONNX_MODEL_H

#include "base/error.h"
#include "runtime/model/model.h"
#include "runtime/train/safetensors.h"

/* Where the weights go: into both graphs, or into `weights.data`, which they share. Past 2 GiB only the latter is possible. */
enum onnx_model_weights { ONNX_WEIGHTS_AUTO, ONNX_WEIGHTS_INSIDE, ONNX_WEIGHTS_BESIDE };

/* Writes the files into a folder that is there. */
int onnx_model_write(const char *folder, const struct model *model, enum tensor_dtype dtype, enum onnx_model_weights weights, struct error *err);

#endif
