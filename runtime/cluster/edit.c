#include "config.h"

#include "runtime/cluster/edit.h"

#include <stdarg.h>
#include <string.h>

const struct value *
edit_set(struct arena *arena, const struct value *dict, const char *key, const struct value *item)
{
	size_t old = dict && dict->kind == VALUE_DICT ? dict->dict.n : 0, n = 0;
	const char **keys = arena_alloc(arena, (old + 1) * sizeof *keys);
	const struct value **items = arena_alloc(arena, (old + 1) * sizeof *items), *wanted = item;

	for (size_t i = 0; i < old; i++) {
		bool same = !strcmp(dict->dict.keys[i], key);

		if (same && !item)
			continue;
		keys[n] = dict->dict.keys[i];
		items[n++] = same ? item : dict->dict.items[i];
		if (same)
			wanted = NULL;
	}
	if (wanted) {
		keys[n] = key;
		items[n++] = wanted;
	}
	return value_dict(arena, keys, items, n);
}

const struct value *
edit_set_in(struct arena *arena, const struct value *dict, const char *key, const char *key2, const struct value *item)
{
	const struct value *inner = value_get(dict, key);

	if (!item && !value_get(inner, key2))
		return dict;
	return edit_set(arena, dict, key, edit_set(arena, inner, key2, item));
}

enum { PAIRS_MAX = 32 };

const struct value *
edit_dict(struct arena *arena, const char *key, ...)
{
	const char *keys[PAIRS_MAX];
	const struct value *items[PAIRS_MAX];
	size_t n = 0;
	va_list args;

	va_start(args, key);
	for (; key; key = va_arg(args, const char *)) {
		const struct value *item = va_arg(args, const struct value *);

		if (n == PAIRS_MAX)
			BUG("more than %d pairs", (int)PAIRS_MAX);
		if (!item)
			continue;
		keys[n] = key;
		items[n++] = item;
	}
	va_end(args);
	return value_dict(arena, keys, items, n);
}

const struct value *
edit_texts(struct arena *arena, const char *key, ...)
{
	const char *keys[PAIRS_MAX];
	const struct value *items[PAIRS_MAX];
	size_t n = 0;
	va_list args;

	va_start(args, key);
	for (; key; key = va_arg(args, const char *)) {
		const char *text = va_arg(args, const char *);

		if (n == PAIRS_MAX)
			BUG("more than %d pairs", (int)PAIRS_MAX);
		if (!text)
			continue;
		keys[n] = key;
		items[n++] = value_string(arena, text);
	}
	va_end(args);
	return value_dict(arena, keys, items, n);
}

const char *
edit_text_in(const struct value *dict, const char *key, const char *key2)
{
	return value_text(value_get(value_get(dict, key), key2));
}
