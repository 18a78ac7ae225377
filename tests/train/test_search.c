/* Decoding: the kept keys and values against whole forward passes, beam search against a plain one and against all texts there are. */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/model/search.h"
#include "tests/tap.h"

enum { V = 6, CONTEXT = 16, PROMPTS = 5, END = 1, LONG = 5 };

static const struct model_config TINY = { .arch = MODEL_GPT2, .layers = 2, .channels = 16, .heads = 2, .inner = 24, .vocabulary = V,
	.context = CONTEXT, .dropout = 0.1, .epsilon = 1e-5 };

static struct model *
make_model(struct ops_device *d, enum model_arch arch)
{
	struct model_config config = TINY;
	struct model *m;

	config.arch = arch;
	if (arch == MODEL_LLAMA) {
		config.heads = 4;
		config.kv_heads = 2;
		config.rope.theta = 100;
	}
	m = model_new(d, &config, 64, MODEL_TO_USE, 3, NULL);
	/* As it begins, every token is about as likely. */
	for (size_t i = 0; i < model_params(m)->n; i++) {
		float *weights = model_at(m, MODEL_WEIGHTS, i);

		for (size_t k = 0; k < model_params(m)->items[i].n; k++)
			weights[k] += 0.4f * sinf((float)(k * 37 + i * 11));
	}
	return m;
}

static struct token_ids
prompt(size_t which)
{
	struct token_ids ids = { 0 };

	for (size_t i = 0; i < 1 + which * 2; i++)
		vec_push(&ids, (uint32_t)((which * 3 + i * i) % V));
	return ids;
}

/* Log probabilities of what follows, by a forward pass over all of it; in ret (V). */
static void
whole_pass(struct model *m, const struct token_ids *a, const struct token_ids *b, double *ret)
{
	int32_t ids[CONTEXT], places[CONTEXT], labels[CONTEXT] = { 0 }, starts[2] = { 0 }, last;
	float weights[CONTEXT] = { 0 }, logits[V];
	struct model_batch batch = { .documents = 1, .ids = ids, .places = places, .labels = labels, .weights = weights, .starts = starts };
	double sum = 0;

	for (size_t i = 0; i < a->n + b->n; i++) {
		ids[i] = (int32_t)(i < a->n ? a->items[i] : b->items[i - a->n]);
		places[i] = (int32_t)i;
	}
	batch.N = batch.longest = a->n + b->n;
	starts[1] = (int32_t)batch.N;
	last = starts[1] - 1;
	model_logits(m, &batch, &last, 1, logits, NULL);
	for (int v = 0; v < V; v++)
		sum += exp((double)logits[v]);
	for (int v = 0; v < V; v++)
		ret[v] = (double)logits[v] - log(sum);
}

/* ---- the decoder ---- */

static void
test_decoder(struct model *m)
{
	struct decoder *d = decoder_new(m, 3, CONTEXT, OPS_PACK_F32, NULL);
	struct token_ids start = prompt(2), more = { 0 };
	int32_t ids[8], slot = 2, next;
	float logits[V];
	double want[V], worst = 0;

	for (size_t i = 0; i < start.n; i++)
		ids[i] = (int32_t)start.items[i];
	decoder_prompt(d, 1, ids, start.n, logits, NULL);
	decoder_copy(d, 1, 2);
	for (size_t step = 0; step < 6; step++) {
		whole_pass(m, &start, &more, want);
		for (int v = 0; v < V; v++)
			worst = fmax(worst, fabs((double)logits[v] - (double)logits[0] - want[v] + want[0]));
		vec_push(&more, (uint32_t)(step % V));
		next = (int32_t)(step % V);
		decoder_next(d, &slot, &next, 1, logits, NULL);
	}
	ok(worst < 4e-5, "token by token is the same as all at once, but for %.3g", worst);
	is_int((int64_t)decoder_kept(d, 2), (int64_t)start.n + 6, "the tokens that are kept");
	is_int((int64_t)decoder_kept(d, 1), (int64_t)start.n, "and of the slot that was copied");
	vec_release(&start);
	vec_release(&more);
	decoder_free(d);
}

/* ---- beam search ---- */

struct hypothesis {
	uint32_t ids[CONTEXT];
	size_t n;
	double value;
};

static int
best_first(const void *a, const void *b)
{
	const struct hypothesis *x = a, *y = b;

	return x->value > y->value ? -1 : x->value < y->value;
}

static double
score_of(double value, size_t length)
{
	return value / pow((5 + (double)length) / 6, 0.6);
}

/* All continuations of what is alive, sorted: the definition, without a cache. Ended ones have `END` last. */
static size_t
expand(struct model *m, const struct token_ids *start, const struct hypothesis *alive, size_t n, struct hypothesis *ret)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++) {
		struct token_ids so_far = { .items = (uint32_t *)(uintptr_t)alive[i].ids, .n = alive[i].n };
		double logp[V];

		whole_pass(m, start, &so_far, logp);
		for (uint32_t v = 0; v < V; v++) {
			ret[found] = alive[i];
			ret[found].ids[ret[found].n++] = v;
			ret[found++].value += logp[v];
		}
	}
	qsort(ret, found, sizeof(*ret), best_first);
	return found;
}

static struct hypothesis
plain_beam(struct model *m, const struct token_ids *start, size_t beam)
{
	struct hypothesis *alive = xcalloc(beam, sizeof(*alive)), *finished = xcalloc(3 * beam, sizeof(*finished));
	struct hypothesis *all = xcalloc(beam * V, sizeof(*all)), best;
	size_t n_alive = 1, n_finished = 0;

	for (size_t length = 0; length < LONG; length++) {
		size_t found = expand(m, start, alive, n_alive, all);

		n_alive = 0;
		for (size_t i = 0; i < found && i < 2 * beam; i++) {
			if (all[i].ids[all[i].n - 1] != END) {
				if (n_alive < beam)
					alive[n_alive++] = all[i];
				continue;
			}
			finished[n_finished] = all[i];
			finished[n_finished].value = score_of(all[i].value, all[i].n--);
			finished[n_finished++].n--;
		}
		qsort(finished, n_finished, sizeof(*finished), best_first);
		n_finished = n_finished < beam ? n_finished : beam;
		if (n_finished == beam && score_of(alive[0].value, LONG) < finished[beam - 1].value)
			break;
	}
	best = n_finished ? finished[0] : alive[0];
	free(alive);
	free(finished);
	free(all);
	return best;
}

static struct search_options
beam_options(size_t beam)
{
	return (struct search_options){ .kind = SEARCH_BEAM, .end = END, .never = -1, .max_tokens = LONG, .beam = beam, .alpha = 0.6 };
}

static void
test_beam(struct model *m, size_t beam)
{
	struct search_options options = beam_options(beam);
	struct decoder *d = decoder_new(m, search_slots(&options, PROMPTS), CONTEXT, OPS_PACK_F32, NULL);
	struct token_ids prompts[PROMPTS], got[PROMPTS] = { 0 };
	struct error err;

	for (size_t i = 0; i < PROMPTS; i++)
		prompts[i] = prompt(i);
	ok(!search_run(d, &options, prompts, PROMPTS, 0, got, &err), "beam %zu", beam);
	for (size_t i = 0; i < PROMPTS; i++) {
		struct hypothesis want = plain_beam(m, &prompts[i], beam);

		is_mem(got[i].items, got[i].n * sizeof(uint32_t), want.ids, want.n * sizeof(uint32_t), "finds what a plain search finds: %zu tokens",
			want.n);
		vec_release(&prompts[i]);
		vec_release(&got[i]);
	}
	decoder_free(d);
}

/* The best of all texts of up to `depth` tokens. */
static void
try_all(struct model *m, const struct token_ids *start, struct hypothesis *h, size_t depth, struct hypothesis *best)
{
	struct token_ids so_far = { .items = h->ids, .n = h->n };
	double logp[V], value = h->value, score;

	whole_pass(m, start, &so_far, logp);
	score = score_of(value + logp[END], h->n + 1);
	if (score > best->value) {
		*best = *h;
		best->value = score;
	}
	for (uint32_t v = 0; h->n + 1 < depth && v < V; v++)
		if (v != END) {
			h->ids[h->n++] = v;
			h->value = value + logp[v];
			try_all(m, start, h, depth, best);
			h->n--;
		}
}

static void
test_wide_beam(struct model *m)
{
	struct search_options options = beam_options(SEARCH_BEAM_MAX);
	struct token_ids start = prompt(1), got = { 0 };
	struct hypothesis best = { .value = -(double)INFINITY }, empty = { 0 };
	struct decoder *d;

	options.max_tokens = 3;
	d = decoder_new(m, search_slots(&options, 1), CONTEXT, OPS_PACK_F32, NULL);
	try_all(m, &start, &empty, 3, &best);
	search_run(d, &options, &start, 1, 0, &got, NULL);
	is_mem(got.items, got.n * sizeof(uint32_t), best.ids, best.n * sizeof(uint32_t), "a beam that holds all texts finds the best");
	vec_release(&start);
	vec_release(&got);
	decoder_free(d);
}

/* ---- one token after the other ---- */

static void
run_alone(struct model *m, const struct search_options *options, size_t which, struct token_ids *ret)
{
	struct decoder *d = decoder_new(m, search_slots(options, 1), CONTEXT, OPS_PACK_F32, NULL);
	struct token_ids start = prompt(which);

	search_run(d, options, &start, 1, which, ret, NULL);
	vec_release(&start);
	decoder_free(d);
}

static void
test_company(struct model *m, struct search_options options, const char *name)
{
	struct decoder *d = decoder_new(m, search_slots(&options, PROMPTS), CONTEXT, OPS_PACK_F32, NULL);
	struct token_ids prompts[PROMPTS], got[PROMPTS] = { 0 };

	for (size_t i = 0; i < PROMPTS; i++)
		prompts[i] = prompt(i);
	ok(!search_run(d, &options, prompts, PROMPTS, 0, got, NULL), "%s", name);
	for (size_t i = 0; i < PROMPTS; i++) {
		struct token_ids alone = { 0 };
		bool good = got[i].n >= options.min_tokens && got[i].n <= options.max_tokens;

		for (size_t k = 0; k < got[i].n; k++)
			good = good && got[i].items[k] != END && (int32_t)got[i].items[k] != options.never;
		ok(good, "%zu tokens, none that may not be", got[i].n);
		run_alone(m, &options, i, &alone);
		is_mem(got[i].items, got[i].n * sizeof(uint32_t), alone.items, alone.n * sizeof(uint32_t), "the same alone");
		vec_release(&alone);
		vec_release(&prompts[i]);
		vec_release(&got[i]);
	}
	decoder_free(d);
}

static void
test_greedy(struct model *m)
{
	struct search_options options = { .kind = SEARCH_GREEDY, .end = END, .never = -1, .max_tokens = LONG };
	struct token_ids start = prompt(3), got = { 0 }, want = { 0 };

	run_alone(m, &options, 3, &got);
	while (want.n < LONG) {
		double logp[V];
		uint32_t best = 0;

		whole_pass(m, &start, &want, logp);
		for (uint32_t v = 1; v < V; v++)
			best = logp[v] > logp[best] ? v : best;
		if (best == END)
			break;
		vec_push(&want, best);
	}
	is_mem(got.items, got.n * sizeof(uint32_t), want.items, want.n * sizeof(uint32_t), "greedy takes the likeliest each time");
	vec_release(&start);
	vec_release(&got);
	vec_release(&want);
}

/* How often each first token comes up is near its probability. */
static void
test_chance(struct model *m)
{
	enum { TIMES = 2000 };
	struct search_options options = { .kind = SEARCH_SAMPLE, .end = END, .never = -1, .max_tokens = 1, .temperature = 1, .top_p = 1, .seed = 4 };
	struct decoder *d = decoder_new(m, 1, CONTEXT, OPS_PACK_F32, NULL);
	struct token_ids start = prompt(2), nothing = { 0 };
	double logp[V], worst = 0;
	int counts[V + 1] = { 0 };

	whole_pass(m, &start, &nothing, logp);
	for (uint64_t i = 0; i < TIMES; i++) {
		struct token_ids got = { 0 };

		search_run(d, &options, &start, 1, i, &got, NULL);
		counts[got.n ? got.items[0] : END]++;
		vec_release(&got);
	}
	for (int v = 0; v < V; v++)
		worst = fmax(worst, fabs((double)counts[v] / TIMES - exp(logp[v])));
	ok(worst < 0.05, "chance follows the probabilities: off by %.3g", worst);
	vec_release(&start);
	decoder_free(d);
}

int
main(void)
{
	const char *why;
	struct ops_device *d = ops_open("cpu", 2, OPS_F32, &why);
	struct search_options sample = { .kind = SEARCH_SAMPLE, .end = END, .never = 0, .min_tokens = 2, .max_tokens = 6, .temperature = 0.9,
		.top_p = 0.95, .top_k = 4, .seed = 8 };
	struct search_options beam = beam_options(3);

	for (int arch = MODEL_PREPEND; arch <= MODEL_LLAMA; arch++) {
		struct model *m = make_model(d, (enum model_arch)arch);

		test_decoder(m);
		test_beam(m, 1);
		test_beam(m, 4);
		test_wide_beam(m);
		test_greedy(m);
		test_chance(m);
		test_company(m, sample, "by chance");
		sample.top_p = 1e-9;
		test_company(m, sample, "only the likeliest of chance");
		beam.min_tokens = 2;
		test_company(m, beam, "beam");
		model_free(m);
	}
	d->ops->close(d);
	return done_testing();
}
