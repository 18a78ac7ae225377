/* Which documents make which batch: as many of a length as Tensor2Tensor would take, none lost, none twice. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/train/loader_plan.h"
#include "tests/tap.h"

enum { MANY = 5000 };

/* Documents of one length: how many make a batch. The bounds of buckets are 8, 9 … 20, 22, 24, 26, 28, 30, 33 … 86, 94, as Tensor2Tensor 1.11's
 * _bucket_boundaries(100) gives them, and a bucket's documents are shorter than its bound. */
static void
test_sizes(void)
{
	static const struct {
		uint32_t length;
		size_t budget, context, documents;
	} cases[] = {
		{ 3, 400, 100, 50 }, { 7, 400, 100, 50 }, { 8, 400, 100, 44 }, { 9, 400, 100, 40 }, { 19, 400, 100, 20 }, { 20, 400, 100, 18 },
		{ 21, 400, 100, 18 }, { 22, 400, 100, 16 }, { 30, 400, 100, 12 }, { 32, 400, 100, 12 }, { 33, 400, 100, 11 }, { 93, 400, 100, 4 },
		{ 94, 400, 100, 4 }, { 100, 400, 100, 4 }, { 100, 100, 100, 1 }, { 51, 100, 100, 1 }, { 8, 8, 8, 1 }, { 3, 100, 8, 12 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint32_t documents[200], lengths[200];
		struct loader_order order = { documents, lengths, ARRAY_LEN(lengths) };
		struct loader_plan plan = { 0 };
		size_t whole = 0, largest = 0;

		for (uint32_t k = 0; k < ARRAY_LEN(lengths); k++) {
			documents[k] = k;
			lengths[k] = cases[i].length;
		}
		loader_plan_bucket(&plan, &order, cases[i].budget, cases[i].context, 1, 0);
		for (size_t b = 0; b < plan.n; b++) {
			whole += plan.batches[b].n == cases[i].documents;
			largest = plan.batches[b].n > largest ? plan.batches[b].n : largest;
		}
		is_int((int64_t)largest, (int64_t)cases[i].documents, "documents of %u tokens in %zu", cases[i].length, cases[i].budget);
		is_int((int64_t)whole, (int64_t)(200 / cases[i].documents), "and what is left in one batch more");
		is_int((int64_t)plan.room, (int64_t)plan.tokens, "without padding");
		loader_plan_release(&plan);
	}
}

/* Lengths as issues have them: many short ones, and a few that are long. */
static uint32_t
length_of(uint32_t document)
{
	uint32_t mixed = document * 2654435761u >> 16;

	return 4 + mixed % 120 + (mixed % 7 ? 0 : mixed / 7 % 380);
}

static uint64_t
number_of(const struct loader_plan *plan)
{
	uint64_t number = 0;

	for (size_t b = 0; b < plan->n; b++)
		for (size_t i = 0; i < plan->batches[b].n; i++)
			number = number * 1000003 + plan->documents[plan->batches[b].start + i] + b;
	return number;
}

static void
check_plan(const struct loader_plan *plan, size_t budget, bool padded)
{
	unsigned char seen[MANY] = { 0 };
	uint64_t tokens = 0, room = 0;
	size_t once = 0;
	bool fits = true;

	for (size_t b = 0; b < plan->n; b++) {
		const struct loader_plan_batch *batch = &plan->batches[b];
		uint64_t here = 0;

		for (size_t i = 0; i < batch->n; i++) {
			uint32_t document = plan->documents[batch->start + i];

			once += !seen[document]++;
			tokens += length_of(document);
			here += padded ? batch->padded : length_of(document);
			fits = fits && (!padded || length_of(document) <= batch->padded);
		}
		fits = fits && here <= budget && batch->n;
		room += padded ? here : budget;
	}
	is_int((int64_t)once, MANY, "each document is in a batch");
	is_int((int64_t)tokens, (int64_t)plan->tokens, "once");
	is_int((int64_t)room, (int64_t)plan->room, "and the room is what it is");
	ok(fits, "no batch is over the budget");
}

static void
test_many(void)
{
	static uint32_t documents[MANY], lengths[MANY];
	struct loader_order order = { documents, lengths, MANY };
	struct loader_plan packed = { 0 }, padded = { 0 }, again = { 0 }, next = { 0 };

	for (uint32_t i = 0; i < MANY; i++) {
		documents[i] = MANY - 1 - i;
		lengths[i] = length_of(documents[i]);
	}
	loader_plan_pack(&packed, &order, 4096);
	loader_plan_bucket(&padded, &order, 4096, 512, 1, 0);
	loader_plan_bucket(&again, &order, 4096, 512, 1, 0);
	loader_plan_bucket(&next, &order, 4096, 512, 1, 1);
	check_plan(&packed, 4096, false);
	check_plan(&padded, 4096, true);
	ok((double)packed.tokens > 0.99 * (double)packed.room, "%.2f %% of what is packed is useful", 100 * (double)packed.tokens / (double)packed.room);
	ok((double)padded.tokens > 0.94 * (double)padded.room && padded.room > padded.tokens, "%.2f %% in buckets",
		100 * (double)padded.tokens / (double)padded.room);
	ok(number_of(&padded) == number_of(&again), "the same plan again");
	ok(number_of(&padded) != number_of(&next) && padded.room == next.room, "another order in the next epoch");
	loader_plan_release(&packed);
	loader_plan_release(&padded);
	loader_plan_release(&again);
	loader_plan_release(&next);
}

static void
test_nothing(void)
{
	struct loader_order order = { NULL, NULL, 0 };
	struct loader_plan plan = { 0 };

	loader_plan_pack(&plan, &order, 64);
	ok(!plan.n && !plan.room, "no documents, no batches");
	loader_plan_release(&plan);
	loader_plan_bucket(&plan, &order, 64, 64, 1, 0);
	ok(!plan.n && !plan.room, "in buckets neither");
	loader_plan_release(&plan);
}

int
main(void)
{
	test_sizes();
	test_many();
	test_nothing();
	return done_testing();
}
