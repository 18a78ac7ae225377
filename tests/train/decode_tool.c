/* Decoding for bench/decode.py, round by round.
 *
 *     decode_tool FOLDER f32|bf16|int8 THREADS TEXTS PROMPT TOKENS
 *
 * FOLDER holds a model. For each line on its input it lets TEXTS texts go on, from prompts of PROMPT tokens, by TOKENS of the likeliest
 * tokens, and prints the seconds for the prompts, those for the tokens behind them, by the clock and of the processor, the greatest memory so
 * far in KiB, and the first text's tokens. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "runtime/model/decoder.h"
#include "runtime/train/checkpoint.h"

static double
now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static size_t
number(const char *text)
{
	return (size_t)strtoull(text, NULL, 10);
}

struct bench {
	struct decoder *decoder;
	size_t V, texts, prompt, tokens;
	float *logits;
	int32_t *slots, *ids, *said;
};

static int32_t
likeliest(const float *logits, size_t V)
{
	size_t best = 0;

	for (size_t v = 1; v < V; v++)
		best = logits[v] > logits[best] ? v : best;
	return (int32_t)best;
}

static void
go_round(struct bench *b)
{
	double begun = now(CLOCK_MONOTONIC), prompted, busy;
	struct rusage usage;
	struct error err;

	for (size_t text = 0; text < b->texts; text++) {
		int32_t prompt[4096];

		for (size_t i = 0; i < b->prompt; i++)
			prompt[i] = (int32_t)((i * 7919 + text * 31 + 17) % b->V);
		if (decoder_prompt(b->decoder, text, prompt, b->prompt, b->logits, &err))
			BUG("%s", err.text);
		b->ids[text] = likeliest(b->logits, b->V);
		b->slots[text] = (int32_t)text;
	}
	prompted = now(CLOCK_MONOTONIC);
	busy = now(CLOCK_PROCESS_CPUTIME_ID);
	for (size_t i = 0; i < b->tokens; i++) {
		b->said[i] = b->ids[0];
		if (decoder_next(b->decoder, b->slots, b->ids, b->texts, b->logits, &err))
			BUG("%s", err.text);
		for (size_t text = 0; text < b->texts; text++)
			b->ids[text] = likeliest(b->logits + text * b->V, b->V);
	}
	getrusage(RUSAGE_SELF, &usage);
	printf("%.6f %.6f %.6f %ld", prompted - begun, now(CLOCK_MONOTONIC) - prompted, now(CLOCK_PROCESS_CPUTIME_ID) - busy, usage.ru_maxrss);
	for (size_t i = 0; i < b->tokens; i++)
		printf(" %d", b->said[i]);
	printf("\n");
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	static const char *const names[] = { "f32", "bf16", "int8" };
	struct model_config config;
	struct ops_device *d;
	struct model *model;
	struct bench b;
	struct error err;
	const char *why;
	char line[64];
	size_t packing = 0;

	if (argc != 7 || number(argv[5]) > 4096)
		BUG("see the top of tests/train/decode_tool.c");
	while (packing < 2 && strcmp(argv[2], names[packing]) != 0)
		packing++;
	d = ops_open("cpu", (int)number(argv[3]), packing ? OPS_BF16 : OPS_F32, &why);
	if (!d)
		d = ops_open("cpu", (int)number(argv[3]), OPS_F32, &why);
	if (!d || checkpoint_read_config(argv[1], &config, &err))
		BUG("%s", d ? err.text : why);
	b = (struct bench){ .V = config.vocabulary, .texts = number(argv[4]), .prompt = number(argv[5]), .tokens = number(argv[6]) };
	model = model_new(d, &config, config.context > b.texts ? config.context : b.texts, MODEL_TO_USE, MODEL_NO_SEED, &err);
	if (!model || checkpoint_load(argv[1], model, false, &err))
		BUG("%s", err.text);
	b.decoder = decoder_new(model, b.texts, b.prompt + b.tokens, (enum ops_packing)packing, &err);
	if (!b.decoder)
		BUG("%s", err.text);
	b.logits = xcalloc(b.texts * b.V, sizeof(*b.logits));
	b.slots = xcalloc(b.texts, sizeof(*b.slots));
	b.ids = xcalloc(b.texts, sizeof(*b.ids));
	b.said = xcalloc(b.tokens, sizeof(*b.said));
	while (fgets(line, sizeof(line), stdin))
		go_round(&b);
	decoder_free(b.decoder);
	model_free(model);
	d->ops->close(d);
	free(b.logits);
	free(b.slots);
	free(b.ids);
	free(b.said);
	return 0;
}
