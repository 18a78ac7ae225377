/* Which keys are nearly equal. A key is its words in lower case, marks and blanks left out, each run of digits one 0. Two are nearly equal
 * if these are the same; or the same but for one word that is missing, more, or another, where there are NEAR_LEAST words; or if of
 * all the runs of NEAR_RUN bytes that either has, NEAR_PERCENT in a hundred are in both, where there are enough to tell. What is
 * behind the first NEAR_WORDS_MAX words is left out of the last two. */
#ifndef RUNTIME_STEP_NEAR_H
#define RUNTIME_STEP_NEAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	NEAR_LEAST = 4,
	NEAR_WORDS_MAX = 64,
	NEAR_RUN = 4,
	NEAR_RUNS_LEAST = 12,
	NEAR_PERCENT = 80,
	NEAR_BANDS = 8,
	NEAR_HASHES_MAX = 1 + NEAR_WORDS_MAX + NEAR_BANDS
};

struct near_key {
	uint64_t hashes[NEAR_HASHES_MAX]; /* nearly equal keys share one, but for the few that MinHash misses (one in 60 at the threshold) */
	size_t n, n_sure; /* who shares one of the first n_sure is nearly equal; of the others, ask near_runs */
};

void near_read(const char *text, struct near_key *ret);
/* Whether two texts have so many runs of bytes in common. */
bool near_runs(const char *a, const char *b);

/* Of the words in lower case, digits as they are: the same on every machine. */
uint64_t near_hash_words(const char *text);

#endif
