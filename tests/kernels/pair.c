#include "config.h"

#include "tests/kernels/pair.h"

#include <stdlib.h>

#include "tests/tap.h"

struct ops_device *devices[2];
const struct ops_step STEP = { .seed = 0x123456789ABCDEFu, .step = 11, .loss_scale = 0.25, .rate = 0.01, .root = 1.5, .decay = 0.001 };

void *
side(struct array *array, int which)
{
	return which ? (void *)array_got(array) : (void *)array->ref;
}

const int32_t *
ints(const int32_t *numbers, size_t n, int which)
{
	return which ? arrays_there(numbers, n * sizeof(*numbers)) : numbers;
}

const struct ops_step *
step_for(int which)
{
	return which ? arrays_there(&STEP, sizeof(STEP)) : &STEP;
}

void *
narrow(struct array *array, int which)
{
	if (devices[1]->narrow != sizeof(float)) {
		void *of_device = array_narrow(array);

		return which ? of_device : (void *)array->ref;
	}
	return side(array, which);
}

bool
is_narrow(void)
{
	return devices[1]->narrow != sizeof(float);
}

struct ops_dropout
dropout_of(double rate, int which)
{
	return (struct ops_dropout){ .rate = rate, .site = 3, .step = step_for(which) };
}

int32_t *
numbers(size_t n, size_t below)
{
	int32_t *ret = xmalloc((n + 1) * sizeof(*ret));
	uint64_t state = 5;

	for (size_t i = 0; i < n; i++)
		ret[i] = (int32_t)((random_next(&state) + 1) / 2 * (double)below) % (int32_t)below;
	return ret;
}
