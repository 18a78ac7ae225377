#include "config.h"

#include <stdint.h>
#include <string.h>

#include "base/yaml_read.h"

/* A key and its item, while a Dict is read. */
struct pair {
	const char *key;
	struct span key_span;
	const struct yaml_node *item;
};

struct pairs {
	struct pair *items;
	size_t n, cap;
};

/* Items of a Dict that is merged in. */
static int
merge_dict(struct yaml_reading *r, const struct yaml_node *dict, struct span span, struct pairs *merged)
{
	if (dict->value->kind != VALUE_DICT)
		return yaml_fail(r, span, "`<<` takes a map or a list of maps");
	if (yaml_count(r, dict->weight, dict->text_weight, span))
		return -1;
	for (size_t i = 0; i < dict->n; i++) {
		struct pair pair = { dict->value->dict.keys[i], dict->keys[i], dict->items[i] };

		vec_push(merged, pair);
	}
	return 0;
}

/* Of several, the first has the last word: so they are taken from the last to the first. */
static int
merge(struct yaml_reading *r, const struct yaml_node *node, struct span span, struct pairs *merged)
{
	if (node->value->kind != VALUE_LIST)
		return merge_dict(r, node, span, merged);
	for (size_t i = node->n; i-- > 0;)
		if (merge_dict(r, node->items[i], span, merged))
			return -1;
	return 0;
}

/* The index of the key among pairs plus one as a map's value. */
static size_t
find_pair(const struct map *index, const char *key)
{
	return (size_t)(uintptr_t)map_get(index, key);
}

static int
add_own(struct yaml_reading *r, struct map *index, struct pairs *own, struct pair pair)
{
	size_t at = find_pair(index, pair.key);

	if (at) {
		r->problem->other = own->items[at - 1].key_span;
		return yaml_fail(r, pair.key_span, "the key `%.100s` is given twice", pair.key);
	}
	vec_push(own, pair);
	map_set(index, pair.key, (void *)(uintptr_t)own->n);
	return 0;
}

static int
read_key(struct yaml_reading *r, const yaml_event_t *event, struct pair *ret, bool *ret_is_merge)
{
	const char *text = (const char *)event->data.scalar.value;

	ret->key_span = yaml_event_span(r, event);
	*ret_is_merge = false;
	if (event->type == YAML_ALIAS_EVENT) {
		const struct yaml_node *node = NULL;

		if (yaml_read_alias(r, event, &node))
			return -1;
		ret->key = value_text(node->value);
		return ret->key ? 0 : yaml_fail(r, ret->key_span, "a key must be a text");
	}
	if (event->type != YAML_SCALAR_EVENT)
		return yaml_fail(r, ret->key_span, "a key must be a text");
	if (yaml_check_scalar(r, event))
		return -1;
	ret->key = arena_strndup(r->arena, text, event->data.scalar.length);
	*ret_is_merge = event->data.scalar.plain_implicit && !strcmp(text, "<<");
	if (event->data.scalar.anchor) {
		const struct yaml_node *node = NULL;

		return yaml_read_scalar(r, event, &node);
	}
	return 0;
}

static int
read_pair(struct yaml_reading *r, const yaml_event_t *key, int depth, struct map *index, struct pairs *own,
	  struct pairs *merged)
{
	struct pair pair = { 0 };
	yaml_event_t event;
	bool is_merge;
	int rc;

	if (read_key(r, key, &pair, &is_merge) || yaml_next_event(r, &event))
		return -1;
	rc = yaml_read_node(r, &event, depth + 1, &pair.item);
	yaml_event_delete(&event);
	if (rc)
		return -1;
	return is_merge ? merge(r, pair.item, pair.key_span, merged) : add_own(r, index, own, pair);
}

static int
read_pairs(struct yaml_reading *r, int depth, struct pairs *own, struct pairs *merged, yaml_mark_t *ret_end)
{
	struct map index = { 0 };
	bool end = false;
	int rc = 0;

	while (!end && !rc) {
		yaml_event_t event;

		rc = yaml_next_event(r, &event);
		if (rc)
			break;
		end = event.type == YAML_MAPPING_END_EVENT;
		if (end)
			*ret_end = yaml_end_of(r, &event);
		else
			rc = read_pair(r, &event, depth, &index, own, merged);
		yaml_event_delete(&event);
	}
	map_release(&index);
	return rc;
}

/* Merged keys come first, and a later one of the same name replaces an earlier one where that stands. */
static void
override_pairs(struct pairs *merged, const struct pairs *own)
{
	struct pairs all = { 0 };
	struct map index = { 0 };

	for (size_t i = 0; i < merged->n + own->n; i++) {
		struct pair pair = i < merged->n ? merged->items[i] : own->items[i - merged->n];
		size_t at = find_pair(&index, pair.key);

		if (at) {
			all.items[at - 1] = pair;
			continue;
		}
		vec_push(&all, pair);
		map_set(&index, pair.key, (void *)(uintptr_t)all.n);
	}
	map_release(&index);
	vec_release(merged);
	*merged = all;
}

static void
settle_dict(struct yaml_reading *r, struct yaml_node *node, const struct pairs *pairs)
{
	const char **keys = arena_alloc(r->arena, pairs->n * sizeof *keys);
	struct span *spans = arena_alloc(r->arena, pairs->n * sizeof *spans);
	const struct yaml_node **items = arena_alloc(r->arena, pairs->n * sizeof *items);

	for (size_t i = 0; i < pairs->n; i++) {
		keys[i] = pairs->items[i].key;
		spans[i] = pairs->items[i].key_span;
		items[i] = pairs->items[i].item;
	}
	node->n = pairs->n;
	node->keys = spans;
	node->items = items;
	node->value = value_dict(r->arena, keys, yaml_values_of(r, items, pairs->n), pairs->n);
}

int
yaml_read_dict(struct yaml_reading *r, const yaml_event_t *event, int depth, const struct yaml_node **ret)
{
	struct pairs own = { 0 }, merged = { 0 };
	struct yaml_node *node = NULL;
	size_t nodes_before = r->nodes, text_before = r->text;
	yaml_mark_t end = event->end_mark;
	int rc;

	if (yaml_check_collection_tag(r, event->data.mapping_start.tag, "map", yaml_event_span(r, event)) ||
	    yaml_count(r, 1, 0, yaml_event_span(r, event)))
		return -1;
	rc = read_pairs(r, depth, &own, &merged, &end);
	if (!rc) {
		node = yaml_new_collection(r, nodes_before, text_before, yaml_span_of(r, &event->start_mark, &end));
		if (merged.n)
			override_pairs(&merged, &own);
		settle_dict(r, node, merged.n ? &merged : &own);
		yaml_set_anchor(r, event->data.mapping_start.anchor, node);
	}
	vec_release(&own);
	vec_release(&merged);
	*ret = node;
	return rc;
}
