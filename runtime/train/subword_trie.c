#include "config.h"

#include "runtime/train/subword_trie.h"

#include <stdlib.h>

#include "base/macros.h"
#include "base/utf8.h"

void
subword_trie_release(struct subword_trie *trie)
{
	vec_release(trie);
	freep(&trie->slots);
}

void
subword_trie_reset(struct subword_trie *trie)
{
	subword_trie_release(trie);
	trie->mask = (1 << 12) - 1;
	trie->slots = xcalloc(trie->mask + 1, sizeof(*trie->slots));
	vec_push(trie, (struct subword_node){ 0 });
}

/* The place of this child: taken by it, or free. */
static size_t
slot_of(const struct subword_trie *trie, uint32_t node, uint32_t character)
{
	uint64_t hash = ((uint64_t)node << 32 | character) * 0x9E3779B97F4A7C15u;
	size_t at = (hash ^ hash >> 29) & trie->mask;

	for (; trie->slots[at]; at = (at + 1) & trie->mask) {
		const struct subword_node *child = &trie->items[trie->slots[at]];

		if (child->parent == node && child->character == character)
			break;
	}
	return at;
}

static void
grow(struct subword_trie *trie)
{
	free(trie->slots);
	trie->mask = 2 * trie->mask + 1;
	trie->slots = xcalloc(trie->mask + 1, sizeof(*trie->slots));
	for (uint32_t i = 1; i < trie->n; i++)
		trie->slots[slot_of(trie, trie->items[i].parent, trie->items[i].character)] = i;
}

uint32_t
subword_trie_find(const struct subword_trie *trie, uint32_t node, uint32_t character)
{
	uint32_t child = trie->slots[slot_of(trie, node, character)];

	return child ? child : SUBWORD_NO_NODE;
}

uint32_t
subword_trie_child(struct subword_trie *trie, uint32_t node, uint32_t character)
{
	size_t at = slot_of(trie, node, character);
	uint32_t child = trie->slots[at];

	if (child)
		return child;
	if (trie->n == SUBWORD_NODES_MAX)
		return SUBWORD_NO_NODE;
	child = (uint32_t)trie->n;
	vec_push(trie, ((struct subword_node){ .parent = node, .character = character, .depth = trie->items[node].depth + 1 }));
	trie->slots[at] = child;
	if (2 * trie->n > trie->mask)
		grow(trie);
	return child;
}

void
subword_trie_write(const struct subword_trie *trie, uint32_t node, struct buf *ret)
{
	size_t from = ret->len;
	char bytes[4];

	for (uint32_t at = node; at; at = trie->items[at].parent) {
		size_t n = utf8_encode(trie->items[at].character, bytes);

		/* The characters come last first, and so do their bytes. */
		while (n)
			buf_putc(ret, bytes[--n]);
	}
	for (size_t left = from, right = ret->len; left + 1 < right; left++) {
		char last = ret->data[--right];

		ret->data[right] = ret->data[left];
		ret->data[left] = last;
	}
}
