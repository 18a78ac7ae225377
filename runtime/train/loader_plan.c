#include "config.h"

#include "runtime/train/loader_plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "kernels/ops.h"

enum {
	OPEN_BATCHES = 16, /* that a document may still go into */
	FIRST_BOUND = 8,
	BUCKETS_MAX = 256, /* 1.1 to this power is more than any context */
	SITE_BATCHES = 0x40000001, /* of the random numbers that shuffle */
};

struct bucket {
	struct {
		uint32_t *items; /* places in the order */
		size_t n, cap;
	} held;
	size_t bound; /* its documents are shorter */
};

static void
begin(struct loader_plan *plan, size_t n)
{
	*plan = (struct loader_plan){ .documents = xcalloc(n + 1, sizeof(*plan->documents)), .batches = xcalloc(n + 1, sizeof(*plan->batches)) };
}

void
loader_plan_release(struct loader_plan *plan)
{
	free(plan->documents);
	free(plan->batches);
	*plan = (struct loader_plan){ 0 };
}

/* Of n documents, which are places in the order. */
static void
add_batch(struct loader_plan *plan, const struct loader_order *order, const uint32_t *places, size_t n, bool padded)
{
	struct loader_plan_batch *b = &plan->batches[plan->n];

	*b = (struct loader_plan_batch){ .start = plan->n ? b[-1].start + b[-1].n : 0, .n = (uint32_t)n };
	for (size_t i = 0; i < n; i++) {
		uint32_t length = order->lengths[places[i]];

		plan->documents[b->start + i] = order->documents[places[i]];
		plan->tokens += length;
		if (padded && length > b->padded)
			b->padded = length;
	}
	plan->n++;
}

/* ---- packed ---- */

struct open_batch {
	uint32_t *items; /* places in the order */
	size_t n, cap;
	size_t left; /* tokens */
};

/* The first that has room; when none has, the fullest is closed. */
static struct open_batch *
batch_for(struct loader_plan *plan, const struct loader_order *order, struct open_batch *open, size_t tokens, size_t budget)
{
	size_t fullest = 0;

	for (size_t b = 0; b < OPEN_BATCHES; b++)
		if (open[b].left >= tokens)
			return &open[b];
	for (size_t b = 1; b < OPEN_BATCHES; b++)
		fullest = open[b].left < open[fullest].left ? b : fullest;
	add_batch(plan, order, open[fullest].items, open[fullest].n, false);
	open[fullest].n = 0;
	open[fullest].left = budget;
	return &open[fullest];
}

void
loader_plan_pack(struct loader_plan *plan, const struct loader_order *order, size_t budget)
{
	struct open_batch open[OPEN_BATCHES] = { 0 };

	begin(plan, order->n);
	for (size_t i = 0; i < OPEN_BATCHES; i++)
		open[i].left = budget;
	for (size_t i = 0; i < order->n; i++) {
		struct open_batch *b = batch_for(plan, order, open, order->lengths[i], budget);

		vec_push(b, (uint32_t)i);
		b->left -= order->lengths[i];
	}
	for (size_t b = 0; b < OPEN_BATCHES; b++) {
		if (open[b].n)
			add_batch(plan, order, open[b].items, open[b].n, false);
		vec_release(&open[b]);
	}
	plan->room = plan->n * (uint64_t)budget;
}

/* ---- bucketed ---- */

/* The last bucket has all up to the context itself. */
static size_t
make_buckets(struct bucket *buckets, size_t context)
{
	size_t n = 0, bound = FIRST_BOUND;

	while (bound < context && n + 1 < BUCKETS_MAX) {
		buckets[n++].bound = bound;
		bound = bound * 11 / 10 > bound ? bound * 11 / 10 : bound + 1;
	}
	buckets[n++].bound = context;
	return n;
}

static void
add_padded(struct loader_plan *plan, const struct loader_order *order, const uint32_t *places, size_t n)
{
	add_batch(plan, order, places, n, true);
	plan->room += n * (uint64_t)plan->batches[plan->n - 1].padded;
}

/* The fullest are left over; as many together as the longest of them leaves room for. */
static void
empty_buckets(struct loader_plan *plan, const struct loader_order *order, struct bucket *buckets, size_t n, size_t budget)
{
	VEC(uint32_t) together = { 0 };
	size_t longest = 0;

	while (n--) {
		for (size_t i = 0; i < buckets[n].held.n; i++) {
			uint32_t place = buckets[n].held.items[i];
			size_t length = order->lengths[place] > longest ? order->lengths[place] : longest;

			if (together.n && (together.n + 1) * length > budget) {
				add_padded(plan, order, together.items, together.n);
				together.n = 0;
				length = order->lengths[place];
			}
			vec_push(&together, place);
			longest = length;
		}
		vec_release(&buckets[n].held);
	}
	if (together.n)
		add_padded(plan, order, together.items, together.n);
	vec_release(&together);
}

static void
shuffle(struct loader_plan *plan, uint64_t seed, uint64_t epoch)
{
	for (size_t i = plan->n; i > 1; i--) {
		size_t k = (size_t)((uint64_t)ops_random(seed, epoch, SITE_BATCHES, i) * i >> 32);
		struct loader_plan_batch swapped = plan->batches[i - 1];

		plan->batches[i - 1] = plan->batches[k];
		plan->batches[k] = swapped;
	}
}

void
loader_plan_bucket(struct loader_plan *plan, const struct loader_order *order, size_t budget, size_t context, uint64_t seed, uint64_t epoch)
{
	struct bucket buckets[BUCKETS_MAX] = { 0 };
	size_t n = make_buckets(buckets, context);

	begin(plan, order->n);
	for (size_t i = 0; i < order->n; i++) {
		size_t b = 0;

		while (b + 1 < n && order->lengths[i] >= buckets[b].bound)
			b++;
		vec_push(&buckets[b].held, (uint32_t)i);
		if ((buckets[b].held.n + 1) * buckets[b].bound > budget) {
			add_padded(plan, order, buckets[b].held.items, buckets[b].held.n);
			buckets[b].held.n = 0;
		}
	}
	empty_buckets(plan, order, buckets, n, budget);
	shuffle(plan, seed, epoch);
}
