/* A growing run of token ids, filled by the tokenizers: zero-initialise it, push with vec_push, end with vec_release. */
#ifndef RUNTIME_TRAIN_TOKEN_IDS_H
#define RUNTIME_TRAIN_TOKEN_IDS_H

#include <stddef.h>
#include <stdint.h>

struct token_ids {
	uint32_t *items;
	size_t n, cap;
};

#endif
