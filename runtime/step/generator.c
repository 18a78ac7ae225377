#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "runtime/step/generate.h"
#include "runtime/step/train.h"
#include "runtime/train/checkpoint.h"

enum { TOKENS_MAX = 4096, CONTEXT_MAX = 4096, MEBI = 1024 * 1024 };

/* ---- options ---- */

static int
read_method(const struct step_call *call, struct search_options *o, struct error *err)
{
	const char *method = step_text(call, "method");
	int64_t beam, top_k, seed;

	if (!strcmp(method, "greedy"))
		o->kind = SEARCH_GREEDY;
	else if (!strcmp(method, "sample"))
		o->kind = SEARCH_SAMPLE;
	else if (!strcmp(method, "beam"))
		o->kind = SEARCH_BEAM;
	else
		return error_set(err, "--method wants `greedy`, `beam` or `sample`, not `%s`", method);
	if (step_number(call, "beam", SEARCH_BEAM_MAX, &beam, err) || step_real(call, "alpha", 10, &o->alpha, err) ||
	    step_real(call, "temperature", 100, &o->temperature, err) || step_number(call, "top-k", MODEL_VOCABULARY_MAX, &top_k, err) ||
	    step_real(call, "top-p", 1, &o->top_p, err) || step_number(call, "seed", INT64_MAX, &seed, err))
		return -1;
	o->beam = beam ? (size_t)beam : 1;
	o->top_k = (size_t)top_k;
	o->seed = (uint64_t)seed;
	return 0;
}

static int
read_lengths(const struct step_call *call, struct generator *g, struct error *err)
{
	struct search_options *o = &g->options;
	int64_t min, max, batch;

	if (step_number(call, "min-tokens", TOKENS_MAX, &min, err) || step_number(call, "max-tokens", TOKENS_MAX, &max, err) ||
	    step_number(call, "batch", SEARCH_TEXTS_MAX, &batch, err))
		return -1;
	o->end = LOADER_EOS;
	o->never = LOADER_PAD;
	o->min_tokens = (size_t)min;
	o->max_tokens = (size_t)max;
	g->batch = batch ? (size_t)batch : 1;
	if (min > max)
		return error_set(err, "--min-tokens %lld is more than --max-tokens %lld", (long long)min, (long long)max);
	if (o->max_tokens + 4 > g->config.context)
		return error_set(err, "the model takes texts of %zu tokens; --max-tokens %lld leaves no room for the body", g->config.context,
			(long long)max);
	return 0;
}

/* Narrower weights go along with products of bfloat16 where the processor has these. */
static int
open_device(struct generator *g, const struct step_call *call, struct error *err)
{
	static const char *const names[] = { [OPS_PACK_F32] = "f32", [OPS_PACK_BF16] = "bf16", [OPS_PACK_INT8] = "int8" };
	const char *precision = step_text(call, "precision");
	size_t packing = 0;

	while (packing < ARRAY_LEN(names) && strcmp(precision, names[packing]) != 0)
		packing++;
	if (packing == ARRAY_LEN(names))
		return error_set(err, "--precision wants `f32`, `bf16` or `int8`, not `%s`", precision);
	if ((packing == OPS_PACK_F32 || train_open_device(call, "bf16", &g->device, err)) && train_open_device(call, "f32", &g->device, err))
		return -1;
	if (g->device->ops->pack)
		g->packing = (enum ops_packing)packing;
	else if (packing == OPS_PACK_INT8)
		return error_set(err, "--precision int8: the device `%s` does not multiply bytes; take `bf16`", g->device->name);
	return 0;
}

static int
check_memory(const struct generator *g, size_t slots, struct error *err)
{
	size_t needed = model_memory(&g->config, g->device, g->config.context > slots ? g->config.context : slots, false) +
			decoder_memory(&g->config, g->device, slots, g->config.context, g->packing);
	size_t available = g->device->ops->available ? g->device->ops->available(g->device) : train_free_memory();

	printf("memory: %zu MiB\n", needed / MEBI);
	fflush(stdout);
	if (needed > available)
		return error_set(err, "this takes %zu MiB of memory, and %zu are free; lower --batch", needed / MEBI, available / MEBI);
	return 0;
}

static int
load_model(struct generator *g, const char *path, size_t slots, struct error *err)
{
	CLEANUP(buf_release) struct buf tokenizer = { 0 };

	buf_printf(&tokenizer, "%s/tokenizer.json", path);
	g->tokenizer = tokenizer_open(buf_text(&tokenizer), err);
	if (!g->tokenizer)
		return -1;
	if (tokenizer_size(g->tokenizer) > g->config.vocabulary)
		return error_set(err, "the tokenizer of `%s` has %u tokens, and its model knows %zu", path, tokenizer_size(g->tokenizer),
			g->config.vocabulary);
	g->model = model_new(g->device, &g->config, g->config.context > slots ? g->config.context : slots, MODEL_TO_USE, MODEL_NO_SEED, err);
	return g->model ? checkpoint_load(path, g->model, false, err) : -1;
}

/* Positions are no parameters of a Llama: it may be taken for one of shorter texts, for which there is memory. */
static int
read_config(struct generator *g, const char *path, struct error *err)
{
	if (checkpoint_read_config(path, &g->config, err))
		return -1;
	if (g->config.arch == MODEL_LLAMA && g->config.context > CONTEXT_MAX)
		g->config.context = CONTEXT_MAX;
	return 0;
}

int
generator_open(struct generator *g, const struct step_call *call, struct error *err)
{
	const char *path = step_text(call, "model");
	size_t slots;

	if (read_config(g, path, err) || read_method(call, &g->options, err) || read_lengths(call, g, err) ||
	    open_device(g, call, err))
		return -1;
	slots = search_slots(&g->options, g->batch);
	if (check_memory(g, slots, err) || load_model(g, path, slots, err))
		return -1;
	g->decoder = decoder_new(g->model, slots, g->config.context, g->packing, err);
	return g->decoder ? 0 : -1;
}

void
generator_release(struct generator *g)
{
	for (size_t i = 0; i < SEARCH_TEXTS_MAX; i++) {
		vec_release(&g->prompts[i]);
		vec_release(&g->texts[i]);
	}
	decoder_free(g->decoder);
	model_free(g->model);
	tokenizer_free(g->tokenizer);
	if (g->device)
		g->device->ops->close(g->device);
}

/* ---- texts ---- */

int
generator_add(struct generator *g, const char *text, bool *ret_full, struct error *err)
{
	struct token_ids body = { 0 }, *prompt;
	int result;

	if (g->n == g->batch)
		g->n = 0;
	prompt = &g->prompts[g->n];
	prompt->n = 0;
	result = tokenizer_encode(g->tokenizer, text, strlen(text), &body, err);
	if (!result) {
		/* What goes in is one token late: see runtime/train/loader.h. */
		vec_push(prompt, LOADER_PAD);
		loader_prompt(&body, g->config.context, g->options.max_tokens + 1, prompt);
		g->n++;
	}
	vec_release(&body);
	*ret_full = g->n == g->batch;
	return result;
}

int
generator_run(struct generator *g, struct error *err)
{
	double begun = step_seconds();

	for (size_t i = 0; i < g->n; i++)
		g->texts[i].n = 0;
	if (search_run(g->decoder, &g->options, g->prompts, g->n, g->done, g->texts, err))
		return -1;
	g->done += g->n;
	g->seconds += step_seconds() - begun;
	for (size_t i = 0; i < g->n; i++)
		g->tokens += g->texts[i].n;
	return 0;
}

int
generator_text(struct generator *g, size_t i, struct buf *ret, struct error *err)
{
	size_t from = ret->len, at;

	if (tokenizer_decode(g->tokenizer, g->texts[i].items, g->texts[i].n, ret, err))
		return -1;
	at = strspn(buf_text(ret) + from, " \t\r\n");
	g->empty += from + at == ret->len;
	return 0;
}

void
generator_say(const struct generator *g)
{
	printf("%llu titles of %.1f tokens each, %.0f tokens/s\n", (unsigned long long)g->done,
		g->done ? (double)g->tokens / (double)g->done : 0, g->seconds > 0 ? (double)g->tokens / g->seconds : 0);
	if (g->empty)
		printf("%llu of them (%.0f %%) are empty: the model would rather say nothing, as a model does that was trained for a short time; train it "
		       "longer, or set --min-tokens\n",
			(unsigned long long)g->empty, 100 * (double)g->empty / (double)g->done);
}
