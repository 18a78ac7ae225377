/* Batches for a device on which the same sizes again are faster (ops.h, `steady`): filled up with tokens that count for nothing, in
 * documents of their own, and with empty documents, so that there are few sizes. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "runtime/model/model_private.h"

enum { SIZES = 8, DOCUMENTS = 32 /* their number is a multiple of this */ };

void
model_steady_init(struct model *m)
{
	size_t N = m->capacity;

	if (!m->d->steady || m->purpose == MODEL_TO_USE)
		return;
	m->steady = (struct model_batch){ .ids = xcalloc(N, sizeof(int32_t)), .places = xcalloc(N, sizeof(int32_t)),
		.labels = xcalloc(N, sizeof(int32_t)), .weights = xcalloc(N, sizeof(float)), .starts = xcalloc(N + 1, sizeof(int32_t)) };
}

void
model_steady_release(struct model *m)
{
	free(m->steady.ids);
	free(m->steady.places);
	free(m->steady.labels);
	free(m->steady.weights);
	free(m->steady.starts);
}

static size_t
up_to(size_t n, size_t multiple, size_t max)
{
	size_t ret = (n + multiple - 1) / multiple * multiple;

	return ret < max ? ret : max;
}

const struct model_batch *
model_steady(struct model *m, const struct model_batch *b)
{
	struct model_batch *s = &m->steady;
	size_t context = m->config.context, N, documents = b->documents;

	if (!s->ids || b->N > m->capacity || b->documents > b->N)
		return b;
	N = up_to(b->N, (m->capacity + SIZES - 1) / SIZES, m->capacity);
	memcpy(s->ids, b->ids, b->N * sizeof(*s->ids));
	memcpy(s->places, b->places, b->N * sizeof(*s->places));
	memcpy(s->labels, b->labels, b->N * sizeof(*s->labels));
	memcpy(s->weights, b->weights, b->N * sizeof(*s->weights));
	memcpy(s->starts, b->starts, (b->documents + 1) * sizeof(*s->starts));
	for (size_t i = b->N; i < N; i++) {
		s->ids[i] = s->labels[i] = 0;
		s->places[i] = (int32_t)((i - b->N) % context);
		s->weights[i] = 0;
		if ((i - b->N) % context == 0)
			s->starts[documents++] = (int32_t)i;
	}
	s->N = N;
	s->documents = up_to(documents, DOCUMENTS, N);
	s->longest = context;
	for (size_t d = documents; d <= s->documents; d++)
		s->starts[d] = (int32_t)N;
	return s;
}
