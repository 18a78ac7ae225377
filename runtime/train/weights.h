/* What a model's numbers are, in safetensors files: a tensor for each parameter (runtime/model/params.h), or for each part of one. */
#ifndef RUNTIME_TRAIN_WEIGHTS_H
#define RUNTIME_TRAIN_WEIGHTS_H

#include "base/error.h"
#include "runtime/model/model.h"

/* Writes slabs of a model into one file: MODEL_MEANS and MODEL_SQUARES with a prefix to their names. What is no state of the training is left
 * out. */
int weights_write(const char *path, const struct model *model, const enum model_slab *slabs, size_t n, const char *const (*metadata)[2],
	size_t n_metadata, struct error *err);
/* Reads them, of any dtype of floating point, from FOLDER/NAME, or else from the files that FOLDER/NAME.index.json lists, as Hugging Face
 * writes large models. Files of GPT-2's and Llama's bodies alone have names without the first part: both are known. A tensor that is missing, of
 * another shape, or holds what is no number is an error. */
int weights_read(const char *folder, const char *name, struct model *model, const enum model_slab *slabs, size_t n, struct error *err);

/* A number that other weights do not have, by all bytes of their files. */
int weights_digest(const char *folder, const char *name, uint32_t *ret, struct error *err);

#endif
