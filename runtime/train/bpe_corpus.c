#include "config.h"

#include "runtime/train/bpe_corpus.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"

void
bpe_corpus_init(struct bpe_corpus *corpus)
{
	*corpus = (struct bpe_corpus){ .split.cut = BPE_CUT_GPT2, .bytes.max = BPE_CORPUS_MAX, .slot_mask = (1 << 16) - 1 };
	corpus->slots = xcalloc(corpus->slot_mask + 1, sizeof(*corpus->slots));
}

void
bpe_corpus_release(struct bpe_corpus *corpus)
{
	bpe_split_release(&corpus->split);
	buf_release(&corpus->bytes);
	freep(&corpus->pieces);
	freep(&corpus->slots);
}

static void
place(struct bpe_corpus *corpus, uint32_t piece)
{
	const struct bpe_counted *p = &corpus->pieces[piece];
	size_t at = bpe_hash(corpus->bytes.data + p->start, p->len) & corpus->slot_mask;

	while (corpus->slots[at])
		at = (at + 1) & corpus->slot_mask;
	corpus->slots[at] = piece + 1;
}

static void
grow(struct bpe_corpus *corpus)
{
	free(corpus->slots);
	corpus->slot_mask = 2 * corpus->slot_mask + 1;
	corpus->slots = xcalloc(corpus->slot_mask + 1, sizeof(*corpus->slots));
	for (uint32_t i = 0; i < corpus->n; i++)
		place(corpus, i);
}

int
bpe_corpus_count(struct bpe_corpus *corpus, const char *piece, size_t len)
{
	for (size_t at = bpe_hash(piece, len) & corpus->slot_mask; corpus->slots[at]; at = (at + 1) & corpus->slot_mask) {
		struct bpe_counted *known = &corpus->pieces[corpus->slots[at] - 1];

		if (known->len == len && !memcmp(corpus->bytes.data + known->start, piece, len)) {
			known->count++;
			return 0;
		}
	}
	if (corpus->n == BPE_PIECES_MAX || len > UINT32_MAX)
		return -1;
	vec_reserve((void **)&corpus->pieces, &corpus->cap, corpus->n + 1, sizeof(*corpus->pieces));
	corpus->pieces[corpus->n] = (struct bpe_counted){ corpus->bytes.len, (uint32_t)len, 1 };
	buf_add(&corpus->bytes, piece, len);
	if (corpus->bytes.overflow)
		return -1;
	place(corpus, (uint32_t)corpus->n++);
	if (2 * corpus->n > corpus->slot_mask)
		grow(corpus);
	return 0;
}

static int
count_piece(void *context, const char *piece, size_t len)
{
	return bpe_corpus_count(context, piece, len);
}

int
bpe_corpus_add(struct bpe_corpus *corpus, const char *text, size_t len, struct error *err)
{
	return bpe_split_text(&corpus->split, text, len, count_piece, corpus, err) ? bpe_corpus_full(err) : 0;
}

int
bpe_corpus_full(struct error *err)
{
	return error_set(err, "the corpus has more than %d different words, or %zu bytes of them", BPE_PIECES_MAX, BPE_CORPUS_MAX);
}
