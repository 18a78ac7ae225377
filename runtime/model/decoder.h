/* Going on from prompts, token by token. The keys and values of what came before are kept in slots, one a text, so that a token costs one
 * row, and the matrices are packed for that once, whole or narrower. What a text becomes does not depend on which others go along with it. */
#ifndef RUNTIME_MODEL_DECODER_H
#define RUNTIME_MODEL_DECODER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "runtime/model/model.h"

enum { DECODER_SLOTS_MAX = 4096 };

struct decoder;

/* Bytes of the device's memory, the model's own not counted. */
size_t decoder_memory(const struct model_config *config, struct ops_device *device, size_t slots, size_t length, enum ops_packing packing);
/* For texts of up to `length` tokens, at most the model's context. The model stays the caller's, made for at least `length` tokens a
 * batch; its weights are read now and not again. NULL with *err set. A device that does not pack knows OPS_PACK_F32 only: its own precision. */
struct decoder *decoder_new(struct model *model, size_t slots, size_t length, enum ops_packing packing, struct error *err);
void decoder_free(struct decoder *decoder); /* NULL is fine */

/* Begins a slot anew with n ids, from 1 to length: what comes next, as logits (V). */
int decoder_prompt(struct decoder *decoder, size_t slot, const int32_t *ids, size_t n, float *ret, struct error *err);
/* One more id for each of n different slots: their logits, (n, V). No slot may be full. */
int decoder_next(struct decoder *decoder, const int32_t *slots, const int32_t *ids, size_t n, float *ret, struct error *err);
size_t decoder_vocabulary(const struct decoder *decoder);
/* Tokens that a slot keeps. */
size_t decoder_kept(const struct decoder *decoder, size_t slot);
/* Makes a slot what another one is. They share what they have in common: as long as `to` goes on from it, `from` does not begin anew. */
void decoder_copy(struct decoder *decoder, size_t from, size_t to);

#endif
