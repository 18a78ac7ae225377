#include "config.h"

#include "kernel/replay.h"

#include <stdlib.h>

#include "base/macros.h"

void
replay_init(struct replay *replay, size_t kept)
{
	*replay = (struct replay){ .kept = kept };
}

void
replay_release(struct replay *replay)
{
	free(replay->young.slots);
	free(replay->old.slots);
	*replay = (struct replay){ 0 };
}

/* The slot that holds the value, or the free one where it would go. */
static size_t
find_slot(const struct replay_set *set, uint64_t value)
{
	size_t mask = set->n_slots - 1;
	size_t at = (size_t)value & mask;

	while (set->slots[at] && set->slots[at] != value)
		at = (at + 1) & mask;
	return at;
}

static bool
set_has(const struct replay_set *set, uint64_t value)
{
	return set->n_slots && set->slots[find_slot(set, value)];
}

static void
set_add(struct replay_set *set, uint64_t value)
{
	if ((set->n + 1) * 4 > set->n_slots * 3) {
		struct replay_set bigger = { .n = set->n, .n_slots = set->n_slots ? set->n_slots * 2 : 64 };

		bigger.slots = xcalloc(bigger.n_slots, sizeof *bigger.slots);
		for (size_t i = 0; i < set->n_slots; i++)
			if (set->slots[i])
				bigger.slots[find_slot(&bigger, set->slots[i])] = set->slots[i];
		free(set->slots);
		*set = bigger;
	}
	set->slots[find_slot(set, value)] = value;
	set->n++;
}

bool
replay_note(struct replay *replay, uint64_t value)
{
	if (!value)
		value = 1; /* 0 marks a free slot */
	if (set_has(&replay->young, value) || set_has(&replay->old, value))
		return false;
	if (replay->young.n >= replay->kept) {
		free(replay->old.slots);
		replay->old = replay->young;
		replay->young = (struct replay_set){ 0 };
	}
	set_add(&replay->young, value);
	return true;
}
