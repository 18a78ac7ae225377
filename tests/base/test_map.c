#include "config.h"

#include <stdio.h>

#include "base/map.h"
#include "tests/tap.h"

enum { MANY = 5000 };

static void
test_order(void)
{
	static int values[3];
	struct map map = { 0 };
	const struct map_entry *e;
	size_t at = 0;

	ok(map_get(&map, "a") == NULL, "an empty map has nothing");
	map_set(&map, "b", &values[0]);
	map_set(&map, "a", &values[1]);
	map_set(&map, "b", &values[2]);
	ok(map_get(&map, "b") == &values[2], "setting again replaces the value");
	e = map_next(&map, &at);
	is_str(e->key, "b", "and keeps its place");
	is_str(map_next(&map, &at)->key, "a", "the next in order");
	ok(map_next(&map, &at) == NULL, "the end");
	ok(map_remove(&map, "b") == &values[2], "removing returns the value");
	ok(!map_has(&map, "b") && map_has(&map, "a"), "only that one is gone");
	ok(map_remove(&map, "b") == NULL, "removing what is not there returns nothing");
	is_int((int64_t)map.live, 1, "one is left");
	map_release(&map);
}

static void
test_many(void)
{
	static char items[MANY];
	struct map map = { 0 };
	char key[32];
	int found = 0;

	for (int round = 0; round < 3; round++)
		for (int i = 0; i < MANY; i++) {
			snprintf(key, sizeof key, "key%d", i);
			if (round == 1 && i % 2)
				map_remove(&map, key);
			else
				map_set(&map, key, &items[i]);
		}
	for (int i = 0; i < MANY; i++) {
		snprintf(key, sizeof key, "key%d", i);
		found += map_get(&map, key) == &items[i];
	}
	is_int(found, MANY, "all are found after removing half and setting them again");
	is_int((int64_t)map.live, MANY, "and counted");
	ok(map.n_slots <= 8 * MANY, "removed entries are squeezed out: %zu slots", map.n_slots);
	map_release(&map);
}

int
main(void)
{
	test_order();
	test_many();
	return done_testing();
}
