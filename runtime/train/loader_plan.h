/* Which documents make which batch of an epoch. */
#ifndef RUNTIME_TRAIN_LOADER_PLAN_H
#define RUNTIME_TRAIN_LOADER_PLAN_H

#include <stddef.h>
#include <stdint.h>

struct loader_plan {
	uint32_t *documents; /* batch by batch */
	struct loader_plan_batch {
		uint32_t start, n; /* in documents */
		uint32_t padded; /* tokens that each of its documents takes; 0: as many as it has */
	} *batches;
	size_t n; /* batches */
	uint64_t tokens, room; /* of all documents; of all batches, with what stays empty */
};

/* The documents and their lengths, in the order in which they are to come; the plan must be empty. */
struct loader_order {
	const uint32_t *documents, *lengths;
	size_t n;
};

/* Whole documents one behind the other, up to `budget` tokens: first fit over a few batches that are still open. */
void loader_plan_pack(struct loader_plan *plan, const struct loader_order *order, size_t budget);
/* As Tensor2Tensor pads: documents of about the same length (each bucket's bound is a tenth above the one before, from 8 up to `context`), as
 * many as the budget has room for of the bucket's bound, each padded to the longest. Tensor2Tensor rounds that number down to a divisor of
 * its window and carries what is left in the buckets into the next epoch; here it is not rounded, what is left at the end of an epoch is
 * batched from the longest down, and the batches are shuffled by seed and epoch. */
void loader_plan_bucket(struct loader_plan *plan, const struct loader_order *order, size_t budget, size_t context, uint64_t seed, uint64_t epoch);
void loader_plan_release(struct loader_plan *plan);

#endif
