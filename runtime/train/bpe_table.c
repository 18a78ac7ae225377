#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "runtime/train/bpe_private.h"

static uint64_t
mix(uint64_t a)
{
	a ^= a >> 32;
	a *= 0x9E3779B97F4A7C15u;
	return a ^ (a >> 29);
}

uint64_t
bpe_hash(const char *bytes, size_t len)
{
	uint64_t hash = len * 0xD6E8FEB86659FD93u, word = 0;

	for (; len >= 8; bytes += 8, len -= 8) {
		memcpy(&word, bytes, 8);
		hash = mix(hash ^ word) * 0xBF58476D1CE4E5B9u;
	}
	word = 0;
	for (size_t i = 0; i < len; i++)
		word |= (uint64_t)(unsigned char)bytes[i] << (8 * i);
	return mix(mix(hash ^ word) + word);
}

void
bpe_set_token(struct bpe *bpe, uint32_t id, const char *bytes, size_t len, bool literal)
{
	static const struct bpe_token none = { 0 };

	while (bpe->tokens.n <= id)
		vec_push(&bpe->tokens, none);
	bpe->tokens.items[id] = (struct bpe_token){ .start = bpe->bytes.len, .len = (uint32_t)len, .used = true, .literal = literal };
	buf_add(&bpe->bytes, bytes, len);
}

void
bpe_add_added(struct bpe *bpe, const struct bpe_added *added)
{
	size_t at;

	vec_push(&bpe->added, *added);
	for (at = bpe->added.n - 1; at && bpe->added.items[at - 1].len < added->len; at--)
		bpe->added.items[at] = bpe->added.items[at - 1];
	bpe->added.items[at] = *added;
	bpe->tokens.items[added->id].special = added->special;
	bpe->added_begins[(unsigned char)added->text[0]] = true;
}

static size_t
slots_for(size_t n)
{
	size_t slots = 16;

	while (slots < 2 * n)
		slots *= 2;
	return slots;
}

void
bpe_reserve_tokens(struct bpe *bpe, size_t n)
{
	size_t slots = slots_for(n);

	free(bpe->token_slots);
	bpe->token_slots = xcalloc(slots, sizeof(*bpe->token_slots));
	bpe->token_mask = slots - 1;
}

void
bpe_place_token(struct bpe *bpe, uint32_t id)
{
	const struct bpe_token *token = &bpe->tokens.items[id];
	size_t at = bpe_hash(bpe->bytes.data + token->start, token->len) & bpe->token_mask;

	while (bpe->token_slots[at])
		at = (at + 1) & bpe->token_mask;
	bpe->token_slots[at] = id + 1;
}

uint32_t
bpe_find_token(const struct bpe *bpe, const char *bytes, size_t len)
{
	for (size_t at = bpe_hash(bytes, len) & bpe->token_mask; bpe->token_slots[at]; at = (at + 1) & bpe->token_mask) {
		uint32_t id = bpe->token_slots[at] - 1;
		const struct bpe_token *token = &bpe->tokens.items[id];

		if (token->len == len && !memcmp(bpe->bytes.data + token->start, bytes, len))
			return id;
	}
	return BPE_NO_ID;
}

void
bpe_index_merges(struct bpe *bpe)
{
	size_t slots = slots_for(bpe->merges.n);

	free(bpe->pair_slots);
	bpe->pair_slots = xmalloc(slots * sizeof(*bpe->pair_slots));
	bpe->pair_mask = slots - 1;
	for (size_t i = 0; i < slots; i++)
		bpe->pair_slots[i] = (struct bpe_slot){ 0, BPE_NO_ID };
	for (uint32_t rank = 0; rank < bpe->merges.n; rank++) {
		const struct bpe_merge *merge = &bpe->merges.items[rank];
		uint64_t pair = (uint64_t)merge->left << 32 | merge->right;
		size_t at = mix(pair) & bpe->pair_mask;

		while (bpe->pair_slots[at].rank != BPE_NO_ID && bpe->pair_slots[at].pair != pair)
			at = (at + 1) & bpe->pair_mask;
		/* A pair that stands twice has its later rank, as in `tokenizers`. */
		bpe->pair_slots[at] = (struct bpe_slot){ pair, rank };
	}
}

uint32_t
bpe_rank(const struct bpe *bpe, uint32_t left, uint32_t right)
{
	uint64_t pair = (uint64_t)left << 32 | right;

	for (size_t at = mix(pair) & bpe->pair_mask;; at = (at + 1) & bpe->pair_mask)
		if (bpe->pair_slots[at].pair == pair || bpe->pair_slots[at].rank == BPE_NO_ID)
			return bpe->pair_slots[at].rank;
}

int
bpe_index(struct bpe *bpe, struct error *err)
{
	if (bpe->bytes.overflow)
		return error_set(err, "the tokens are longer than %d bytes together", BUF_DEFAULT_MAX);
	bpe_reserve_tokens(bpe, bpe->tokens.n);
	/* What is written otherwise than by its bytes is reached as an added token only. */
	for (uint32_t id = 0; id < bpe->tokens.n; id++)
		if (bpe->tokens.items[id].used && !bpe->tokens.items[id].literal)
			bpe_place_token(bpe, id);
	bpe_index_merges(bpe);
	for (unsigned byte = 0; byte < 256; byte++) {
		bpe->byte_ids[byte] = bpe_find_token(bpe, &(char){ (char)byte }, 1);
		if (bpe->byte_ids[byte] == BPE_NO_ID)
			return error_set(err, "the vocabulary has no token for the byte 0x%02X: this is not byte-level BPE", byte);
	}
	bpe->cache = xcalloc((size_t)1 << BPE_CACHE_BITS, sizeof(*bpe->cache));
	return 0;
}
