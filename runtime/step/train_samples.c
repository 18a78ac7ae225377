#include "config.h"

#include "runtime/step/train_samples.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "base/utf8.h"

enum { SHOWN_MAX = 300 /* bytes of a text in the table */ };

/* ---- what is asked ---- */

/* Behind the label that stands between body and title; SIZE_MAX: there is none. */
static size_t
title_of(const struct model_batch *b, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (b->labels[i] == LOADER_PAD)
			return i + 1;
	return SIZE_MAX;
}

static int
decode(const struct tokenizer *tokenizer, const int32_t *labels, size_t n, struct buf *ret, struct error *err)
{
	struct token_ids ids = { 0 };
	int result;

	for (size_t i = 0; i < n && labels[i] != LOADER_EOS && labels[i] != LOADER_PAD; i++)
		vec_push(&ids, (uint32_t)labels[i]);
	result = tokenizer_decode(tokenizer, ids.items, ids.n, ret, err);
	vec_release(&ids);
	return result;
}

/* Documents that fill the context leave no room to go on in. */
static int
take_document(struct train_samples *s, const struct model_batch *b, size_t d, size_t context, const struct tokenizer *tokenizer, struct error *err)
{
	size_t from = (size_t)b->starts[d], to = (size_t)b->starts[d + 1], title = title_of(b, from, to);
	struct train_sample *sample = &s->items[s->n];

	if (title == SIZE_MAX || title - from + 1 + TRAIN_SAMPLE_TOKENS > context)
		return 0;
	if (decode(tokenizer, b->labels + from, title - from, &sample->body, err) || decode(tokenizer, b->labels + title, to - title, &sample->title, err))
		return -1;
	for (size_t i = from; i <= title; i++)
		vec_push(&sample->prompt, (uint32_t)b->ids[i]);
	s->n++;
	return 0;
}

int
train_samples_open(struct train_samples *s, struct trainer *trainer, const struct tokenizer *tokenizer, struct error *err)
{
	struct loader *loader = trainer_loader(trainer);
	const struct model_config *config = model_config(trainer_model(trainer));

	*s = (struct train_samples){ 0 };
	for (size_t i = 0; i < loader_dev_batches(loader) && s->n < TRAIN_SAMPLES; i++) {
		const struct model_batch *b;

		if (loader_dev(loader, i, &b, err))
			return -1;
		for (size_t d = 0; d < b->documents && s->n < TRAIN_SAMPLES; d++)
			if (take_document(s, b, d, config->context, tokenizer, err))
				return -1;
	}
	return 0;
}

void
train_samples_release(struct train_samples *s)
{
	for (size_t i = 0; i < TRAIN_SAMPLES; i++) {
		vec_release(&s->items[i].prompt);
		buf_release(&s->items[i].body);
		buf_release(&s->items[i].title);
		buf_release(&s->items[i].made);
	}
	*s = (struct train_samples){ 0 };
}

/* ---- what comes ---- */

/* One document, as it goes on. */
struct going {
	struct model_batch batch;
	size_t prompt;
};

static void
going_begin(struct going *g, const struct token_ids *prompt)
{
	size_t n = prompt->n + TRAIN_SAMPLE_TOKENS;

	*g = (struct going){ .prompt = prompt->n };
	g->batch = (struct model_batch){ .documents = 1, .ids = xcalloc(n, sizeof(int32_t)), .places = xcalloc(n, sizeof(int32_t)),
		.labels = xcalloc(n, sizeof(int32_t)), .weights = xcalloc(n, sizeof(float)), .starts = xcalloc(2, sizeof(int32_t)) };
	for (size_t i = 0; i < n; i++) {
		g->batch.ids[i] = i < prompt->n ? (int32_t)prompt->items[i] : 0;
		g->batch.places[i] = (int32_t)i;
	}
	g->batch.N = prompt->n;
}

static void
going_end(struct going *g)
{
	free(g->batch.ids);
	free(g->batch.places);
	free(g->batch.labels);
	free(g->batch.weights);
	free(g->batch.starts);
}

static int32_t
likeliest(const float *logits, size_t n)
{
	size_t best = 0;

	for (size_t i = 1; i < n; i++)
		if (logits[i] > logits[best])
			best = i;
	return (int32_t)best;
}

/* With all that came before each time anew: a few tokens do not pay for memory to keep it in. */
static int
go_on(struct going *g, struct model *model, float *logits, struct error *err)
{
	for (int i = 0; i < TRAIN_SAMPLE_TOKENS; i++) {
		int32_t row = (int32_t)g->batch.N - 1, next;

		g->batch.starts[1] = (int32_t)g->batch.N;
		g->batch.longest = g->batch.N;
		if (model_logits(model, &g->batch, &row, 1, logits, err))
			return -1;
		next = likeliest(logits, model_config(model)->vocabulary);
		if (next == LOADER_EOS)
			break;
		g->batch.ids[g->batch.N++] = next;
	}
	return 0;
}

int
train_samples_make(struct train_samples *s, struct trainer *trainer, const struct tokenizer *tokenizer, struct error *err)
{
	struct model *model = trainer_model(trainer);
	float *logits = xcalloc(model_config(model)->vocabulary, sizeof(*logits));
	int result = 0;

	for (size_t i = 0; !result && i < s->n; i++) {
		struct going g;

		going_begin(&g, &s->items[i].prompt);
		buf_clear(&s->items[i].made);
		result = go_on(&g, model, logits, err) ||
			 decode(tokenizer, g.batch.ids + g.prompt, g.batch.N - g.prompt, &s->items[i].made, err) ? -1 : 0;
		going_end(&g);
	}
	free(logits);
	return result;
}

/* ---- the table ---- */

/* In a cell of Markdown: a line without what would end the cell or begin something. */
static void
write_cell(struct buf *buf, const struct buf *text)
{
	CLEANUP(buf_release) struct buf clean = { 0 };
	size_t len;

	utf8_sanitise(&clean, buf_text(text), text->len);
	len = clean.len < SHOWN_MAX ? clean.len : SHOWN_MAX;
	while (len && len < clean.len && (clean.data[len] & 0xC0) == 0x80)
		len--;
	for (size_t i = 0; i < len; i++) {
		char c = clean.data[i];

		if (strchr("|<>&\\`*_[]#", c) && c)
			buf_printf(buf, "&#%d;", c);
		else
			buf_putc(buf, (unsigned char)c < ' ' ? ' ' : c);
	}
	buf_puts(buf, len < clean.len ? "…" : "");
}

void
train_samples_write(const struct train_samples *s, struct buf *buf)
{
	buf_puts(buf, "| the model's title | the author's | the text |\n|---|---|---|\n");
	for (size_t i = 0; i < s->n; i++) {
		buf_puts(buf, "| ");
		write_cell(buf, &s->items[i].made);
		buf_puts(buf, " | ");
		write_cell(buf, &s->items[i].title);
		buf_puts(buf, " | ");
		write_cell(buf, &s->items[i].body);
		buf_puts(buf, " |\n");
	}
}
