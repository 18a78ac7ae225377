/* The sums that std.score keeps of two tables of texts, and what it writes of them. */
#ifndef RUNTIME_STEP_SCORE_H
#define RUNTIME_STEP_SCORE_H

#include "runtime/step/step.h"
#include "runtime/train/bleu.h"
#include "runtime/train/rouge.h"

enum { SCORE_BASELINE_WORDS = 12 };

struct score_sums {
	struct rouge rouge; /* sums over the rows */
	struct bleu bleu;
	size_t n, empty;
};

struct score_result {
	struct score_sums predictions, baseline; /* baseline.n is 0 where there is no column to take it from */
	size_t unpaired_predictions, unpaired_references;
	size_t repeated; /* predictions whose key an earlier one has: not looked at */
	size_t wordless; /* references that ROUGE sees no word in */
};

/* A number that somebody else found, to stand behind the others in the metrics, and in a table of its own below theirs. */
struct score_extra {
	const char *name; /* in Kubeflow's metrics */
	double number;
	bool is_share; /* from 0 to 1 */
};

struct score_extras {
	const char *title; /* of the table */
	const struct score_extra *items;
	size_t n;
};

/* `lateen-step score`; extras may be NULL. */
int score_tables(const struct step_call *call, const struct score_extras *extras, struct error *err);
/* Appends the first n words of the text, one blank between two. */
void score_first_words(struct buf *buf, const char *text, size_t n);
/* Writes what the options name: the metrics, the table, the numbers. */
int score_write(const struct step_call *call, const struct score_result *result, const struct score_extras *extras, struct error *err);
/* Lines for who reads the step's log. */
void score_say(struct buf *buf, const struct score_result *result, const char *key);

#endif
