/* A model with its tokenizer, as a folder holds them, and texts made with it: what `generate` and `evaluate` share. */
#ifndef RUNTIME_STEP_GENERATE_H
#define RUNTIME_STEP_GENERATE_H

#include "runtime/model/search.h"
#include "runtime/step/step.h"
#include "runtime/train/tokenizer.h"

struct generator {
	struct ops_device *device;
	struct model_config config;
	struct model *model;
	struct tokenizer *tokenizer;
	enum ops_packing packing; /* of its weights */
	struct decoder *decoder;
	struct search_options options;
	size_t batch; /* texts at a time */
	struct token_ids prompts[SEARCH_TEXTS_MAX], texts[SEARCH_TEXTS_MAX]; /* of the batch at hand */
	size_t n; /* prompts */
	uint64_t done, empty, tokens; /* texts so far, those without a letter, tokens of all */
	double seconds; /* that these took */
};

/* By the options --model, --method and so on. On failure too, to be released. */
int generator_open(struct generator *g, const struct step_call *call, struct error *err);
void generator_release(struct generator *g);
/* Adds a prompt to the batch; whether that is full now. */
int generator_add(struct generator *g, const char *text, bool *ret_full, struct error *err);
/* Makes the texts of the batch; the next generator_add begins another one. */
int generator_run(struct generator *g, struct error *err);
/* Appends a text of the batch. */
int generator_text(struct generator *g, size_t i, struct buf *ret, struct error *err);
/* What there is to say at the end: how many, how fast, and whether they are any good to look at. */
void generator_say(const struct generator *g);

/* Titles for rows of a table, as JSON lines {title} and the columns `key`, between commas (`title` as `reference`), until `rows` of them or the end (0: all). */
int generate_titles(struct generator *g, const char *input, const char *field, const char *key, uint64_t rows, const char *output,
	struct error *err);

#endif
