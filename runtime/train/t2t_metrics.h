/* What Tensor2Tensor's Text2TextProblem measures (1.11, its names): a model is given the right title, token by token, and asked for the next one.
 * All of it is of ids, never of text, and so compares models of the same tokenizer only.
 *
 * A title is its ids and <EOS>; what the model says is the likeliest id at each place, of equal ones the smallest. BLEU and ROUGE are over the
 * title, where Tensor2Tensor's prepend mode has the body and the padding in them too; all titles are one batch. A model that repeats what it is
 * given says the title one place late, which these two take for a very good one: look at the accuracy first. */
#ifndef RUNTIME_TRAIN_T2T_METRICS_H
#define RUNTIME_TRAIN_T2T_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "runtime/train/bleu.h"

struct model;
struct model_batch;

enum t2t_metric {
	T2T_ACCURACY, /* the share of ids that are right */
	T2T_ACCURACY_TOP5, /* that are among the five likeliest */
	T2T_ACCURACY_PER_SEQUENCE, /* of titles that are right from end to end */
	T2T_NEG_LOG_PERPLEXITY, /* the mean logarithm of the right id's probability */
	T2T_APPROX_BLEU, /* n-grams up to 4 of all titles, smoothed, with the penalty for brevity; from 0 to 1 */
	T2T_ROUGE_2, /* the mean F of different pairs of ids */
	T2T_ROUGE_L, /* the mean F of the longest common subsequence, recall weighted as ROUGE's authors have it */
	T2T_METRICS,
};

/* Sums; zero-initialise it. */
struct t2t_metrics {
	uint64_t titles, whole, ids, hits, hits5;
	double logarithms, rouge_2, rouge_l;
	struct bleu bleu;
};

/* `accuracy_top5` and so on. */
const char *t2t_metric_name(enum t2t_metric metric);
/* n ids of a title, and the logits (n, V) for them. */
int t2t_metrics_add(struct t2t_metrics *metrics, const int32_t *title, const float *logits, size_t n, size_t V, struct error *err);
/* The titles of a batch, of which the loader has taken the titles only to count; the logits of all their places are kept at a time. */
int t2t_metrics_measure(struct t2t_metrics *metrics, struct model *model, const struct model_batch *batch, struct error *err);
/* 0 where there are no titles. */
double t2t_metrics_value(const struct t2t_metrics *metrics, enum t2t_metric metric);

#endif
