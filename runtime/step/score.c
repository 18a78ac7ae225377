#include "config.h"

#include "runtime/step/score.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "base/map.h"
#include "base/value.h"
#include "runtime/step/rows.h"

/* Predictions with a key are kept in memory until their references come by. */
enum { HELD_MAX = 1024 * 1024 * 1024 };

struct table {
	struct rows *rows;
	size_t field, key, baseline; /* SIZE_MAX: none */
	size_t row; /* 1-based, of the row at hand */
};

struct held {
	char *text;
	bool used;
};

struct scorer {
	struct table predictions, references;
	struct map held; /* by key */
	size_t held_bytes;
	bool stem;
	struct tokens tokens[4]; /* a reference's and a prediction's, for ROUGE and for BLEU */
	struct buf baseline;
	struct step_output details; /* file is NULL where nobody asked */
	const struct score_extras *extras;
	struct score_result result;
};

/* ---- two texts ---- */

static void
tokenize(struct tokens *tokens, const char *text, bool for_bleu, bool stem)
{
	tokens->n = 0;
	buf_clear(&tokens->text);
	if (for_bleu)
		bleu_tokenize(tokens, text, strlen(text));
	else
		rouge_tokenize(tokens, text, strlen(text), stem);
}

static void
add_score(struct rouge_score *sum, const struct rouge_score *score)
{
	sum->precision += score->precision;
	sum->recall += score->recall;
	sum->f += score->f;
}

static bool
is_empty(const char *text)
{
	return !text[strspn(text, " \t\n\v\f\r")];
}

static int
compare(struct scorer *s, struct score_sums *sums, const char *prediction, struct rouge *rouge, struct bleu *bleu, struct error *err)
{
	tokenize(&s->tokens[1], prediction, false, s->stem);
	tokenize(&s->tokens[3], prediction, true, false);
	if (rouge_compare(rouge, &s->tokens[0], &s->tokens[1], err) || bleu_add(bleu, &s->tokens[2], &s->tokens[3], err))
		return error_prefix(err, "row %zu of the references and its prediction", s->references.row);
	add_score(&sums->rouge.of_1, &rouge->of_1);
	add_score(&sums->rouge.of_2, &rouge->of_2);
	add_score(&sums->rouge.of_l, &rouge->of_l);
	for (int i = 0; i < BLEU_ORDER; i++) {
		sums->bleu.matches[i] += bleu->matches[i];
		sums->bleu.totals[i] += bleu->totals[i];
	}
	sums->bleu.prediction_len += bleu->prediction_len;
	sums->bleu.reference_len += bleu->reference_len;
	sums->empty += is_empty(prediction);
	sums->n++;
	return 0;
}

static const struct value *
score_dict(struct arena *arena, const struct rouge_score *score)
{
	static const char *const keys[] = { "f", "precision", "recall" };
	const struct value *items[] = { value_float(arena, score->f), value_float(arena, score->precision),
		value_float(arena, score->recall) };

	return value_dict(arena, keys, items, ARRAY_LEN(items));
}

static int
write_details(struct scorer *s, const char *reference, const char *prediction, const struct rouge *rouge, const struct bleu *bleu,
	struct error *err)
{
	static const char *const keys[] = { "row", "prediction", "reference", "rouge_1", "rouge_2", "rouge_l", "bleu" };
	struct arena *arena;
	const struct value *items[ARRAY_LEN(keys)];

	if (!s->details.file)
		return 0;
	arena = arena_new();
	items[0] = value_integer(arena, (int64_t)s->references.row);
	items[1] = value_string(arena, prediction);
	items[2] = value_string(arena, reference);
	items[3] = score_dict(arena, &rouge->of_1);
	items[4] = score_dict(arena, &rouge->of_2);
	items[5] = score_dict(arena, &rouge->of_l);
	items[6] = value_float(arena, bleu_score(bleu, true));
	value_write_json(&s->details.buf, value_dict(arena, keys, items, ARRAY_LEN(keys)));
	buf_putc(&s->details.buf, '\n');
	arena_free(arena);
	return step_output_flush(&s->details, false, err);
}

static int
compare_row(struct scorer *s, const char *const *reference, const char *prediction, struct error *err)
{
	const char *text = reference[s->references.field];
	struct rouge rouge;
	struct bleu bleu = { 0 };

	tokenize(&s->tokens[0], text, false, s->stem);
	tokenize(&s->tokens[2], text, true, false);
	s->result.wordless += !s->tokens[0].n;
	if (compare(s, &s->result.predictions, prediction, &rouge, &bleu, err) ||
	    write_details(s, text, prediction, &rouge, &bleu, err))
		return -1;
	if (s->references.baseline == SIZE_MAX)
		return 0;
	buf_clear(&s->baseline);
	score_first_words(&s->baseline, reference[s->references.baseline], SCORE_BASELINE_WORDS);
	bleu = (struct bleu){ 0 };
	return compare(s, &s->result.baseline, buf_text(&s->baseline), &rouge, &bleu, err);
}

/* ---- rows that belong together ---- */

static int
next_row(struct table *table, const char *const **ret, struct error *err)
{
	int more = rows_next(table->rows, ret, err);

	table->row += more > 0;
	return more;
}

static int
pair_by_order(struct scorer *s, struct error *err)
{
	const char *const *prediction = NULL, *const *reference = NULL;

	for (;;) {
		int p = next_row(&s->predictions, &prediction, err), r = p < 0 ? p : next_row(&s->references, &reference, err);

		if (p < 0 || r < 0)
			return -1;
		if (!p && !r)
			return 0;
		s->result.unpaired_predictions += !r;
		s->result.unpaired_references += !p;
		if (p && r && compare_row(s, reference, prediction[s->predictions.field], err))
			return -1;
	}
}

static int
hold_predictions(struct scorer *s, struct error *err)
{
	const char *const *texts;
	int more;

	while ((more = next_row(&s->predictions, &texts, err)) > 0) {
		const char *key = texts[s->predictions.key], *text = texts[s->predictions.field];
		struct held *held;

		if (!*key) {
			s->result.unpaired_predictions++;
			continue;
		}
		if (map_has(&s->held, key)) {
			s->result.repeated++;
			continue;
		}
		s->held_bytes += strlen(key) + strlen(text) + 64;
		if (s->held_bytes > HELD_MAX)
			return error_set(err, "the predictions hold more than %d bytes; without --key, any number can be compared", HELD_MAX);
		held = xcalloc(1, sizeof(*held));
		held->text = xstrdup(text);
		map_set(&s->held, key, held);
	}
	return more;
}

static int
pair_by_key(struct scorer *s, struct error *err)
{
	const char *const *reference;
	const struct map_entry *entry;
	size_t at = 0;
	int more;

	if (hold_predictions(s, err))
		return -1;
	while ((more = next_row(&s->references, &reference, err)) > 0) {
		const char *key = reference[s->references.key];
		struct held *held = *key ? map_get(&s->held, key) : NULL;

		if (!held) {
			s->result.unpaired_references++;
			continue;
		}
		held->used = true;
		if (compare_row(s, reference, held->text, err))
			return -1;
	}
	while ((entry = map_next(&s->held, &at)))
		s->result.unpaired_predictions += !((struct held *)entry->value)->used;
	return more;
}

/* ---- all of it ---- */

static int
open_table(struct table *table, const struct step_call *call, const char *file, const char *field, struct error *err)
{
	const char *key = step_text(call, "key");

	*table = (struct table){ .key = SIZE_MAX, .baseline = SIZE_MAX };
	table->rows = rows_open(step_text(call, file), err);
	if (!table->rows)
		return -1;
	if (rows_need_column(table->rows, step_text(call, field), &table->field, err) ||
	    (*key && rows_need_column(table->rows, key, &table->key, err)))
		return error_prefix(err, "the %s", file);
	return 0;
}

static int
run(struct scorer *s, const struct step_call *call, struct error *err)
{
	const char *rows = step_text(call, "rows"), *key = step_text(call, "key");
	struct buf said = { 0 };

	if (step_boolean(call, "stem", &s->stem, err) ||
	    open_table(&s->predictions, call, "predictions", "prediction-field", err) ||
	    open_table(&s->references, call, "references", "reference-field", err) ||
	    (*rows && step_output_open(&s->details, rows, err)))
		return -1;
	if (*step_text(call, "baseline-field"))
		s->references.baseline = rows_column(s->references.rows, step_text(call, "baseline-field"));
	if (*key ? pair_by_key(s, err) : pair_by_order(s, err))
		return -1;
	if (!s->result.predictions.n)
		return error_set(err, "there is nothing to compare: of %zu predictions and %zu references none belong together",
			s->predictions.row, s->references.row);
	if ((s->details.file && step_output_flush(&s->details, true, err)) || score_write(call, &s->result, s->extras, err))
		return -1;
	score_say(&said, &s->result, key);
	fputs(buf_text(&said), stdout);
	buf_release(&said);
	return 0;
}

static void
release(struct scorer *s)
{
	const struct map_entry *entry;
	size_t at = 0;

	while ((entry = map_next(&s->held, &at))) {
		free(((struct held *)entry->value)->text);
		free(entry->value);
	}
	map_release(&s->held);
	for (size_t i = 0; i < ARRAY_LEN(s->tokens); i++)
		tokens_release(&s->tokens[i]);
	if (s->details.file)
		step_output_abandon(&s->details);
	buf_release(&s->baseline);
	rows_close(s->predictions.rows);
	rows_close(s->references.rows);
}

int
score_tables(const struct step_call *call, const struct score_extras *extras, struct error *err)
{
	struct scorer s = { .extras = extras };
	int result = run(&s, call, err);

	release(&s);
	return result;
}

int
step_score(const struct step_call *call, struct error *err)
{
	return score_tables(call, NULL, err);
}
