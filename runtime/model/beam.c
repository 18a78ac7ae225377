/* Beam search as Tensor2Tensor has it. */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "runtime/model/search_private.h"

/* A text so far; once it is finished `value` is its score. */
struct line {
	struct token_ids ids;
	double value; /* log probability */
	size_t slot;
};

struct text {
	struct line alive[SEARCH_BEAM_MAX], finished[SEARCH_BEAM_MAX];
	size_t n_alive, n_finished;
	size_t row; /* of its first line's logits */
	bool over;
};

struct candidate {
	double value;
	size_t line;
	int32_t id;
};

struct beam {
	struct decoder *decoder;
	const struct search_options *o;
	size_t V, n;
	struct text *texts;
	float *logits; /* (n * beam, V) */
	int32_t *slots, *ids; /* (n * beam) */
};

static double
penalty(const struct beam *b, size_t length)
{
	return pow((5 + (double)length) / 6, b->o->alpha);
}

static void
set_line(struct line *to, const struct token_ids *ids, double value)
{
	to->ids.n = 0;
	for (size_t i = 0; i < ids->n; i++)
		vec_push(&to->ids, ids->items[i]);
	to->value = value;
}

/* ---- candidates ---- */

static double
log_sum(const float *logits, size_t V)
{
	double max = (double)logits[0], sum = 0;

	for (size_t v = 1; v < V; v++)
		max = fmax(max, (double)logits[v]);
	for (size_t v = 0; v < V; v++)
		sum += exp((double)logits[v] - max);
	return max + log(sum);
}

/* Into a list of at most `max`, the best first; of equal ones the earlier. */
static void
offer(struct candidate *list, size_t *n, size_t max, struct candidate c)
{
	size_t i = *n;

	if (i == max && !(c.value > list[i - 1].value))
		return;
	if (i < max)
		++*n;
	else
		i--;
	for (; i && c.value > list[i - 1].value; i--)
		list[i] = list[i - 1];
	list[i] = c;
}

/* The best twice as many as the beam is wide: enough that as many go on, should all the others end. */
static size_t
find_candidates(const struct beam *b, const struct text *t, struct candidate *ret)
{
	size_t n = 0;

	for (size_t line = 0; line < t->n_alive; line++) {
		float *logits = b->logits + (t->row + line) * b->V;
		double sum;

		search_forbid(b->o, t->alive[line].ids.n, logits);
		sum = log_sum(logits, b->V);
		for (size_t v = 0; v < b->V; v++)
			if ((double)logits[v] > -(double)INFINITY)
				offer(ret, &n, 2 * b->o->beam,
					(struct candidate){ t->alive[line].value + (double)logits[v] - sum, line, (int32_t)v });
	}
	return n;
}

/* ---- a step ---- */

static void
finish_line(const struct beam *b, struct text *t, const struct candidate *c)
{
	const struct line *from = &t->alive[c->line];
	double score = c->value / penalty(b, from->ids.n + 1);
	size_t i = t->n_finished;
	struct line last;

	if (i == b->o->beam && !(score > t->finished[i - 1].value))
		return;
	if (i < b->o->beam)
		t->n_finished++;
	else
		i--;
	last = t->finished[i];
	for (; i && score > t->finished[i - 1].value; i--)
		t->finished[i] = t->finished[i - 1];
	t->finished[i] = last;
	set_line(&t->finished[i], &from->ids, score);
}

/* The first line that goes on from another takes its slot, the next ones copy it into slots that nobody goes on from. */
static void
give_slots(const struct beam *b, const struct text *t, struct line *next, const size_t *parents, size_t n, size_t base)
{
	bool taken[SEARCH_BEAM_MAX] = { false }, placed[SEARCH_BEAM_MAX] = { false };
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		size_t slot = t->alive[parents[i]].slot;

		if (taken[slot - base])
			continue;
		taken[slot - base] = placed[i] = true;
		next[i].slot = slot;
	}
	for (size_t i = 0; i < n; i++) {
		if (placed[i])
			continue;
		while (taken[at])
			at++;
		taken[at] = true;
		next[i].slot = base + at;
		decoder_copy(b->decoder, t->alive[parents[i]].slot, next[i].slot);
	}
}

static void
advance(const struct beam *b, struct text *t, size_t base)
{
	struct candidate list[2 * SEARCH_BEAM_MAX];
	struct line next[SEARCH_BEAM_MAX] = { 0 };
	size_t parents[SEARCH_BEAM_MAX], n = 0, found = find_candidates(b, t, list);

	for (size_t i = 0; i < found; i++) {
		if (list[i].id == b->o->end) {
			finish_line(b, t, &list[i]);
		} else if (n < b->o->beam) {
			set_line(&next[n], &t->alive[list[i].line].ids, list[i].value);
			vec_push(&next[n].ids, (uint32_t)list[i].id);
			parents[n++] = list[i].line;
		}
	}
	give_slots(b, t, next, parents, n, base);
	for (size_t i = 0; i < SEARCH_BEAM_MAX; i++)
		vec_release(&t->alive[i].ids);
	memcpy(t->alive, next, sizeof(next));
	t->n_alive = n;
}

/* No text alive can become better than the worst of a full set of finished ones: its log probability only falls, and the longest text has
 * the largest penalty. */
static bool
is_over(const struct beam *b, const struct text *t)
{
	if (!t->n_alive || t->alive[0].ids.n >= b->o->max_tokens)
		return true;
	return t->n_finished == b->o->beam && t->alive[0].value / penalty(b, b->o->max_tokens) < t->finished[t->n_finished - 1].value;
}

/* ---- all texts ---- */

static int
begin(struct beam *b, const struct token_ids *prompts, struct error *err)
{
	for (size_t i = 0; i < b->n; i++) {
		struct text *t = &b->texts[i];

		t->n_alive = 1;
		t->alive[0].slot = i * b->o->beam;
		t->row = 0;
		if (search_begin(b->decoder, t->alive[0].slot, &prompts[i], b->logits, err))
			return -1;
		advance(b, t, i * b->o->beam);
		t->over = is_over(b, t);
	}
	return 0;
}

static size_t
gather_rows(struct beam *b)
{
	size_t rows = 0;

	for (size_t i = 0; i < b->n; i++) {
		struct text *t = &b->texts[i];

		t->row = rows;
		for (size_t line = 0; !t->over && line < t->n_alive; line++) {
			b->slots[rows] = (int32_t)t->alive[line].slot;
			b->ids[rows++] = (int32_t)t->alive[line].ids.items[t->alive[line].ids.n - 1];
		}
	}
	return rows;
}

static int
run(struct beam *b, const struct token_ids *prompts, struct error *err)
{
	size_t rows;

	if (begin(b, prompts, err))
		return -1;
	while ((rows = gather_rows(b))) {
		if (decoder_next(b->decoder, b->slots, b->ids, rows, b->logits, err))
			return -1;
		for (size_t i = 0; i < b->n; i++)
			if (!b->texts[i].over) {
				advance(b, &b->texts[i], i * b->o->beam);
				b->texts[i].over = is_over(b, &b->texts[i]);
			}
	}
	return 0;
}

int
search_beam(struct decoder *decoder, const struct search_options *options, size_t V, const struct token_ids *prompts, size_t n,
	struct token_ids *ret, struct error *err)
{
	size_t rows = n * options->beam;
	struct beam b = { .decoder = decoder, .o = options, .V = V, .n = n, .texts = xcalloc(n, sizeof(*b.texts)),
		.logits = xmalloc(rows * V * sizeof(*b.logits)), .slots = xmalloc(rows * sizeof(*b.slots)),
		.ids = xmalloc(rows * sizeof(*b.ids)) };
	int result = run(&b, prompts, err);

	for (size_t i = 0; i < n; i++) {
		struct text *t = &b.texts[i];
		const struct line *best = t->n_finished ? &t->finished[0] : &t->alive[0];

		for (size_t k = 0; !result && k < best->ids.n; k++)
			vec_push(&ret[i], best->ids.items[k]);
		for (size_t k = 0; k < SEARCH_BEAM_MAX; k++) {
			vec_release(&t->alive[k].ids);
			vec_release(&t->finished[k].ids);
		}
	}
	free(b.texts);
	free(b.logits);
	free(b.slots);
	free(b.ids);
	return result;
}
