#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/macros.h"
#include "base/value.h"
#include "runtime/step/score.h"

struct number {
	const char *name; /* in Kubeflow's metrics: a letter, then letters, digits, `-` and `_` */
	const char *label; /* in the table */
	bool is_share; /* from 0 to 1 */
	double (*of)(const struct score_sums *sums);
};

static double
mean(double sum, const struct score_sums *sums)
{
	return sums->n ? sum / (double)sums->n : 0;
}

static double
rouge_1(const struct score_sums *sums)
{
	return mean(sums->rouge.of_1.f, sums);
}

static double
rouge_2(const struct score_sums *sums)
{
	return mean(sums->rouge.of_2.f, sums);
}

static double
rouge_l(const struct score_sums *sums)
{
	return mean(sums->rouge.of_l.f, sums);
}

static double
bleu(const struct score_sums *sums)
{
	return bleu_score(&sums->bleu, false);
}

static double
empty(const struct score_sums *sums)
{
	return mean((double)sums->empty, sums);
}

static const struct number NUMBERS[] = {
	{ "rouge-1", "ROUGE-1, F", true, rouge_1 },
	{ "rouge-2", "ROUGE-2, F", true, rouge_2 },
	{ "rouge-l", "ROUGE-L, F", true, rouge_l },
	{ "bleu", "BLEU", false, bleu },
	{ "empty", "empty", true, empty },
};

static void
write_float(struct buf *buf, double number)
{
	struct arena *arena = arena_new();

	value_write_json(buf, value_float(arena, number));
	arena_free(arena);
}

static void
write_metric(struct buf *buf, const char *name, double number, bool is_share)
{
	buf_printf(buf, "%s{\"name\":\"%s\",\"numberValue\":", buf->data[buf->len - 1] == '[' ? "" : ",", name);
	write_float(buf, number);
	buf_printf(buf, ",\"format\":\"%s\"}", is_share ? "PERCENTAGE" : "RAW");
}

/* The file that a Kubeflow step gives as its metrics. What is no number there is left out: JSON has no word for it. */
static void
write_metrics(struct buf *buf, const struct score_sums *sums, const struct score_extras *extras)
{
	buf_puts(buf, "{\"metrics\":[");
	for (size_t i = 0; i < ARRAY_LEN(NUMBERS); i++)
		write_metric(buf, NUMBERS[i].name, NUMBERS[i].of(sums), NUMBERS[i].is_share);
	for (size_t i = 0; extras && i < extras->n; i++)
		if (isfinite(extras->items[i].number))
			write_metric(buf, extras->items[i].name, extras->items[i].number, extras->items[i].is_share);
	buf_puts(buf, "]}\n");
}

static void
write_extras(struct buf *buf, const struct score_extras *extras)
{
	buf_printf(buf, "| %s | |\n| --- | ---: |\n", extras->title);
	for (size_t i = 0; i < extras->n; i++) {
		const struct score_extra *extra = &extras->items[i];

		buf_printf(buf, extra->is_share ? "| %s | %.1f %% |\n" : "| %s | %.4f |\n", extra->name,
			extra->is_share ? 100 * extra->number : extra->number);
	}
	buf_putc(buf, '\n');
}

static void
write_table_cell(struct buf *buf, const struct number *number, const struct score_sums *sums)
{
	double value = number->of(sums);

	buf_printf(buf, number->is_share ? " %.1f %% |" : " %.2f |", number->is_share ? 100 * value : value);
}

static void
write_sentences(struct buf *buf, const struct score_result *result, const char *key, const char *end)
{
	size_t n = result->predictions.n, alone = result->unpaired_predictions + result->unpaired_references;

	buf_printf(buf, "%zu rows compared, %s.%s", n, *key ? "by key" : "in their order", end);
	if (alone)
		buf_printf(buf, "Without a partner, and not compared: %zu predictions, %zu references.%s", result->unpaired_predictions,
			result->unpaired_references, end);
	if (result->repeated)
		buf_printf(buf, "Of predictions with the same key the first counts; %zu others were left out.%s", result->repeated, end);
	if (result->predictions.empty)
		buf_printf(buf, "%zu of %zu predictions are empty: they count as 0 in every score.%s", result->predictions.empty, n, end);
	if (result->wordless)
		buf_printf(buf, "In %zu references ROUGE sees no word (it knows a to z and digits): there it is 0 whatever is predicted.%s",
			result->wordless, end);
}

static void
write_table(struct buf *buf, const struct score_result *result, const struct score_extras *extras, const char *key)
{
	bool beside = result->baseline.n > 0;

	buf_puts(buf, "| | predictions |");
	if (beside)
		buf_printf(buf, " first %d words |", SCORE_BASELINE_WORDS);
	buf_printf(buf, "\n| --- | ---: |%s\n", beside ? " ---: |" : "");
	for (size_t i = 0; i < ARRAY_LEN(NUMBERS); i++) {
		buf_printf(buf, "| %s |", NUMBERS[i].label);
		write_table_cell(buf, &NUMBERS[i], &result->predictions);
		if (beside)
			write_table_cell(buf, &NUMBERS[i], &result->baseline);
		buf_putc(buf, '\n');
	}
	buf_putc(buf, '\n');
	if (extras)
		write_extras(buf, extras);
	write_sentences(buf, result, key, "\n\n");
}

static int
write_text(const struct step_call *call, const char *option, struct buf *text, struct error *err)
{
	const char *path = step_text(call, option);
	int result = *path ? step_write(path, text, err) : 0;

	buf_release(text);
	return result;
}

int
score_write(const struct step_call *call, const struct score_result *result, const struct score_extras *extras, struct error *err)
{
	struct buf text = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(NUMBERS); i++) {
		write_float(&text, NUMBERS[i].of(&result->predictions));
		if (write_text(call, NUMBERS[i].name, &text, err))
			return -1;
	}
	buf_printf(&text, "%zu", result->predictions.n);
	if (write_text(call, "compared", &text, err))
		return -1;
	buf_printf(&text, "%zu", result->unpaired_predictions + result->unpaired_references);
	if (write_text(call, "unpaired", &text, err))
		return -1;
	write_table(&text, result, extras, step_text(call, "key"));
	if (write_text(call, "table", &text, err))
		return -1;
	write_metrics(&text, &result->predictions, extras);
	return write_text(call, "output", &text, err);
}

void
score_say(struct buf *buf, const struct score_result *result, const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(NUMBERS); i++) {
		buf_printf(buf, "%-12s", NUMBERS[i].label);
		buf_printf(buf, "%6.2f", NUMBERS[i].of(&result->predictions) * (NUMBERS[i].is_share ? 100 : 1));
		if (result->baseline.n)
			buf_printf(buf, "   first %d words: %6.2f", SCORE_BASELINE_WORDS,
				NUMBERS[i].of(&result->baseline) * (NUMBERS[i].is_share ? 100 : 1));
		buf_putc(buf, '\n');
	}
	write_sentences(buf, result, key, "\n");
	if (result->baseline.n && result->predictions.rouge.of_l.f < result->baseline.rouge.of_l.f)
		buf_printf(buf, "By ROUGE-L these predictions are worse than the first %d words.\n", SCORE_BASELINE_WORDS);
}
