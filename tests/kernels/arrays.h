/* Numbers as two devices see them: the reference in double precision, the one that is tested in single precision. Around each array lie
 * guards of NaN: what reads past it spoils its results, what writes past it is found. */
#ifndef TESTS_KERNELS_ARRAYS_H
#define TESTS_KERNELS_ARRAYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/ops.h"

struct array {
	size_t n;
	double *ref;
	float *got;
	unsigned short *narrow; /* the second one's, as bfloat16; NULL: it works on `got` */
	void *got_there, *narrow_there; /* where a device that has memory of its own has them, guards first; or NULL */
};

/* From now on what the device that is tested works on lies in its own memory; NULL: it works on the host's. */
void arrays_use(struct ops_device *device);
/* Where the device has its copy of some bytes: until arrays_use is called again. Without a memory of its own, where they are. */
const void *arrays_there(const void *bytes, size_t n);

/* Filled with NaN. */
struct array array_new(size_t n);
void array_release(struct array *array);
/* Numbers from -scale to scale, the same for both and for every call with the same seed. */
struct array array_random(size_t n, uint64_t seed, double scale);
struct array array_of(size_t n, double value);
/* Numbers for the device that is tested; what it makes of them is taken back by array_same. */
float *array_got(struct array *array);
/* Rounds the numbers to bfloat16, for both, and gives them as such for the device that is tested. What it makes of them is taken back by
 * array_same, which then allows for their rounding. */
void *array_narrow(struct array *array);
/* An assertion: the largest difference is at most `tolerance` times the largest number of the reference, and no guard was written to. */
bool array_same(const struct array *array, double tolerance, const char *name);
/* The next number of a sequence, from -1 to 1. */
double random_next(uint64_t *state);

#endif
