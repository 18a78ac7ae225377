/* Titles that a model makes on its way, for a few of the documents that are kept for looking: to see with one's eyes what a loss means. */
#ifndef RUNTIME_STEP_TRAIN_SAMPLES_H
#define RUNTIME_STEP_TRAIN_SAMPLES_H

#include "runtime/train/tokenizer.h"
#include "runtime/train/trainer.h"

enum { TRAIN_SAMPLES = 3, TRAIN_SAMPLE_TOKENS = 20 };

struct train_sample {
	struct token_ids prompt; /* what goes into the model */
	struct buf body, title, made; /* made: by the model; the others of the document */
};

struct train_samples {
	struct train_sample items[TRAIN_SAMPLES];
	size_t n; /* 0 where the documents have no titles */
};

/* The first of dev. On failure too, to be released. */
int train_samples_open(struct train_samples *samples, struct trainer *trainer, const struct tokenizer *tokenizer, struct error *err);
void train_samples_release(struct train_samples *samples);
/* Lets the model go on from each, by the likeliest token each time. */
int train_samples_make(struct train_samples *samples, struct trainer *trainer, const struct tokenizer *tokenizer, struct error *err);
/* As a table in Markdown. */
void train_samples_write(const struct train_samples *samples, struct buf *buf);

#endif
