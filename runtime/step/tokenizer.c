/* Trains a tokenizer on the texts of a table. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/macros.h"
#include "runtime/step/fields.h"
#include "runtime/step/step.h"
#include "runtime/train/bpe_train.h"
#include "runtime/train/subword_train.h"

/* The ids 0 and 1, as in Tensor2Tensor's vocabularies. */
static const char *const SPECIAL[] = { "<pad>", "<EOS>" };

static bool
is_t2t(const struct step_call *call)
{
	return !strcmp(step_text(call, "kind"), "t2t");
}

static int
count_rows(struct good_rows *rows, bool t2t, struct bpe_corpus *corpus, struct error *err)
{
	const char *const *texts;
	int more;

	while ((more = good_rows_next(rows, &texts, err)) > 0)
		for (uint32_t i = 0; i < rows->fields->n; i++) {
			const char *text = texts[rows->fields->columns[i]];

			if ((t2t ? subword_corpus_add : bpe_corpus_add)(corpus, text, strlen(text), err))
				return -1;
		}
	return more;
}

static int
train_t2t(const struct step_call *call, const struct bpe_corpus *corpus, const struct good_rows *rows, struct error *err)
{
	CLEANUP(buf_release) struct buf file = { 0 };
	struct subword_train_options options;
	struct subword_trained trained;
	int64_t size, length;

	if (step_number(call, "vocab", SUBWORD_IDS_MAX, &size, err) ||
	    step_number(call, "max-subtoken-length", SUBWORD_LENGTH_MAX, &length, err))
		return -1;
	options = (struct subword_train_options){ (uint32_t)size, (uint32_t)length };
	if (subword_train(corpus, &options, &file, &trained, err) || step_write(step_text(call, "output"), &file, err))
		return -1;
	printf("%u subwords, such as stand there %u times, from %zu different words of %llu rows\n", trained.size, trained.least, corpus->n,
		(unsigned long long)rows->good);
	return 0;
}

static int
train_bpe(const struct step_call *call, const struct bpe_corpus *corpus, const struct good_rows *rows, struct error *err)
{
	struct bpe_train_options options = { .special = SPECIAL, .n_special = ARRAY_LEN(SPECIAL) };
	struct buf text = { 0 };
	struct bpe *bpe;
	int64_t size;
	int result;

	if (step_number(call, "vocab", BPE_IDS_MAX, &size, err) ||
	    step_number(call, "min-frequency", INT64_MAX, &options.min_frequency, err))
		return -1;
	options.size = (uint32_t)size;
	bpe = bpe_train(corpus, &options, err);
	if (!bpe)
		return -1;
	bpe_write(bpe, &text);
	result = step_write(step_text(call, "output"), &text, err);
	if (!result)
		printf("%u tokens, %zu of them merges, from %zu different words of %llu rows\n", bpe_size(bpe), bpe_merges(bpe), corpus->n,
			(unsigned long long)rows->good);
	if (!result && bpe_size(bpe) < options.size)
		printf("fewer than the %u asked for: the texts have no more pairs that stand there %lld times\n", options.size,
			(long long)(options.min_frequency ? options.min_frequency : 1));
	buf_release(&text);
	bpe_free(bpe);
	return result;
}

int
step_tokenizer(const struct step_call *call, struct error *err)
{
	struct fields fields = { 0 };
	struct good_rows rows = { .fields = &fields };
	struct bpe_corpus corpus;
	int64_t percent;
	int result = -1;

	if (!is_t2t(call) && strcmp(step_text(call, "kind"), "bpe") != 0)
		return error_set(err, "--kind wants `bpe` or `t2t`, not `%s`", step_text(call, "kind"));
	bpe_corpus_init(&corpus);
	if (!step_number(call, "max-bad", 100, &percent, err) && !fields_read(&fields, step_text(call, "fields"), err) &&
	    (rows.rows = rows_open(step_text(call, "input"), err)) && !fields_find(&fields, rows.rows, err) &&
	    !count_rows(&rows, is_t2t(call), &corpus, err) && !good_rows_check(&rows, percent, err))
		result = (is_t2t(call) ? train_t2t : train_bpe)(call, &corpus, &rows, err);
	rows_close(rows.rows);
	bpe_corpus_release(&corpus);
	fields_release(&fields);
	return result;
}
