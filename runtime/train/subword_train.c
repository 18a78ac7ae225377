#include "config.h"

#include "runtime/train/subword_train.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "base/utf8.h"
#include "runtime/train/subword_trie.h"

enum { ROUNDS = 4, LEAST_MAX = 1000, TEXT_MAX = 1 << 30 /* bytes of a vocabulary */ };

/* The ids 0 and 1, escaped as words are. No word of a text is one of them, for letters and brackets are never in one word. */
static const char *const RESERVED[] = { "<pad>_", "<EOS>_" };

struct word {
	uint32_t start, end; /* in characters, escaped */
	int64_t count;
};

/* Where a string begins, and how far it has been read. */
struct place {
	uint32_t at, word, node;
};

struct piece {
	int64_t count;
	size_t start; /* in text */
	uint32_t len, node;
};

struct training {
	const struct subword_train_options *options;
	VEC(uint32_t) characters; /* of all words */
	VEC(struct word) words;
	VEC(struct place) places;
	VEC(uint32_t) alphabet;
	struct subword_trie trie;
	struct buf text; /* of the pieces */
	VEC(struct piece) pieces; /* in the order of their ids, behind the reserved ones */
};

/* ---- words ---- */

static int
count_word(void *context, const char *word, size_t len)
{
	return bpe_corpus_count(context, word, len);
}

int
subword_corpus_add(struct bpe_corpus *corpus, const char *text, size_t len, struct error *err)
{
	return subword_words(text, len, count_word, corpus) ? bpe_corpus_full(err) : 0;
}

static void
add_text(struct training *t, const char *text)
{
	for (; *text; text++)
		vec_push(&t->characters, (uint32_t)(unsigned char)*text);
}

/* All characters of the words are in the alphabet, so that a newline is the only one to be written as a number. */
static void
add_word(struct training *t, const char *bytes, size_t len, int64_t count)
{
	uint32_t start = (uint32_t)t->characters.n, character;

	for (size_t at = 0; at < len;) {
		at += utf8_decode(bytes + at, len - at, &character);
		if (subword_trie_find(&t->trie, 0, character) == SUBWORD_NO_NODE) {
			subword_trie_child(&t->trie, 0, character);
			vec_push(&t->alphabet, character);
		}
		if (character == '\\' || character == '_' || character == '\n')
			add_text(t, character == '\\' ? "\\\\" : character == '_' ? "\\u" : "\\10;");
		else
			vec_push(&t->characters, character);
	}
	add_text(t, "_");
	vec_push(&t->words, ((struct word){ start, (uint32_t)t->characters.n, count }));
}

static int
begin(struct training *t, const struct bpe_corpus *corpus, struct error *err)
{
	static const char always[] = "\\_u;0123456789<pad>EOS";

	subword_trie_reset(&t->trie);
	add_word(t, always, strlen(always), 0);
	for (size_t i = 0; i < corpus->n; i++) {
		const struct bpe_counted *piece = &corpus->pieces[i];

		add_word(t, corpus->bytes.data + piece->start, piece->len, piece->count);
		if (t->characters.n > SUBWORD_CHARACTERS_MAX)
			return error_set(err, "the texts have more than %d characters of different words", SUBWORD_CHARACTERS_MAX);
	}
	return 0;
}

/* ---- one round ---- */

/* A place for each piece that the vocabulary cuts the word into. */
static void
cut_word(struct training *t, uint32_t word)
{
	const struct word *w = &t->words.items[word];

	for (uint32_t at = w->start, next; at < w->end; at = next) {
		uint32_t node = 0;

		next = at + 1;
		for (uint32_t end = at; end < w->end; end++) {
			node = subword_trie_find(&t->trie, node, t->characters.items[end]);
			if (node == SUBWORD_NO_NODE)
				break;
			if (t->trie.items[node].piece)
				next = end + 1;
		}
		vec_push(&t->places, ((struct place){ at, word, 0 }));
	}
}

/* Strings one character longer at a time: what a rare string begins is rarer still, and need not be counted. */
static int
count_strings(struct training *t, int64_t least, struct error *err)
{
	t->places.n = 0;
	for (uint32_t i = 0; i < t->words.n; i++)
		cut_word(t, i);
	for (uint32_t length = 0; t->places.n && length + 1 < t->options->length; length++) {
		size_t kept = 0;

		for (size_t i = 0; i < t->places.n; i++) {
			struct place place = t->places.items[i];
			const struct word *w = &t->words.items[place.word];

			if (place.at + length >= w->end || (length && t->trie.items[place.node].count < least))
				continue;
			place.node = subword_trie_child(&t->trie, place.node, t->characters.items[place.at + length]);
			if (place.node == SUBWORD_NO_NODE)
				return error_set(err, "the texts have too many different strings that stand there %lld times; lower the length of a subword",
					(long long)least);
			t->trie.items[place.node].count += w->count;
			t->places.items[kept++] = place;
		}
		t->places.n = kept;
	}
	return 0;
}

static void
add_piece(struct training *t, uint32_t node, int64_t count)
{
	size_t start = t->text.len;

	subword_trie_write(&t->trie, node, &t->text);
	vec_push(&t->pieces, ((struct piece){ count, start, (uint32_t)(t->text.len - start), node }));
}

/* The nodes by their depth, deepest first. */
static uint32_t *
by_depth(const struct subword_trie *trie)
{
	size_t ends[SUBWORD_LENGTH_MAX + 2] = { 0 };
	uint32_t *ret = xmalloc(trie->n * sizeof(*ret));

	for (size_t i = 0; i < trie->n; i++)
		ends[trie->items[i].depth]++;
	for (size_t depth = SUBWORD_LENGTH_MAX + 1; depth; depth--)
		ends[depth - 1] += ends[depth];
	for (size_t i = trie->n; i--;)
		ret[--ends[trie->items[i].depth]] = (uint32_t)i;
	return ret;
}

static void
choose(struct training *t, int64_t least)
{
	struct subword_node *nodes = t->trie.items;
	CLEANUP(freep) uint32_t *order = by_depth(&t->trie);

	t->pieces.n = 0;
	buf_clear(&t->text);
	for (size_t i = 0; i < t->trie.n; i++) {
		const struct subword_node *node = &nodes[order[i]];

		if (node->depth > 1 && node->count >= least) {
			add_piece(t, order[i], node->count);
			for (uint32_t at = node->parent; at; at = nodes[at].parent)
				nodes[at].count -= node->count;
		}
	}
	for (size_t i = 0; i < t->alphabet.n; i++) {
		uint32_t node = subword_trie_find(&t->trie, 0, t->alphabet.items[i]);

		add_piece(t, node, nodes[node].count);
	}
}

static int
compare_pieces(const void *left, const void *right, void *context)
{
	const struct piece *a = left, *b = right;
	const char *text = context;
	int order;

	if (a->count != b->count)
		return a->count < b->count ? 1 : -1;
	order = memcmp(text + b->start, text + a->start, a->len < b->len ? a->len : b->len);
	return order ? order : (a->len < b->len) - (a->len > b->len);
}

/* The commonest first. */
static int
sort_pieces(struct training *t, struct error *err)
{
	if (t->text.overflow)
		return error_set(err, "the vocabulary would have more than %d bytes; lower the length of a subword", TEXT_MAX);
	qsort_r(t->pieces.items, t->pieces.n, sizeof(*t->pieces.items), compare_pieces, t->text.data);
	return 0;
}

/* A trie of no more than the vocabulary. */
static void
take_pieces(struct training *t)
{
	subword_trie_reset(&t->trie);
	for (size_t i = 0; i < t->pieces.n; i++) {
		const struct piece *piece = &t->pieces.items[i];
		uint32_t node = 0, character;

		for (size_t at = 0; at < piece->len;) {
			at += utf8_decode(t->text.data + piece->start + at, piece->len - at, &character);
			node = subword_trie_child(&t->trie, node, character);
		}
		t->trie.items[node].piece = true;
	}
}

static int
build(struct training *t, int64_t least, struct error *err)
{
	subword_trie_reset(&t->trie);
	for (size_t i = 0; i < t->alphabet.n; i++) {
		uint32_t node = subword_trie_child(&t->trie, 0, t->alphabet.items[i]);

		t->trie.items[node].piece = true;
	}
	for (int round = 0; round < ROUNDS; round++) {
		if (count_strings(t, least, err))
			return -1;
		choose(t, least);
		if (sort_pieces(t, err))
			return -1;
		take_pieces(t);
	}
	return 0;
}

/* ---- the right size ---- */

static void
write_file(const struct training *t, struct buf *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(RESERVED); i++)
		buf_printf(ret, "'%s'\n", RESERVED[i]);
	for (size_t i = 0; i < t->pieces.n; i++) {
		buf_putc(ret, '\'');
		buf_add(ret, t->text.data + t->pieces.items[i].start, t->pieces.items[i].len);
		buf_puts(ret, "'\n");
	}
}

static int64_t
distance(int64_t size, int64_t wanted)
{
	return size > wanted ? size - wanted : wanted - size;
}

/* Halves as Tensor2Tensor does; of what it meets the first that is nearest counts. */
static int
search(struct training *t, struct buf *file, struct subword_trained *ret, struct error *err)
{
	int64_t low = 1, high = LEAST_MAX, wanted = t->options->size, nearest = INT64_MAX;

	for (;;) {
		int64_t least = (low + high) / 2, size;

		if (build(t, least ? least : 1, err))
			return -1;
		size = (int64_t)(t->pieces.n + ARRAY_LEN(RESERVED));
		if (distance(size, wanted) < nearest) {
			nearest = distance(size, wanted);
			*ret = (struct subword_trained){ (uint32_t)size, (uint32_t)(least ? least : 1) };
			buf_clear(file);
			write_file(t, file);
		}
		if (distance(size, wanted) * 100 < wanted || low >= high || least < 2)
			break;
		if (size > wanted)
			low = least + 1;
		else
			high = least - 1;
	}
	if (ret->size > SUBWORD_IDS_MAX || file->overflow)
		return error_set(err, "the vocabulary would have %u subwords, and more than %d are not read", ret->size, SUBWORD_IDS_MAX);
	return 0;
}

int
subword_train(const struct bpe_corpus *corpus, const struct subword_train_options *options, struct buf *file, struct subword_trained *ret,
	struct error *err)
{
	struct training t = { .options = options, .text.max = TEXT_MAX };
	int result;

	if (!options->size || options->size > SUBWORD_IDS_MAX || options->length < 2 || options->length > SUBWORD_LENGTH_MAX)
		return error_set(err, "a vocabulary has up to %d subwords, each of fewer than 2 to %d characters", SUBWORD_IDS_MAX, SUBWORD_LENGTH_MAX);
	result = begin(&t, corpus, err) || search(&t, file, ret, err) ? -1 : 0;
	subword_trie_release(&t.trie);
	vec_release(&t.characters);
	vec_release(&t.words);
	vec_release(&t.places);
	vec_release(&t.alphabet);
	vec_release(&t.pieces);
	buf_release(&t.text);
	return result;
}
