/* How good a model is: what it gives the right titles, token by token, and what its own titles are worth. */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/macros.h"
#include "runtime/step/generate.h"
#include "runtime/step/rows.h"
#include "runtime/step/score.h"
#include "runtime/train/checkpoint.h"
#include "runtime/train/loader.h"
#include "runtime/train/t2t_metrics.h"

/* Of the right titles: the logits of all their places are kept at a time. */
enum { BATCH_TOKENS = 1024 };

struct evaluation {
	const struct step_call *call;
	struct generator *g;
	struct buf references, tokens, predictions; /* names of files */
	struct t2t_metrics forced; /* on the right titles */
};

/* ---- the rows that count ---- */

static int
encode(struct evaluation *e, struct shard_writer *writer, const char *const *texts, size_t body, size_t title, struct error *err)
{
	struct token_ids ids[2] = { 0 };
	int result = tokenizer_encode(e->g->tokenizer, texts[body], strlen(texts[body]), &ids[0], err) ||
			     tokenizer_encode(e->g->tokenizer, texts[title], strlen(texts[title]), &ids[1], err) ||
			     shard_add(writer, ids, err) ? -1 : 0;

	vec_release(&ids[0]);
	vec_release(&ids[1]);
	return result;
}

static int
copy_rows(struct evaluation *e, struct rows *rows, struct shard_writer *writer, struct step_output *output, struct error *err)
{
	size_t body, title;
	const char *const *texts;
	int64_t limit, n = 0;
	int more = 0;

	if (step_number(e->call, "rows", INT64_MAX, &limit, err) || rows_need_column(rows, step_text(e->call, "field"), &body, err) ||
	    rows_need_column(rows, step_text(e->call, "title-field"), &title, err))
		return -1;
	while ((!limit || n < limit) && (more = rows_next(rows, &texts, err)) > 0) {
		buf_putc(&output->buf, '{');
		step_write_pair(&output->buf, "title", texts[title], strlen(texts[title]));
		step_write_pair(&output->buf, "body", texts[body], strlen(texts[body]));
		buf_puts(&output->buf, "}\n");
		if (encode(e, writer, texts, body, title, err) || step_output_flush(output, false, err))
			return -1;
		n++;
	}
	return more < 0 ? -1 : n ? 0 : error_set(err, "`%s` has no row", step_text(e->call, "input"));
}

/* The rows twice: as tokens, and as the references of the scores. */
static int
take_rows(struct evaluation *e, struct error *err)
{
	struct shard_info info = { .fields = 2, .vocabulary = (uint32_t)e->g->config.vocabulary };
	struct rows *rows = rows_open(step_text(e->call, "input"), err);
	struct shard_writer *writer = rows ? shard_create(buf_text(&e->tokens), &info, err) : NULL;
	struct step_output output = { 0 };
	int result = -1;

	if (writer && !step_output_open(&output, buf_text(&e->references), err)) {
		result = copy_rows(e, rows, writer, &output, err);
		if (!result)
			result = step_output_flush(&output, true, err);
		else if (output.file)
			step_output_abandon(&output);
	}
	if (result && writer)
		shard_abandon(writer);
	else if (writer)
		result = shard_finish(writer, &info, err);
	rows_close(rows);
	return result;
}

/* ---- the right titles ---- */

static int
force(struct evaluation *e, struct loader *loader, struct model *model, struct error *err)
{
	struct loader_cursor cursor = { 0 };

	for (size_t i = loader_batches(loader, 0); i > 0; i--) {
		const struct model_batch *batch;

		if (loader_next(loader, &cursor, &batch, err) || t2t_metrics_measure(&e->forced, model, batch, err))
			return -1;
	}
	return 0;
}

static int
force_titles(struct evaluation *e, struct error *err)
{
	const struct model_config *config = &e->g->config;
	struct loader_options options = { .context = config->context, .target_only = true };
	struct shard *shard = shard_open(buf_text(&e->tokens), err);
	struct loader *loader;
	struct model *model = NULL;
	int result = -1;

	options.tokens = config->context > BATCH_TOKENS ? config->context : BATCH_TOKENS;
	loader = shard ? loader_open(shard, &options, err) : NULL;
	if (loader)
		model = model_new(e->g->device, config, options.tokens, MODEL_TO_USE, MODEL_NO_SEED, err);
	if (model && !checkpoint_load(step_text(e->call, "model"), model, false, err))
		result = force(e, loader, model, err);
	model_free(model);
	loader_close(loader);
	shard_close(shard);
	return result;
}

static int
write_number(const struct evaluation *e, const char *option, double number, struct error *err)
{
	CLEANUP(buf_release) struct buf text = { 0 };

	if (!*step_text(e->call, option))
		return 0;
	buf_printf(&text, "%.6f\n", number);
	return step_write(step_text(e->call, option), &text, err);
}

/* ---- its own titles ---- */

static void
set(struct step_call *call, const char *option, const char *value)
{
	for (size_t i = 0; i < STEP_OPTIONS_MAX && call->command->options[i].name; i++)
		if (!strcmp(call->command->options[i].name, option))
			call->values[i] = value;
}

/* As `lateen-step score` would compare them, and what was measured before beside it. */
static int
score(struct evaluation *e, struct error *err)
{
	struct score_extra items[T2T_METRICS];
	struct score_extras extras = { "the right titles, token by token", items, T2T_METRICS };
	static const char *const same[] = { "table", "rouge-1", "rouge-2", "rouge-l", "bleu", "empty", "output" };
	struct step_call call = { .command = STEP_COMMANDS };

	while (strcmp(call.command->name, "score") != 0)
		call.command++;
	for (size_t i = 0; i < STEP_OPTIONS_MAX && call.command->options[i].name; i++)
		call.values[i] = call.command->options[i].fallback;
	set(&call, "predictions", buf_text(&e->predictions));
	set(&call, "references", buf_text(&e->references));
	for (size_t i = 0; i < ARRAY_LEN(same); i++)
		set(&call, same[i], step_text(e->call, same[i]));
	for (int i = 0; i < T2T_METRICS; i++)
		items[i] = (struct score_extra){ t2t_metric_name((enum t2t_metric)i), t2t_metrics_value(&e->forced, (enum t2t_metric)i),
			i != T2T_NEG_LOG_PERPLEXITY };
	return score_tables(&call, &extras, err);
}

/* The option is the metric's name with `-` for `_`. */
static int
write_forced(struct evaluation *e, struct error *err)
{
	double loss = -t2t_metrics_value(&e->forced, T2T_NEG_LOG_PERPLEXITY);

	printf("the right titles, token by token: loss %.4f (perplexity %.1f)\n", loss, exp(loss));
	for (int i = 0; i < T2T_METRICS; i++) {
		const char *name = t2t_metric_name((enum t2t_metric)i);
		double number = t2t_metrics_value(&e->forced, (enum t2t_metric)i);
		char option[64];

		snprintf(option, sizeof(option), "%s", name);
		for (char *c = option; *c; c++)
			*c = *c == '_' ? '-' : *c;
		printf("  %-22s %.4f\n", name, number);
		if (write_number(e, option, number, err))
			return -1;
	}
	fflush(stdout);
	return write_number(e, "loss", loss, err);
}

static int
run(struct evaluation *e, struct error *err)
{
	if (generator_open(e->g, e->call, err) || take_rows(e, err) || force_titles(e, err) || write_forced(e, err) ||
	    generate_titles(e->g, buf_text(&e->references), "body", "", 0, buf_text(&e->predictions), err))
		return -1;
	generator_say(e->g);
	return score(e, err);
}

int
step_evaluate(const struct step_call *call, struct error *err)
{
	struct evaluation e = { .call = call, .g = xcalloc(1, sizeof(*e.g)) };
	const char *output = step_text(call, "output"), *predictions = step_text(call, "predictions");
	int result;

	buf_printf(&e.references, "%s.references", output);
	buf_printf(&e.tokens, "%s.tokens", output);
	buf_printf(&e.predictions, "%s%s", *predictions ? predictions : output, *predictions ? "" : ".predictions");
	result = run(&e, err);
	unlink(buf_text(&e.references));
	unlink(buf_text(&e.tokens));
	if (!*predictions)
		unlink(buf_text(&e.predictions));
	generator_release(e.g);
	free(e.g);
	buf_release(&e.references);
	buf_release(&e.tokens);
	buf_release(&e.predictions);
	return result;
}
