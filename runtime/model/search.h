/* Which tokens follow a prompt: the likeliest at each place, some by chance, or the likeliest text that a beam finds. */
#ifndef RUNTIME_MODEL_SEARCH_H
#define RUNTIME_MODEL_SEARCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "runtime/model/decoder.h"
#include "runtime/train/token_ids.h"

enum { SEARCH_BEAM_MAX = 64, SEARCH_TEXTS_MAX = 256 };

enum search_kind {
	SEARCH_GREEDY,
	SEARCH_SAMPLE,
	/* Tensor2Tensor's: `beam` texts alive, as many finished; a finished one's score is its log probability over
	 * ((5 + length) / 6) ^ alpha, the length with its end; it ends when no text alive can become better than the worst finished one. */
	SEARCH_BEAM,
};

struct search_options {
	enum search_kind kind;
	int32_t end, never; /* the token that ends a text; one that is in none */
	size_t min_tokens, max_tokens; /* without the end */
	double temperature, top_p; /* of SEARCH_SAMPLE; top_p 1: all */
	size_t top_k; /* 0: all */
	uint64_t seed; /* with a text's number and the place in it: what chance gives does not depend on other texts */
	size_t beam;
	double alpha;
};

/* Slots of a decoder for n texts at a time. */
size_t search_slots(const struct search_options *options, size_t n);

/* Goes on from n prompts, the numbers of the texts being first, first + 1…; appends to ret[0] to ret[n - 1], without the end. A prompt and
 * max_tokens fit into the decoder's length. */
int search_run(struct decoder *decoder, const struct search_options *options, const struct token_ids *prompts, size_t n, uint64_t first,
	struct token_ids *ret, struct error *err);

#endif
