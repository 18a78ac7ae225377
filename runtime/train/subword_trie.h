/* The strings of a vocabulary and those that may become one, character by character: a node is the string that leads to it. Node 0 is the
 * empty string. */
#ifndef RUNTIME_TRAIN_SUBWORD_TRIE_H
#define RUNTIME_TRAIN_SUBWORD_TRIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { SUBWORD_NODES_MAX = 1 << 24 };
#define SUBWORD_NO_NODE UINT32_MAX

struct subword_node {
	int64_t count; /* how often the string stands in the texts */
	uint32_t parent, character;
	uint32_t depth; /* characters */
	bool piece; /* of the vocabulary */
};

struct subword_trie {
	struct subword_node *items;
	size_t n, cap;
	uint32_t *slots; /* parent and character to node; 0 is free */
	size_t mask;
};

/* Empty, with no more than node 0; what was there is released. */
void subword_trie_reset(struct subword_trie *trie);
void subword_trie_release(struct subword_trie *trie);
/* The node's string and one character more, SUBWORD_NO_NODE if there is none. */
uint32_t subword_trie_find(const struct subword_trie *trie, uint32_t node, uint32_t character);
/* The same, made if it is not there; SUBWORD_NO_NODE when there are too many. */
uint32_t subword_trie_child(struct subword_trie *trie, uint32_t node, uint32_t character);
/* Appends the node's string. */
void subword_trie_write(const struct subword_trie *trie, uint32_t node, struct buf *ret);

#endif
