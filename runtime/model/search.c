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

static bool
is_likelier(const struct chance *x, const struct chance *y)
{
	return x->p != y->p ? x->p > y->p : x->id < y->id;
}

/* All tokens, of which the likeliest ones are put in order as they are asked for: a heap in front, behind it what was taken from it, the
 * likeliest last. */
struct chances {
	struct chance *items; /* (V) */
	size_t V, heap;
};

static void
sink(struct chances *c, size_t at)
{
	struct chance x = c->items[at];

	for (size_t child; (child = 2 * at + 1) < c->heap; at = child) {
		if (child + 1 < c->heap && is_likelier(&c->items[child + 1], &c->items[child]))
			child++;
		if (!is_likelier(&c->items[child], &x))
			break;
		c->items[at] = c->items[child];
	}
	c->items[at] = x;
}

/* The i-th likeliest, from 0. */
static const struct chance *
likeliest_chance(struct chances *c, size_t i)
{
	while (c->V - c->heap <= i) {
		struct chance first = c->items[0];

		c->items[0] = c->items[--c->heap];
		sink(c, 0);
		c->items[c->heap] = first;
	}
	return &c->items[c->V - 1 - i];
}

/* How many of the likeliest ones top_k and top_p leave, at least one; their sum. */
static size_t
leave(const struct search_options *options, struct chances *c, double *ret_sum)
{
	size_t max = options->top_k && options->top_k < c->V ? options->top_k : c->V, n = 0;
	double all = 0, sum = 0;

	for (size_t i = 0; i < max; i++)
		all += max < c->V ? likeliest_chance(c, i)->p : c->items[i].p;
	if (options->top_p >= 1) {
		*ret_sum = all;
		return max;
	}
	while (n < max && (n == 0 || sum < options->top_p * all))
		sum += likeliest_chance(c, n++)->p;
	*ret_sum = sum;
	return n;
}

static int32_t
by_chance(const struct search_options *options, const float *logits, size_t V, struct chance *items, uint64_t text, uint64_t place)
{
	double max = (double)logits[likeliest(logits, V)], sum;
	double u = ((double)ops_random(options->seed, text, SITE_SAMPLE, place) + 0.5) / 4294967296.0;
	struct chances chances = { items, V, V };
	size_t n, i = 0;

	for (size_t v = 0; v < V; v++)
		items[v] = (struct chance){ exp(((double)logits[v] - max) / options->temperature), (int32_t)v };
	for (size_t v = V / 2; v-- > 0;)
		sink(&chances, v);
	n = leave(options, &chances, &sum);
	for (u *= sum; i + 1 < n && u >= likeliest_chance(&chances, i)->p; i++)
		u -= likeliest_chance(&chances, i)->p;
	return likeliest_chance(&chances, i)->id;
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
