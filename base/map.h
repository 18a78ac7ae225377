/* A map from text to pointer that remembers the order of insertion.
 *
 * Keys are copied, values are borrowed. Removing leaves the order of the rest. Linear in the number of
 * entries to walk, constant to look up. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_entry {
	char *key;
	void *value;
	uint64_t hash;
};

struct map {
	struct map_entry *entries; /* n of them, in order; key NULL where one was removed */
	size_t n, cap;
	size_t live; /* entries that were not removed */
	uint32_t *slots; /* index into entries plus 1; 0 is free */
	size_t n_slots;
};

void map_release(struct map *map); /* zero-initialised is empty */
void map_set(struct map *map, const char *key, void *value);
void *map_get(const struct map *map, const char *key); /* NULL if absent */
bool map_has(const struct map *map, const char *key);
/* Returns the value that was there, or NULL. */
void *map_remove(struct map *map, const char *key);
/* The next living entry at or after *at, in order; *at moves behind it; NULL at the end. */
const struct map_entry *map_next(const struct map *map, size_t *at);

#endif
