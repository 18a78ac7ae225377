/* The signatures seen lately, so that no recorded message works twice.
 *
 * Remembers at least the last `kept` values and at most twice as many; grows only as values come. Values are the first
 * 64 bits of an HMAC: whoever has not got the key cannot choose them, and two differ but for odds of 2^-48. */
#ifndef KERNEL_REPLAY_H
#define KERNEL_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct replay_set {
	uint64_t *slots; /* 0 is free */
	size_t n, n_slots;
};

struct replay {
	size_t kept;
	struct replay_set young, old;
};

void replay_init(struct replay *replay, size_t kept);
void replay_release(struct replay *replay);
/* Notes the value; false if it was there already. */
bool replay_note(struct replay *replay, uint64_t value);

#endif
