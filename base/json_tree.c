#include "config.h"

#include "base/json_tree.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"

enum { FEW = 16 }; /* so many keys are compared with each other; more are looked up */

void
json_tree_init(struct json_tree *tree, struct arena *arena)
{
	memset(tree, 0, sizeof *tree);
	tree->arena = arena;
}

void
json_tree_release(struct json_tree *tree)
{
	vec_release(&tree->items);
	vec_release(&tree->keys);
}

static const char *
twice_among_few(const char *const *keys, size_t n)
{
	for (size_t i = 1; i < n; i++)
		for (size_t k = 0; k < i; k++)
			if (strcmp(keys[i], keys[k]) == 0)
				return keys[i];
	return NULL;
}

static const char *
twice(const char *const *keys, size_t n)
{
	CLEANUP(map_release) struct map seen = { 0 };

	if (n <= FEW)
		return twice_among_few(keys, n);
	for (size_t i = 0; i < n; i++) {
		if (map_has(&seen, keys[i]))
			return keys[i];
		map_set(&seen, keys[i], &seen);
	}
	return NULL;
}

static void
put(struct json_tree *tree, const struct value *value)
{
	if (!tree->depth) {
		tree->value = value;
		return;
	}
	vec_push(&tree->items, value);
	vec_push(&tree->keys, tree->levels[tree->depth - 1].key);
}

static int
begin(struct json_tree *tree, bool is_dict, struct error *err)
{
	if (tree->depth == VALUE_DEPTH_MAX)
		return error_set(err, "not a value: nesting is too deep");
	tree->levels[tree->depth++] = (struct json_level){ .is_dict = is_dict, .first = tree->items.n };
	return 0;
}

static int
end(struct json_tree *tree, struct error *err)
{
	const struct json_level *level = &tree->levels[--tree->depth];
	size_t n = tree->items.n - level->first;
	const struct value *const *items = n ? tree->items.items + level->first : NULL;
	const char *const *keys = n ? tree->keys.items + level->first : NULL;
	const char *again = level->is_dict ? twice(keys, n) : NULL;

	if (again)
		return error_set(err, "not a value: the key `%s` stands twice", again);
	tree->items.n = tree->keys.n = level->first;
	put(tree, level->is_dict ? value_dict(tree->arena, keys, items, n) : value_list(tree->arena, items, n));
	return 0;
}

static int
put_number(struct json_tree *tree, const char *text, size_t len, struct error *err)
{
	char word[JSON_SCAN_NUMBER_MAX + 1];
	long long integer;
	double real;

	memcpy(word, text, len);
	word[len] = '\0';
	errno = 0;
	integer = strtoll(word, NULL, 10);
	if (!word[strcspn(word, ".eE")] && !errno) {
		put(tree, value_integer(tree->arena, integer));
		return 0;
	}
	real = strtod(word, NULL);
	if (!isfinite(real))
		return error_set(err, "not a value: the number `%.40s` is out of range", word);
	put(tree, value_float(tree->arena, real));
	return 0;
}

static const struct value *
literal(const char *text)
{
	return *text == 'n' ? &VALUE_OF_NULL : value_boolean(*text == 't');
}

int
json_tree_add(struct json_tree *tree, enum json_event event, const char *text, size_t len, struct error *err)
{
	switch (event) {
	case JSON_OBJECT:
	case JSON_ARRAY:
		return begin(tree, event == JSON_OBJECT, err);
	case JSON_OBJECT_END:
	case JSON_ARRAY_END:
		return end(tree, err);
	case JSON_KEY:
		tree->levels[tree->depth - 1].key = arena_strndup(tree->arena, text, len);
		return 0;
	case JSON_STRING:
		put(tree, value_stringn(tree->arena, text, len));
		return 0;
	case JSON_NUMBER:
		return put_number(tree, text, len, err);
	case JSON_LITERAL:
		put(tree, literal(text));
		return 0;
	default:
		BUG("a tree is made of whole values");
	}
}

static int
told(void *context, struct json_scan *scan, enum json_event event, const char *text, size_t len, struct error *err)
{
	(void)scan;
	return json_tree_add(context, event, text, len, err);
}

const struct value *
json_tree_read(struct arena *arena, const char *text, size_t len, struct error *err)
{
	CLEANUP(json_tree_release) struct json_tree tree;
	CLEANUP(json_scan_release) struct json_scan scan = { .told = told, .context = &tree };

	json_tree_init(&tree, arena);
	if (json_scan_feed(&scan, text, len, err) || json_scan_end(&scan, err))
		return NULL;
	return tree.value;
}
