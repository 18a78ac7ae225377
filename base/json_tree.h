/* A value made of what a JSON scan tells: for the part of a long text that is wanted as a whole.
 *
 *     json_tree_init(&tree, arena);
 *     … in `told`: json_tree_add(&tree, event, text, len, err) …
 *     value = tree.value;
 *
 * As value_read_json, but that a number outside of 64 bits is a Float, so that what others wrote can be read whatever they count,
 * and that JSON_RAW and JSON_PIECE have no place in it. */
#ifndef BASE_JSON_TREE_H
#define BASE_JSON_TREE_H

#include "base/arena.h"
#include "base/json_scan.h"
#include "base/value.h"

struct json_tree {
	struct arena *arena; /* of the value; borrowed */
	const struct value *value; /* once it is whole; NULL before */

	/* ---- its own ---- */
	struct json_level {
		bool is_dict;
		size_t first; /* of `items` and `keys` that belong to it */
		const char *key; /* of the value to come */
	} levels[VALUE_DEPTH_MAX];
	size_t depth;
	VEC(const struct value *) items;
	VEC(const char *) keys;
};

void json_tree_init(struct json_tree *tree, struct arena *arena);
void json_tree_release(struct json_tree *tree);
/* -1 with *err set: too deep, or a key that stands twice. */
int json_tree_add(struct json_tree *tree, enum json_event event, const char *text, size_t len, struct error *err);
/* One whole text. NULL with *err set. */
const struct value *json_tree_read(struct arena *arena, const char *text, size_t len, struct error *err);

#endif
