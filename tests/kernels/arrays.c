#include "config.h"

#include "tests/kernels/arrays.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "tests/tap.h"

enum { GUARD = 64 };

/* bfloat16 has 8 bits; a result may be one step off, of the largest number. */
static const double NARROW = 8e-3;

/* The device with memory of its own, if that is what is tested, and what was copied there beside arrays. */
static struct ops_device *apart;
static void *copies[4096];
static size_t n_copies;

void
arrays_use(struct ops_device *device)
{
	while (n_copies)
		apart->ops->free(apart, copies[--n_copies]);
	apart = device;
}

const void *
arrays_there(const void *bytes, size_t n)
{
	if (!apart)
		return bytes;
	if (n_copies == ARRAY_LEN(copies))
		BUG("more than %zu copies", n_copies);
	copies[n_copies] = apart->ops->alloc(apart, n);
	apart->ops->upload(apart, copies[n_copies], bytes, n);
	return copies[n_copies++];
}

static void *
take_there(const void *guards, size_t bytes)
{
	void *ret = apart->ops->alloc(apart, bytes);

	apart->ops->upload(apart, ret, guards, bytes);
	return ret;
}

float *
array_got(struct array *array)
{
	if (!apart)
		return array->got;
	if (!array->got_there)
		array->got_there = take_there(array->got - GUARD, (array->n + 2 * GUARD) * sizeof(float));
	return (float *)array->got_there + GUARD;
}

struct array
array_new(size_t n)
{
	struct array array = { .n = n, .ref = xmalloc((n + 2 * GUARD) * sizeof(double)), .got = xmalloc((n + 2 * GUARD) * sizeof(float)) };

	for (size_t i = 0; i < n + 2 * GUARD; i++) {
		array.ref[i] = (double)NAN;
		array.got[i] = NAN;
	}
	array.ref += GUARD;
	array.got += GUARD;
	return array;
}

void
array_release(struct array *array)
{
	free(array->ref - GUARD);
	free(array->got - GUARD);
	if (array->narrow)
		free(array->narrow - GUARD);
	if (apart) {
		apart->ops->free(apart, array->got_there);
		apart->ops->free(apart, array->narrow_there);
	}
}

double
random_next(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (double)(int64_t)(*state >> 33) / 1073741824.0 - 1;
}

struct array
array_random(size_t n, uint64_t seed, double scale)
{
	struct array array = array_new(n);

	for (size_t i = 0; i < n; i++) {
		array.got[i] = (float)(random_next(&seed) * scale);
		array.ref[i] = (double)array.got[i];
	}
	return array;
}

struct array
array_of(size_t n, double value)
{
	struct array array = array_new(n);

	for (size_t i = 0; i < n; i++) {
		array.ref[i] = value;
		array.got[i] = (float)value;
	}
	return array;
}

/* To the nearest, ties to even. */
static unsigned short
to_bf16(float x)
{
	uint32_t bits;

	memcpy(&bits, &x, sizeof(bits));
	return (unsigned short)((bits & 0x7FFFFFFF) > 0x7F800000 ? 0x7FFF : (bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

static float
of_bf16(unsigned short x)
{
	uint32_t bits = (uint32_t)x << 16;
	float ret;

	memcpy(&ret, &bits, sizeof(ret));
	return ret;
}

/* Guards as well. */
static void
take_back(const struct array *array)
{
	if (array->narrow_there)
		apart->ops->download(apart, array->narrow - GUARD, array->narrow_there, (array->n + 2 * GUARD) * sizeof(*array->narrow));
	else if (array->got_there)
		apart->ops->download(apart, array->got - GUARD, array->got_there, (array->n + 2 * GUARD) * sizeof(*array->got));
	if (array->narrow)
		for (ptrdiff_t i = -GUARD; i < (ptrdiff_t)array->n + GUARD; i++)
			array->got[i] = of_bf16(array->narrow[i]);
}

void *
array_narrow(struct array *array)
{
	if (array->narrow)
		return array->narrow_there ? (unsigned short *)array->narrow_there + GUARD : array->narrow;
	array->narrow = (unsigned short *)xmalloc((array->n + 2 * GUARD) * sizeof(*array->narrow)) + GUARD;
	for (ptrdiff_t i = -GUARD; i < (ptrdiff_t)array->n + GUARD; i++)
		array->narrow[i] = to_bf16(array->got[i]);
	take_back(array);
	for (size_t i = 0; i < array->n; i++)
		array->ref[i] = (double)array->got[i];
	if (!apart)
		return array->narrow;
	array->narrow_there = take_there(array->narrow - GUARD, (array->n + 2 * GUARD) * sizeof(*array->narrow));
	return (unsigned short *)array->narrow_there + GUARD;
}

static bool
guards_hold(const struct array *array)
{
	for (size_t i = 1; i <= GUARD; i++)
		if (!isnan(array->got[-(ptrdiff_t)i]) || !isnan(array->got[array->n + i - 1]))
			return false;
	return true;
}

bool
array_same(const struct array *array, double tolerance, const char *name)
{
	double largest = 0, worst = 0;
	size_t where = 0;

	take_back(array);
	if (array->narrow && tolerance > 0 && tolerance < NARROW)
		tolerance = NARROW;
	for (size_t i = 0; i < array->n; i++) {
		double difference = fabs(array->ref[i] - (double)array->got[i]);

		largest = fmax(largest, fabs(array->ref[i]));
		if (!(difference <= worst)) {
			worst = difference;
			where = i;
			if (isnan(worst))
				break;
		}
	}
	if (!guards_hold(array))
		return ok(false, "%s: wrote outside", name);
	return ok(worst <= tolerance * largest, "%s: [%zu] of %zu is off by %.3g of %.3g", name, where, array->n, worst, largest);
}
