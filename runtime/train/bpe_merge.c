/* One piece of text: its bytes are merged, the pair of the lowest rank first, of equal ones the leftmost. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "runtime/train/bpe_private.h"
#include "runtime/train/heap.h"

enum { SHORT_MAX = 64 /* bytes: up to here looking through all pairs beats a heap */ };

static void
merge_short(const struct bpe *bpe, uint32_t *ids, size_t n, struct token_ids *ret)
{
	uint32_t ranks[SHORT_MAX];

	for (size_t i = 0; i + 1 < n; i++)
		ranks[i] = bpe_rank(bpe, ids[i], ids[i + 1]);
	while (n > 1) {
		size_t best = 0;

		for (size_t i = 1; i + 1 < n; i++)
			if (ranks[i] < ranks[best])
				best = i;
		if (ranks[best] == BPE_NO_ID)
			break;
		ids[best] = bpe->merges.items[ranks[best]].id;
		n--;
		memmove(ids + best + 1, ids + best + 2, (n - best - 1) * sizeof(*ids));
		if (best + 1 < n)
			memmove(ranks + best + 1, ranks + best + 2, (n - best - 2) * sizeof(*ranks));
		if (best)
			ranks[best - 1] = bpe_rank(bpe, ids[best - 1], ids[best]);
		if (best + 1 < n)
			ranks[best] = bpe_rank(bpe, ids[best], ids[best + 1]);
	}
	vec_reserve((void **)&ret->items, &ret->cap, ret->n + n, sizeof(*ret->items));
	memcpy(ret->items + ret->n, ids, n * sizeof(*ids));
	ret->n += n;
}

/* ---- long pieces ---- */

struct part {
	uint32_t id;
	size_t before, after; /* SIZE_MAX: none */
	bool gone; /* merged into the one before */
};

struct candidate {
	uint32_t rank;
	size_t at;
};

struct heap {
	struct candidate *items;
	size_t n, cap;
};

static bool
is_before(const struct candidate *a, const struct candidate *b)
{
	return a->rank < b->rank || (a->rank == b->rank && a->at < b->at);
}

HEAP(heap, struct heap, struct candidate, is_before)

static void
consider(const struct bpe *bpe, struct heap *heap, const struct part *parts, size_t at)
{
	uint32_t rank;

	if (at == SIZE_MAX || parts[at].after == SIZE_MAX)
		return;
	rank = bpe_rank(bpe, parts[at].id, parts[parts[at].after].id);
	if (rank != BPE_NO_ID)
		heap_push(heap, (struct candidate){ rank, at });
}

/* Merges the pair that the candidate names, unless one of the two has changed since. */
static void
take(const struct bpe *bpe, struct heap *heap, struct part *parts, struct candidate c)
{
	const struct bpe_merge *merge = &bpe->merges.items[c.rank];
	struct part *left = &parts[c.at], *right;

	if (left->gone || left->after == SIZE_MAX || left->id != merge->left || parts[left->after].id != merge->right)
		return;
	right = &parts[left->after];
	left->id = merge->id;
	right->gone = true;
	left->after = right->after;
	if (left->after != SIZE_MAX)
		parts[left->after].before = c.at;
	consider(bpe, heap, parts, left->before);
	consider(bpe, heap, parts, c.at);
}

static void
merge_long(const struct bpe *bpe, const char *piece, size_t len, struct token_ids *ret)
{
	CLEANUP(freep) struct part *parts = xmalloc(len * sizeof(*parts));
	struct heap heap = { 0 };

	for (size_t i = 0; i < len; i++)
		parts[i] = (struct part){ bpe->byte_ids[(unsigned char)piece[i]], i ? i - 1 : SIZE_MAX, i + 1 < len ? i + 1 : SIZE_MAX, false };
	for (size_t i = 0; i < len; i++)
		consider(bpe, &heap, parts, i);
	while (heap.n)
		take(bpe, &heap, parts, heap_pop(&heap));
	for (size_t i = 0; i != SIZE_MAX; i = parts[i].after)
		vec_push(ret, parts[i].id);
	vec_release(&heap);
}

/* ---- words met before ---- */

static void
merge_piece(const struct bpe *bpe, const char *piece, size_t len, struct token_ids *ret)
{
	uint32_t ids[SHORT_MAX], whole = bpe->ignore_merges ? bpe_find_token(bpe, piece, len) : BPE_NO_ID;

	if (whole != BPE_NO_ID) {
		vec_push(ret, whole);
		return;
	}
	if (len > SHORT_MAX) {
		merge_long(bpe, piece, len, ret);
		return;
	}
	for (size_t i = 0; i < len; i++)
		ids[i] = bpe->byte_ids[(unsigned char)piece[i]];
	merge_short(bpe, ids, len, ret);
}

void
bpe_encode_piece(struct bpe *bpe, const char *piece, size_t len, struct token_ids *ret)
{
	struct bpe_cached *cached;
	size_t before = ret->n;

	if (len > BPE_CACHED_BYTES) {
		merge_piece(bpe, piece, len, ret);
		return;
	}
	cached = &bpe->cache[bpe_hash(piece, len) >> (64 - BPE_CACHE_BITS)];
	if (cached->len == len && !memcmp(cached->bytes, piece, len)) {
		vec_reserve((void **)&ret->items, &ret->cap, ret->n + cached->n, sizeof(*ret->items));
		memcpy(ret->items + ret->n, cached->ids, cached->n * sizeof(*cached->ids));
		ret->n += cached->n;
		return;
	}
	merge_piece(bpe, piece, len, ret);
	if (ret->n - before > BPE_CACHED_IDS)
		return;
	cached->len = (uint8_t)len;
	cached->n = (uint8_t)(ret->n - before);
	memcpy(cached->bytes, piece, len);
	memcpy(cached->ids, ret->items + before, cached->n * sizeof(*cached->ids));
}
