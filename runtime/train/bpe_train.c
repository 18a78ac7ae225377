/* The commonest pair of neighbours becomes a token, of equally common ones that of the smaller ids, until there are enough. Counts
 * of pairs are kept up to date; a heap holds each pair with a count that may be old, which is looked at again when it comes up. */
#include "config.h"

#include "runtime/train/bpe_train.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "runtime/train/heap.h"

struct places {
	uint32_t *items; /* words */
	size_t n, cap;
};

struct pair {
	uint64_t key; /* left << 32 | right */
	int64_t count;
	struct places new; /* words in which it came up by the merge at hand */
};

struct entry {
	int64_t count; /* when it was put into the heap */
	uint64_t key;
	uint32_t pair;
	struct places places;
};

struct word {
	size_t start; /* in symbols */
	uint32_t n;
	int64_t count;
};

struct training {
	struct bpe *bpe;
	size_t size;
	VEC(uint32_t) symbols; /* of all words */
	VEC(struct word) words;
	VEC(struct pair) pairs;
	uint32_t *slots; /* key to pair + 1; 0 is free */
	size_t slot_mask;
	VEC(uint32_t) touched; /* pairs with new places */
	struct heap {
		struct entry *items;
		size_t n, cap;
	} heap;
};

/* ---- pairs ---- */

static size_t
slot_of(const struct training *t, uint64_t key)
{
	uint64_t hash = (key ^ key >> 29) * 0x9E3779B97F4A7C15u;
	size_t at = (hash ^ hash >> 32) & t->slot_mask;

	while (t->slots[at] && t->pairs.items[t->slots[at] - 1].key != key)
		at = (at + 1) & t->slot_mask;
	return at;
}

static void
grow(struct training *t)
{
	free(t->slots);
	t->slot_mask = 2 * t->slot_mask + 1;
	t->slots = xcalloc(t->slot_mask + 1, sizeof(*t->slots));
	for (uint32_t i = 0; i < t->pairs.n; i++)
		t->slots[slot_of(t, t->pairs.items[i].key)] = i + 1;
}

static uint32_t
pair_of(struct training *t, uint32_t left, uint32_t right)
{
	uint64_t key = (uint64_t)left << 32 | right;
	size_t at = slot_of(t, key);

	if (!t->slots[at]) {
		vec_push(&t->pairs, ((struct pair){ .key = key }));
		t->slots[at] = (uint32_t)t->pairs.n;
		if (2 * t->pairs.n > t->slot_mask)
			grow(t);
		return (uint32_t)t->pairs.n - 1;
	}
	return t->slots[at] - 1;
}

static void
count_pair(struct training *t, uint32_t left, uint32_t right, int64_t change, uint32_t word)
{
	uint32_t index = pair_of(t, left, right);
	struct pair *pair = &t->pairs.items[index];

	pair->count += change;
	if (change < 0)
		return;
	if (!pair->new.n)
		vec_push(&t->touched, index);
	if (!pair->new.n || pair->new.items[pair->new.n - 1] != word)
		vec_push(&pair->new, word);
}

/* ---- the heap ---- */

static bool
is_before(const struct entry *a, const struct entry *b)
{
	return a->count > b->count || (a->count == b->count && a->key < b->key);
}

HEAP(heap, struct heap, struct entry, is_before)

/* Pairs that came up go into the heap with the words in which they did. */
static void
push_touched(struct training *t)
{
	for (size_t i = 0; i < t->touched.n; i++) {
		struct pair *pair = &t->pairs.items[t->touched.items[i]];

		if (pair->count > 0)
			heap_push(&t->heap, (struct entry){ pair->count, pair->key, t->touched.items[i], pair->new });
		else
			vec_release(&pair->new);
		pair->new = (struct places){ 0 };
	}
	t->touched.n = 0;
}

/* ---- merging ---- */

/* The two become one wherever they stand in the word. The count of their own pair stays: what it says is not asked again. */
static void
merge_in_word(struct training *t, uint32_t index, uint32_t left, uint32_t right, uint32_t id)
{
	struct word *word = &t->words.items[index];
	uint32_t *symbols = t->symbols.items + word->start, n = 0;

	for (uint32_t i = 0; i < word->n; i++) {
		if (symbols[i] != left || i + 1 == word->n || symbols[i + 1] != right) {
			symbols[n++] = symbols[i];
			continue;
		}
		if (n) {
			count_pair(t, symbols[n - 1], left, -word->count, index);
			count_pair(t, symbols[n - 1], id, word->count, index);
		}
		if (i + 2 < word->n) {
			count_pair(t, right, symbols[i + 2], -word->count, index);
			count_pair(t, id, symbols[i + 2], word->count, index);
		}
		symbols[n++] = id;
		i++;
	}
	word->n = n;
}

static uint32_t
new_token(struct bpe *bpe, uint32_t left, uint32_t right)
{
	const struct bpe_token a = bpe->tokens.items[left], b = bpe->tokens.items[right];
	struct buf text = { 0 };
	uint32_t id;

	buf_add(&text, bpe->bytes.data + a.start, a.len);
	buf_add(&text, bpe->bytes.data + b.start, b.len);
	id = bpe_find_token(bpe, text.data, text.len);
	if (id == BPE_NO_ID) {
		id = (uint32_t)bpe->tokens.n;
		bpe_set_token(bpe, id, text.data, text.len, false);
		bpe_place_token(bpe, id);
	}
	buf_release(&text);
	return id;
}

static void
take(struct training *t, struct entry *best)
{
	struct bpe_merge merge = { (uint32_t)(best->key >> 32), (uint32_t)best->key, 0 };

	merge.id = new_token(t->bpe, merge.left, merge.right);
	vec_push(&t->bpe->merges, merge);
	for (size_t i = 0; i < best->places.n; i++)
		merge_in_word(t, best->places.items[i], merge.left, merge.right, merge.id);
	push_touched(t);
}

/* A run of one letter doubles with each merge; what would be longer than a reader takes is left in two. */
static bool
is_too_long(const struct bpe *bpe, uint64_t key)
{
	return bpe->tokens.items[key >> 32].len + (size_t)bpe->tokens.items[(uint32_t)key].len > BPE_TOKEN_MAX;
}

static void
merge_all(struct training *t, int64_t min_frequency)
{
	while (t->heap.n && t->bpe->tokens.n < t->size) {
		struct entry best = heap_pop(&t->heap);
		int64_t count = t->pairs.items[best.pair].count;

		if (best.count != count) {
			best.count = count;
			heap_push(&t->heap, best);
			continue;
		}
		if (count >= 1 && count >= min_frequency && !is_too_long(t->bpe, best.key))
			take(t, &best);
		vec_release(&best.places);
		if (count < 1 || count < min_frequency)
			break;
	}
}

/* A pair that was merged twice, for its token came up in two ways, counts as the later merge. */
static void
drop_repeated(struct bpe *bpe)
{
	size_t kept = 0;

	for (uint32_t rank = 0; rank < bpe->merges.n; rank++)
		if (bpe_rank(bpe, bpe->merges.items[rank].left, bpe->merges.items[rank].right) == rank)
			bpe->merges.items[kept++] = bpe->merges.items[rank];
	bpe->merges.n = kept;
}

/* ---- beginning and end ---- */

static int
add_special(struct bpe *bpe, const char *text, struct error *err)
{
	struct bpe_added added = { .text = xstrdup(text), .len = strlen(text), .id = (uint32_t)bpe->tokens.n, .special = true };
	bool printable = added.len > 0;

	for (const char *c = text; *c; c++)
		printable = printable && *c > ' ' && *c < 0x7F;
	if (!printable || bpe_find_token(bpe, text, added.len) != BPE_NO_ID) {
		free(added.text);
		return error_set(err, "`%s` is no name of a special token: printable ASCII, and none twice", text);
	}
	bpe_set_token(bpe, added.id, text, added.len, false);
	bpe_place_token(bpe, added.id);
	bpe_add_added(bpe, &added);
	return 0;
}

/* Special tokens, then the bytes in the order of the characters that stand for them. */
static int
begin_vocabulary(struct bpe *bpe, const struct bpe_train_options *options, struct error *err)
{
	if (options->size > BPE_IDS_MAX || options->size < 256 + options->n_special)
		return error_set(err, "a vocabulary of %u is not between %zu (the bytes and the special tokens) and %d", options->size,
			256 + options->n_special, BPE_IDS_MAX);
	bpe_reserve_tokens(bpe, options->size);
	for (size_t i = 0; i < options->n_special; i++)
		if (add_special(bpe, options->special[i], err))
			return -1;
	for (int moved = 0; moved < 2; moved++)
		for (unsigned byte = 0; byte < 256; byte++) {
			char c = (char)byte;

			if (bpe_byte_is_moved(byte) != (moved != 0) || bpe_find_token(bpe, &c, 1) != BPE_NO_ID)
				continue;
			bpe_set_token(bpe, (uint32_t)bpe->tokens.n, &c, 1, false);
			bpe_place_token(bpe, (uint32_t)bpe->tokens.n - 1);
		}
	return 0;
}

static void
begin_words(struct training *t, const struct bpe_corpus *corpus)
{
	for (uint32_t i = 0; i < corpus->n; i++) {
		const struct bpe_counted *piece = &corpus->pieces[i];
		const char *bytes = corpus->bytes.data + piece->start;

		vec_push(&t->words, ((struct word){ t->symbols.n, piece->len, piece->count }));
		for (uint32_t b = 0; b < piece->len; b++)
			vec_push(&t->symbols, bpe_find_token(t->bpe, bytes + b, 1));
		for (uint32_t b = 0; b + 1 < piece->len; b++) {
			const uint32_t *symbols = t->symbols.items + t->words.items[i].start + b;

			count_pair(t, symbols[0], symbols[1], piece->count, i);
		}
	}
	push_touched(t);
}

static void
training_release(struct training *t)
{
	for (size_t i = 0; i < t->heap.n; i++)
		vec_release(&t->heap.items[i].places);
	vec_release(&t->heap);
	vec_release(&t->symbols);
	vec_release(&t->words);
	vec_release(&t->pairs);
	vec_release(&t->touched);
	free(t->slots);
}

struct bpe *
bpe_train(const struct bpe_corpus *corpus, const struct bpe_train_options *options, struct error *err)
{
	struct training t = { .bpe = xcalloc(1, sizeof(*t.bpe)), .size = options->size, .slot_mask = (1 << 16) - 1 };
	int result;

	t.slots = xcalloc(t.slot_mask + 1, sizeof(*t.slots));
	t.bpe->split.cut = corpus->split.cut;
	t.bpe->split.add_prefix_space = corpus->split.add_prefix_space;
	result = begin_vocabulary(t.bpe, options, err);
	if (!result) {
		begin_words(&t, corpus);
		merge_all(&t, options->min_frequency);
		bpe_index_merges(t.bpe);
		drop_repeated(t.bpe);
		result = bpe_index(t.bpe, err);
	}
	training_release(&t);
	if (!result)
		return t.bpe;
	bpe_free(t.bpe);
	return NULL;
}
