#include "config.h"

#include "runtime/model/search_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "kernels/ops.h"

enum { SITE_SAMPLE = 0x50000000 };

size_t
search_slots(const struct search_options *options, size_t n)
{
	return options->kind == SEARCH_BEAM ? n * options->beam : n;
}

int
search_begin(struct decoder *decoder, size_t slot, const struct token_ids *prompt, float *logits, struct error *err)
{
	int32_t *ids = xmalloc((prompt->n + 1) * sizeof(*ids));
	int result;

	for (size_t i = 0; i < prompt->n; i++)
		ids[i] = (int32_t)prompt->items[i];
	result = decoder_prompt(decoder, slot, ids, prompt->n, logits, err);
	free(ids);
	return result;
}

void
search_forbid(const struct search_options *options, size_t so_far, float *logits)
{
	if (options->never >= 0)
		logits[options->never] = -INFINITY;
	if (so_far < options->min_tokens)
		logits[options->end] = -INFINITY;
}

/* ---- one token ---- */

static int32_t
likeliest(const float *logits, size_t V)
{
	size_t best = 0;

	for (size_t v = 1; v < V; v++)
		if (logits[v] > logits[best])
			best = v;
	return (int32_t)best;
}

struct chance {
	double p;
	int32_t id;
};

static int
likeliest_first(const void *a, const void *b)
{
	const struct chance *x = a, *y = b;

	if (x->p != y->p)
		return x->p > y->p ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* The likeliest ones that top_k and top_p leave, at least one; their sum. */
static size_t
leave(const struct search_options *options, const struct chance *chances, size_t V, double *ret_sum)
{
	size_t max = options->top_k && options->top_k < V ? options->top_k : V, n = 0;
	double all = 0, sum = 0;

	for (size_t v = 0; v < max; v++)
		all += chances[v].p;
	while (n < max && (n == 0 || sum < options->top_p * all))
		sum += chances[n++].p;
	*ret_sum = sum;
	return n;
}

static int32_t
by_chance(const struct search_options *options, const float *logits, size_t V, struct chance *chances, uint64_t text, uint64_t place)
{
	double max = (double)logits[likeliest(logits, V)], sum;
	double u = ((double)ops_random(options->seed, text, SITE_SAMPLE, place) + 0.5) / 4294967296.0;
	size_t n, i = 0;

	for (size_t v = 0; v < V; v++)
		chances[v] = (struct chance){ exp(((double)logits[v] - max) / options->temperature), (int32_t)v };
	qsort(chances, V, sizeof(*chances), likeliest_first);
	n = leave(options, chances, V, &sum);
	for (u *= sum; i + 1 < n && u >= chances[i].p; i++)
		u -= chances[i].p;
	return chances[i].id;
}

/* ---- texts ---- */

struct texts {
	struct decoder *decoder;
	const struct search_options *options;
	size_t V, n;
	uint64_t first; /* text */
	float *logits; /* (n, V) */
	struct chance *chances; /* (V) */
	int32_t *slots, *ids; /* (n): of the texts that go on */
};

/* Takes a text's next token; whether it goes on. */
static bool
take_token(struct texts *t, size_t text, float *logits, struct token_ids *ret, int32_t *ret_id)
{
	const struct search_options *o = t->options;

	search_forbid(o, ret->n, logits);
	*ret_id = o->kind == SEARCH_SAMPLE && o->temperature > 0 ? by_chance(o, logits, t->V, t->chances, t->first + text, ret->n) :
								 likeliest(logits, t->V);
	if (*ret_id == o->end)
		return false;
	vec_push(ret, (uint32_t)*ret_id);
	return ret->n < o->max_tokens;
}

static int
go_on(struct texts *t, const struct token_ids *prompts, struct token_ids *ret, struct error *err)
{
	size_t going = 0;

	for (size_t i = 0; i < t->n; i++) {
		if (search_begin(t->decoder, i, &prompts[i], t->logits, err))
			return -1;
		if (take_token(t, i, t->logits, &ret[i], &t->ids[going]))
			t->slots[going++] = (int32_t)i;
	}
	while (going) {
		size_t still = 0;

		if (decoder_next(t->decoder, t->slots, t->ids, going, t->logits, err))
			return -1;
		for (size_t i = 0; i < going; i++) {
			size_t text = (size_t)t->slots[i];

			if (take_token(t, text, t->logits + i * t->V, &ret[text], &t->ids[still]))
				t->slots[still++] = (int32_t)text;
		}
		going = still;
	}
	return 0;
}

int
search_run(struct decoder *decoder, const struct search_options *options, const struct token_ids *prompts, size_t n, uint64_t first,
	struct token_ids *ret, struct error *err)
{
	size_t V = decoder_vocabulary(decoder);
	struct texts t = { .decoder = decoder, .options = options, .V = V, .n = n, .first = first };
	int result;

	if (!options->max_tokens)
		return 0;
	if (options->kind == SEARCH_BEAM)
		return search_beam(decoder, options, V, prompts, n, ret, err);
	t.logits = xmalloc(n * V * sizeof(*t.logits));
	t.chances = xmalloc(V * sizeof(*t.chances));
	t.slots = xmalloc(n * sizeof(*t.slots));
	t.ids = xmalloc(n * sizeof(*t.ids));
	result = go_on(&t, prompts, ret, err);
	free(t.logits);
	free(t.chances);
	free(t.slots);
	free(t.ids);
	return result;
}
