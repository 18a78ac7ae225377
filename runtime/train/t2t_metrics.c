#include "config.h"

#include "runtime/train/t2t_metrics.h"

#include <math.h>
#include <stdlib.h>

#include "base/macros.h"

enum { TOP = 5 };

const char *
t2t_metric_name(enum t2t_metric metric)
{
	static const char *const names[T2T_METRICS] = { "accuracy", "accuracy_top5", "accuracy_per_sequence", "neg_log_perplexity",
		"approx_bleu_score", "rouge_2_fscore", "rouge_L_fscore" };

	return names[metric];
}

/* ---- one place ---- */

/* Where the right id stands among all by their logits, from 0; of equal ones the smaller id comes first. */
static size_t
rank_of(const float *logits, size_t V, size_t right)
{
	size_t rank = 0;

	for (size_t i = 0; i < V; i++)
		rank += logits[i] > logits[right] || (i < right && logits[i] >= logits[right]);
	return rank;
}

static size_t
likeliest(const float *logits, size_t V)
{
	size_t best = 0;

	for (size_t i = 1; i < V; i++)
		if (logits[i] > logits[best])
			best = i;
	return best;
}

static double
log_probability(const float *logits, size_t V, size_t right)
{
	double most = (double)logits[likeliest(logits, V)], sum = 0;

	for (size_t i = 0; i < V; i++)
		sum += exp((double)logits[i] - most);
	return (double)logits[right] - most - log(sum);
}

/* ---- one title ---- */

/* How many different n-grams a side has, and how many of these the other has too. */
static void
count_different(const struct ngrams *ngrams, size_t ret[2], size_t *ret_shared)
{
	CLEANUP(freep) unsigned char *seen = xcalloc(ngrams->n_ids + 1, 1);

	ret[0] = ret[1] = *ret_shared = 0;
	for (int side = 0; side < 2; side++)
		for (size_t i = 0; i < ngrams_count(ngrams, side); i++) {
			unsigned char *flags = &seen[ngrams->ids[side][i]], flag = (unsigned char)(1 << side);

			ret[side] += !(*flags & flag);
			*ret_shared += *flags != 3 && (*flags | flag) == 3;
			*flags |= flag;
		}
}

/* The small numbers are Tensor2Tensor's, and keep it from dividing by 0. */
static double
rouge_2(const struct ngrams *pairs)
{
	size_t n[2], shared;
	double precision, recall;

	count_different(pairs, n, &shared);
	recall = n[0] ? (double)shared / (double)n[0] : 0;
	precision = n[1] ? (double)shared / (double)n[1] : 0;
	return 2 * (precision * recall / (precision + recall + 1e-8));
}

static double
rouge_l(const struct ngrams *ngrams)
{
	double common = (double)ngrams_lcs(ngrams), recall = common / (double)ngrams->n[0], precision = common / (double)ngrams->n[1];
	double beta = precision / (recall + 1e-12);

	return (1 + beta * beta) * recall * precision / (recall + beta * beta * precision + 1e-12);
}

static int
compare(struct t2t_metrics *m, const struct tokens *title, const struct tokens *said, struct error *err)
{
	struct ngrams ngrams;

	if (bleu_add(&m->bleu, title, said, err) || ngrams_init(&ngrams, title, said, err))
		return -1;
	m->rouge_l += rouge_l(&ngrams);
	ngrams_longer(&ngrams);
	m->rouge_2 += rouge_2(&ngrams);
	ngrams_release(&ngrams);
	return 0;
}

static void
add_id(struct tokens *tokens, size_t id)
{
	uint32_t number = (uint32_t)id;

	tokens_add(tokens, (const char *)&number, sizeof(number));
}

int
t2t_metrics_add(struct t2t_metrics *m, const int32_t *title, const float *logits, size_t n, size_t V, struct error *err)
{
	struct tokens right = { 0 }, said = { 0 };
	uint64_t hits = 0;
	int result;

	if (!n)
		return 0;
	for (size_t i = 0; i < n; i++, logits += V) {
		size_t id = (size_t)title[i], rank = rank_of(logits, V, id);

		add_id(&right, id);
		add_id(&said, likeliest(logits, V));
		hits += rank == 0;
		m->hits5 += rank < TOP;
		m->logarithms += log_probability(logits, V, id);
	}
	m->titles++;
	m->ids += n;
	m->hits += hits;
	m->whole += hits == n;
	result = compare(m, &right, &said, err);
	tokens_release(&right);
	tokens_release(&said);
	return result;
}

/* ---- all of them ---- */

/* An order that the titles are too short for counts as 1, and one without a match as half, a quarter, … of one. */
static double
bleu(const struct bleu *b)
{
	double sum = 0, smooth = 1, ratio = b->reference_len ? (double)b->prediction_len / (double)b->reference_len : 1;

	if (!b->totals[0])
		return 0;
	for (int i = 0; i < BLEU_ORDER; i++) {
		if (!b->totals[i])
			continue;
		if (!b->matches[i])
			smooth *= 2;
		sum += log(b->matches[i] ? (double)b->matches[i] / (double)b->totals[i] : 1 / (smooth * (double)b->totals[i]));
	}
	return exp(sum / BLEU_ORDER) * (ratio >= 1 ? 1 : exp(1 - 1 / ratio));
}

double
t2t_metrics_value(const struct t2t_metrics *m, enum t2t_metric metric)
{
	double ids = m->ids ? (double)m->ids : 1, titles = m->titles ? (double)m->titles : 1;

	switch (metric) {
	case T2T_ACCURACY:
		return (double)m->hits / ids;
	case T2T_ACCURACY_TOP5:
		return (double)m->hits5 / ids;
	case T2T_ACCURACY_PER_SEQUENCE:
		return (double)m->whole / titles;
	case T2T_NEG_LOG_PERPLEXITY:
		return m->logarithms / ids;
	case T2T_APPROX_BLEU:
		return bleu(&m->bleu);
	case T2T_ROUGE_2:
		return m->rouge_2 / titles;
	case T2T_ROUGE_L:
		return m->rouge_l / titles;
	case T2T_METRICS:
		break;
	}
	BUG("metric %d", (int)metric);
}
