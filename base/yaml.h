/* YAML text as values, with the place of every node in the text.
 *
 * What is read is what PyYAML's safe loader reads, YAML 1.1: plain `yes`, `off` are Booleans, `0x1F`, `0b11`, `017` and `1:30`
 * Integers, `1e3` without a point is a String; merge keys (`<<`) are carried out; keys keep their order. Different from it: dates
 * stay Strings; a key is always a String (the text as it stands); an Integer past 64 bits is a Float, as in base/value.h; a key
 * given twice, tags other than !!str !!int !!float !!bool !!null !!seq !!map, aliases to a node that holds them, and NUL
 * characters are refused.
 *
 * Made for hostile text: aliases are shared, not copied, but what a reader who follows them would see is counted against
 * YAML_NODES_MAX and YAML_TEXT_MAX. */
#ifndef BASE_YAML_H
#define BASE_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/source.h"
#include "base/value.h"

enum {
	YAML_DEPTH_MAX = 100, /* lists and dicts within each other */
	YAML_NODES_MAX = 250000, /* aliases expanded */
	YAML_TEXT_MAX = 32 * 1024 * 1024, /* bytes of keys and scalars, aliases expanded */
	YAML_DOCUMENTS_MAX = 64,
};

/* A node of the text. The trees of nodes and of values have the same shape. */
struct yaml_node {
	const struct value *value;
	struct span span; /* with anchor and tag, to the end of its last item */
	bool plain; /* a scalar without quotes */
	const struct yaml_node *const *items; /* of a List or Dict, in the value's order */
	const struct span *keys; /* of a Dict */
	size_t n;
	/* What it counts for, with everything in it. */
	size_t weight, text_weight;
};

struct yaml {
	const struct yaml_node *const *documents;
	size_t n; /* 0 for a text of nothing but blanks and comments */
};

/* What is wrong with the text, and where. */
struct yaml_problem {
	struct error error;
	struct span span;
	struct span other; /* the first of two equal keys; its source is NULL otherwise */
};

/* Returns 0, or -1 with *ret_problem. The nodes live in the arena; spans borrow the source. */
int yaml_read(struct arena *arena, struct source *source, struct yaml *ret, struct yaml_problem *ret_problem);

/* The item of a Dict with that key; NULL if it is absent or the node is NULL or no Dict. */
const struct yaml_node *yaml_get(const struct yaml_node *dict, const char *key);

#endif
