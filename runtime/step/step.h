/* The commands of lateen-step. One table (step_table.c) is the source of names, options, help and what is parsed. */
#ifndef RUNTIME_STEP_STEP_H
#define RUNTIME_STEP_STEP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/error.h"

enum { STEP_OPTIONS_MAX = 48 };

struct step_option {
	const char *name; /* without the dashes */
	const char *argument; /* "FILE", "N", "TEXT" */
	const char *doc;
	const char *fallback; /* NULL: must be given */
};

struct step_command;

/* The options as they were given, in the order of the table. */
struct step_call {
	const struct step_command *command;
	const char *values[STEP_OPTIONS_MAX];
};

struct step_command {
	const char *name;
	const char *doc; /* one line */
	struct step_option options[STEP_OPTIONS_MAX]; /* ends with a NULL name, or is full */
	int (*run)(const struct step_call *call, struct error *err);
};

extern const struct step_command STEP_COMMANDS[]; /* ends with a NULL name */

/* An option's value; a BUG() if the command has no such option. */
const char *step_text(const struct step_call *call, const char *option);
/* As a whole number from 0 up to max. */
int step_number(const struct step_call *call, const char *option, int64_t max, int64_t *ret, struct error *err);

/* From 0 up to max. */
int step_real(const struct step_call *call, const char *option, double max, double *ret, struct error *err);
/* `true` or `false`. */
int step_boolean(const struct step_call *call, const char *option, bool *ret, struct error *err);

/* The next word of any script at or behind *at, in lower case; false at the end. What is longer is cut. */
enum { STEP_WORD_MAX = 64 };
bool step_next_word(const char *text, size_t len, size_t *at, char ret[STEP_WORD_MAX + 8]);

double step_seconds(void); /* of a clock that nobody sets */

/* Appends `"key":"text"` to a JSON object that was begun with `{`, with a comma before all but the first. */
void step_write_pair(struct buf *buf, const char *key, const char *text, size_t len);
/* Writes the whole file, its folders included; on failure nothing is left of it. */
int step_write(const char *path, const struct buf *buf, struct error *err);
/* The same a piece at a time: appends to the file and empties the buffer when it has grown, or `last`. */
struct step_output {
	const char *path;
	FILE *file;
	struct buf buf;
};
int step_output_open(struct step_output *output, const char *path, struct error *err);
int step_output_flush(struct step_output *output, bool last, struct error *err);
void step_output_abandon(struct step_output *output);

int step_github_issues(const struct step_call *call, struct error *err);
int step_synthetic_issues(const struct step_call *call, struct error *err);
int step_count(const struct step_call *call, struct error *err);
int step_words(const struct step_call *call, struct error *err);
int step_lengths(const struct step_call *call, struct error *err);
int step_table(const struct step_call *call, struct error *err);
int step_baseline(const struct step_call *call, struct error *err);
int step_score(const struct step_call *call, struct error *err);
int step_split(const struct step_call *call, struct error *err);
int step_clean(const struct step_call *call, struct error *err);
int step_tokenizer(const struct step_call *call, struct error *err);
int step_tokenize(const struct step_call *call, struct error *err);
int step_detokenize(const struct step_call *call, struct error *err);
int step_pretrained(const struct step_call *call, struct error *err);
int step_train(const struct step_call *call, struct error *err);
int step_generate(const struct step_call *call, struct error *err);
int step_evaluate(const struct step_call *call, struct error *err);
int step_export(const struct step_call *call, struct error *err);
int step_t2t_datagen(const struct step_call *call, struct error *err);
int step_t2t_train(const struct step_call *call, struct error *err);
int step_t2t_copy(const struct step_call *call, struct error *err);
int step_chart(const struct step_call *call, struct error *err);

#endif
