#ifndef RUNTIME_MODEL_SEARCH_PRIVATE_H
#define RUNTIME_MODEL_SEARCH_PRIVATE_H

#include "runtime/model/search.h"

int search_beam(struct decoder *decoder, const struct search_options *options, size_t V, const struct token_ids *prompts, size_t n,
	struct token_ids *ret, struct error *err);
/* Begins a slot with a prompt. */
int search_begin(struct decoder *decoder, size_t slot, const struct token_ids *prompt, float *logits, struct error *err);
/* Takes what may not come next out of the logits. */
void search_forbid(const struct search_options *options, size_t so_far, float *logits);

#endif
