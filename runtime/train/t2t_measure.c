/* Tensor2Tensor's measures of the titles in a batch. */
#include "config.h"

#include <stdlib.h>

#include "base/macros.h"
#include "runtime/model/model.h"
#include "runtime/train/t2t_metrics.h"

/* The places of titles, which are those that count, and how many of them each document has. */
static size_t
title_places(const struct model_batch *b, int32_t *places, size_t *ret_each)
{
	size_t n = 0;

	for (size_t d = 0; d < b->documents; d++) {
		size_t from = n;

		for (int32_t i = b->starts[d]; i < b->starts[d + 1]; i++)
			if (b->weights[i] > 0)
				places[n++] = i;
		ret_each[d] = n - from;
	}
	return n;
}

int
t2t_metrics_measure(struct t2t_metrics *metrics, struct model *model, const struct model_batch *b, struct error *err)
{
	CLEANUP(freep) int32_t *places = xcalloc(b->N, sizeof(*places)), *ids = xcalloc(b->N, sizeof(*ids));
	CLEANUP(freep) size_t *each = xcalloc(b->documents, sizeof(*each));
	size_t V = model_config(model)->vocabulary, n = title_places(b, places, each), at = 0;
	CLEANUP(freep) float *logits = xcalloc(n * V + 1, sizeof(*logits));

	if (model_logits(model, b, places, n, logits, err))
		return -1;
	for (size_t i = 0; i < n; i++)
		ids[i] = b->labels[places[i]];
	for (size_t d = 0; d < b->documents; at += each[d++])
		if (t2t_metrics_add(metrics, ids + at, logits + at * V, each[d], V, err))
			return -1;
	return 0;
}
