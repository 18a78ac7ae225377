#include "config.h"

#include "base/map.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"

/* FNV-1a, 64 bits. Keys are short names; hostile ones are bounded by the ceilings on source and JSON size. */
static uint64_t
hash_of(const char *key)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; *key; key++)
		h = (h ^ (unsigned char)*key) * 0x100000001b3u;
	return h;
}

void
map_release(struct map *map)
{
	for (size_t i = 0; i < map->n; i++)
		free(map->entries[i].key);
	free(map->entries);
	free(map->slots);
	*map = (struct map){ 0 };
}

/* The slot that holds the key, or the free one where it would go. Removed entries keep their slot occupied. */
static size_t
find_slot(const struct map *map, const char *key, uint64_t hash)
{
	size_t mask = map->n_slots - 1;

	for (size_t at = (size_t)hash & mask;; at = (at + 1) & mask) {
		const struct map_entry *e;

		if (!map->slots[at])
			return at;
		e = &map->entries[map->slots[at] - 1];
		if (e->key && e->hash == hash && !strcmp(e->key, key))
			return at;
	}
}

/* Squeezes out removed entries and gives every entry its slot again. */
static void
rebuild(struct map *map)
{
	size_t n = 0;

	for (size_t i = 0; i < map->n; i++)
		if (map->entries[i].key)
			map->entries[n++] = map->entries[i];
	map->n = n;
	while (map->n_slots < (n + 1) * 2)
		map->n_slots = map->n_slots ? map->n_slots * 2 : 16;
	free(map->slots);
	map->slots = xcalloc(map->n_slots, sizeof *map->slots);
	for (size_t i = 0; i < n; i++)
		map->slots[find_slot(map, map->entries[i].key, map->entries[i].hash)] = (uint32_t)(i + 1);
}

static struct map_entry *
find(const struct map *map, const char *key)
{
	size_t slot;

	if (!map->n_slots)
		return NULL;
	slot = find_slot(map, key, hash_of(key));
	return map->slots[slot] ? &map->entries[map->slots[slot] - 1] : NULL;
}

void
map_set(struct map *map, const char *key, void *value)
{
	uint64_t hash = hash_of(key);
	size_t slot;

	if ((map->n + 1) * 2 > map->n_slots)
		rebuild(map);
	slot = find_slot(map, key, hash);
	if (map->slots[slot]) {
		map->entries[map->slots[slot] - 1].value = value;
		return;
	}
	vec_reserve((void **)&map->entries, &map->cap, map->n + 1, sizeof *map->entries);
	map->slots[slot] = (uint32_t)(map->n + 1);
	map->entries[map->n++] = (struct map_entry){ .key = xstrdup(key), .value = value, .hash = hash };
	map->live++;
}

void *
map_get(const struct map *map, const char *key)
{
	const struct map_entry *e = find(map, key);

	return e ? e->value : NULL;
}

bool
map_has(const struct map *map, const char *key)
{
	return find(map, key) != NULL;
}

void *
map_remove(struct map *map, const char *key)
{
	struct map_entry *e = find(map, key);

	if (!e)
		return NULL;
	freep(&e->key);
	map->live--;
	return e->value;
}

const struct map_entry *
map_next(const struct map *map, size_t *at)
{
	while (*at < map->n) {
		const struct map_entry *e = &map->entries[(*at)++];

		if (e->key)
			return e;
	}
	return NULL;
}
