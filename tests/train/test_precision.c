/* What narrower weights do to what a model says: the difference of logits, and how often another token becomes the likeliest. */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/model/decoder.h"
#include "tests/tap.h"

enum { V = 700, CONTEXT = 48, PROMPT = 9, TEXTS = 6, LONG = 24 };

static struct model *
make_model(struct ops_device *d, enum model_arch arch)
{
	struct model_config config = { .arch = arch };
	struct model *m = NULL;
	struct error err;

	model_config_defaults(&config);
	config.layers = 3;
	config.channels = 192;
	config.heads = 6;
	config.kv_heads = arch == MODEL_LLAMA ? 2 : 0;
	config.inner = 320;
	config.vocabulary = V;
	config.context = CONTEXT;
	if (!model_config_check(&config, &err))
		m = model_new(d, &config, CONTEXT, MODEL_TO_USE, 5, &err);
	if (!m)
		BUG("%s", err.text);
	/* What the layers add outweighs the token that goes in, which else stays the likeliest. */
	for (size_t i = 0; i < model_params(m)->n; i++) {
		const struct param *p = &model_params(m)->items[i];
		float *weights = model_at(m, MODEL_WEIGHTS, i);

		for (size_t k = 0; p->rows && i != model_params(m)->embedding && i != model_params(m)->head && k < p->n; k++)
			weights[k] *= arch == MODEL_PREPEND ? 2 : 4;
	}
	return m;
}

static size_t
likeliest(const float *logits)
{
	size_t best = 0;

	for (size_t v = 1; v < V; v++)
		best = logits[v] > logits[best] ? v : best;
	return best;
}

/* The logits of each place, the texts going on by a rule that has nothing to do with them. */
static void
go_on(struct model *m, enum ops_packing packing, float *ret /* (TEXTS, LONG, V) */)
{
	struct error err;
	struct decoder *d = decoder_new(m, TEXTS, CONTEXT, packing, &err);

	if (!d)
		BUG("%s", err.text);
	for (size_t text = 0; text < TEXTS; text++) {
		int32_t ids[PROMPT], slot = (int32_t)text;
		float *logits = ret + text * LONG * V;

		for (size_t i = 0; i < PROMPT; i++)
			ids[i] = (int32_t)((i * i * 31 + text * 97 + 5) % V);
		decoder_prompt(d, text, ids, PROMPT, logits, NULL);
		for (size_t i = 1; i < LONG; i++) {
			int32_t id = (int32_t)((i * 53 + text * 211) % V);

			decoder_next(d, &slot, &id, 1, logits + i * V, NULL);
		}
	}
	decoder_free(d);
}

/* The root of the mean square of the differences over that of the logits; the share of places with another likeliest token into ret_changed. */
static double
difference(const float *want, const float *got, double *ret_changed)
{
	double sum = 0, squares = 0, changed = 0;

	for (size_t i = 0; i < TEXTS * LONG; i++)
		changed += likeliest(want + i * V) != likeliest(got + i * V);
	for (size_t i = 0; i < (size_t)TEXTS * LONG * V; i++) {
		double apart = (double)got[i] - (double)want[i];

		sum += apart * apart;
		squares += (double)want[i] * (double)want[i];
	}
	*ret_changed = changed / (TEXTS * LONG);
	return sqrt(sum / squares);
}

static void
test_packing(struct model *m, const float *want, enum ops_packing packing, double most, double most_changed)
{
	static const char *const names[] = { "f32", "bf16", "int8" };
	float *got = xcalloc((size_t)TEXTS * LONG * V, sizeof(*got));
	double changed, apart;

	go_on(m, packing, got);
	apart = difference(want, got, &changed);
	ok(apart > 0 && apart < most, "%s: logits are %.4f of their size apart, at most %.3f", names[packing], apart, most);
	ok(changed <= most_changed, "%s: %.3f of the likeliest tokens are others, at most %.2f", names[packing], changed, most_changed);
	free(got);
}

int
main(void)
{
	static const enum model_arch families[] = { MODEL_PREPEND, MODEL_GPT2, MODEL_LLAMA };
	float *want = xcalloc((size_t)TEXTS * LONG * V, sizeof(*want));
	const char *why;

	for (int precision = 0; precision < 2; precision++) {
		struct ops_device *d = ops_open("cpu", 2, precision ? OPS_BF16 : OPS_F32, &why);

		if (!d) {
			skip(1, "%s", why);
			continue;
		}
		for (size_t i = 0; i < ARRAY_LEN(families); i++) {
			struct model *m = make_model(d, families[i]);

			go_on(m, OPS_PACK_F32, want);
			test_packing(m, want, OPS_PACK_BF16, 0.02, 0.05);
			test_packing(m, want, OPS_PACK_INT8, 0.06, 0.15);
			model_free(m);
		}
		d->ops->close(d);
	}
	free(want);
	return done_testing();
}
