#include "config.h"

#include "runtime/train/loader.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "kernels/ops.h"
#include "runtime/train/loader_plan.h"

enum {
	SITE_ORDER = 0x40000000, /* of the random numbers that shuffle */
	MARKS_TWO = 3, MARKS_ONE = 1, /* tokens of a sequence that are not text */
};

struct loader {
	const struct shard *shard;
	struct loader_options options;
	struct {
		uint32_t *items;
		size_t n, cap;
	} train, dev;
	size_t cut;
	struct loader_plan of_train, of_dev;
	uint64_t epoch; /* of of_train; UINT64_MAX: none yet */
	struct token_ids body, title;
	struct model_batch batch;
	size_t tokens; /* of the batch, without what pads it */
};

/* ---- documents ---- */

struct lengths {
	size_t body, title;
};

/* What stays of a document. */
static struct lengths
lengths_of(const struct loader *l, uint64_t document, bool *ret_cut)
{
	size_t body = (size_t)shard_length(l->shard, document, 0), room;
	struct lengths ret = { 0 };

	if (shard_info(l->shard)->fields == 1) {
		room = l->options.context - MARKS_ONE;
		ret.body = body < room ? body : room;
	} else {
		size_t title = (size_t)shard_length(l->shard, document, 1);

		room = l->options.context - MARKS_TWO;
		ret.title = title < room / 2 ? title : room / 2;
		ret.body = body < room - ret.title ? body : room - ret.title;
		*ret_cut = ret.title < title;
	}
	*ret_cut = *ret_cut || ret.body < body;
	return ret;
}

static size_t
tokens_of(const struct loader *l, uint64_t document)
{
	bool cut = false;
	struct lengths n = lengths_of(l, document, &cut);

	return n.body + n.title + (shard_info(l->shard)->fields == 1 ? MARKS_ONE : MARKS_TWO);
}

/* FNV-1a of the document's ids. */
static int
hash_document(struct loader *l, uint64_t document, uint64_t *ret, struct error *err)
{
	*ret = 14695981039346656037u;
	for (uint32_t f = 0; f < shard_info(l->shard)->fields; f++) {
		l->body.n = 0;
		if (shard_read(l->shard, document, f, &l->body, err))
			return -1;
		for (size_t i = 0; i < l->body.n; i++)
			*ret = (*ret ^ l->body.items[i]) * 1099511628211u;
		*ret = (*ret ^ 0xFFFFFFFFu) * 1099511628211u;
	}
	/* The low bits alone know little of the first tokens. */
	*ret ^= *ret >> 32;
	*ret *= 0x9E3779B97F4A7C15u;
	return 0;
}

static int
part_documents(struct loader *l, struct error *err)
{
	uint64_t from = l->options.dev_from;

	for (uint64_t i = 0; i < shard_info(l->shard)->documents; i++) {
		uint64_t hash;
		bool cut = false;

		if (hash_document(l, i, &hash, err))
			return -1;
		if (from ? i >= from : (double)(hash >> 11) / 9007199254740992.0 < l->options.dev_share)
			vec_push(&l->dev, (uint32_t)i);
		else
			vec_push(&l->train, (uint32_t)i);
		lengths_of(l, i, &cut);
		l->cut += cut;
	}
	if (!l->train.n && l->dev.n)
		return error_set(err, "there are no documents to learn from: all %zu are kept to look at; lower their share", l->dev.n);
	return l->train.n ? 0 : error_set(err, "there are no documents to learn from");
}

/* ---- batches of an epoch ---- */

static void
plan(const struct loader *l, const uint32_t *documents, size_t n, uint64_t epoch, bool bucketed, struct loader_plan *ret)
{
	CLEANUP(freep) uint32_t *lengths = xmalloc((n + 1) * sizeof(*lengths));
	struct loader_order order = { documents, lengths, n };

	for (size_t i = 0; i < n; i++)
		lengths[i] = (uint32_t)tokens_of(l, documents[i]);
	if (bucketed)
		loader_plan_bucket(ret, &order, l->options.tokens, l->options.context, l->options.seed, epoch);
	else
		loader_plan_pack(ret, &order, l->options.tokens);
}

static void
plan_epoch(struct loader *l, uint64_t epoch)
{
	uint32_t *order;

	if (l->epoch == epoch)
		return;
	order = xmalloc((l->train.n + 1) * sizeof(*order));
	memcpy(order, l->train.items, l->train.n * sizeof(*order));
	for (size_t i = l->train.n; i > 1; i--) {
		uint64_t word = ops_random(l->options.seed, epoch, SITE_ORDER, i);
		size_t k = (size_t)(word * i >> 32);
		uint32_t swapped = order[i - 1];

		order[i - 1] = order[k];
		order[k] = swapped;
	}
	loader_plan_release(&l->of_train);
	plan(l, order, l->train.n, epoch, l->options.padding == LOADER_BUCKETED, &l->of_train);
	l->epoch = epoch;
	free(order);
}

/* ---- batches ---- */

static void
take_memory(struct loader *l)
{
	size_t n = l->options.tokens;

	l->batch = (struct model_batch){ .ids = xcalloc(n, sizeof(int32_t)), .places = xcalloc(n, sizeof(int32_t)),
		.labels = xcalloc(n, sizeof(int32_t)), .weights = xcalloc(n, sizeof(float)), .starts = xcalloc(n + 1, sizeof(int32_t)) };
}

static void
add_label(struct loader *l, size_t start, uint32_t id, bool counts)
{
	struct model_batch *b = &l->batch;
	size_t at = b->N++;

	b->ids[at] = at > start ? b->labels[at - 1] : LOADER_PAD;
	b->places[at] = (int32_t)(at - start);
	b->labels[at] = (int32_t)id;
	b->weights[at] = counts && id != LOADER_PAD;
}

/* Up to `padded` tokens: no labels that count, and attention does not look at them, for they come last. */
static int
add_document(struct loader *l, uint64_t document, size_t padded, struct error *err)
{
	struct model_batch *b = &l->batch;
	bool two = shard_info(l->shard)->fields == 2, cut = false, all = !two || !l->options.target_only;
	struct lengths n = lengths_of(l, document, &cut);
	size_t start = b->N;

	l->body.n = l->title.n = 0;
	if (shard_read(l->shard, document, 0, &l->body, err) || (two && shard_read(l->shard, document, 1, &l->title, err)))
		return -1;
	for (size_t i = 0; i < n.body; i++)
		add_label(l, start, l->body.items[i], all);
	add_label(l, start, LOADER_EOS, all);
	if (two) {
		add_label(l, start, LOADER_PAD, false);
		for (size_t i = 0; i < n.title; i++)
			add_label(l, start, l->title.items[i], true);
		add_label(l, start, LOADER_EOS, true);
	}
	l->tokens += b->N - start;
	while (b->N - start < padded)
		add_label(l, start, LOADER_PAD, false);
	b->starts[++b->documents] = (int32_t)b->N;
	if (b->N - start > b->longest)
		b->longest = b->N - start;
	return 0;
}

static int
fill(struct loader *l, const struct loader_plan *p, size_t i, const struct model_batch **ret, struct error *err)
{
	const struct loader_plan_batch *b = &p->batches[i];

	l->batch.N = l->batch.documents = l->batch.longest = l->tokens = 0;
	for (size_t k = b->start; k < b->start + (size_t)b->n; k++)
		if (add_document(l, p->documents[k], b->padded, err))
			return -1;
	*ret = &l->batch;
	return 0;
}

static int
check(const struct shard *shard, const struct loader_options *o, struct error *err)
{
	const struct shard_info *info = shard_info(shard);

	if (info->fields > 2)
		return error_set(err, "the documents have %u fields, where a model learns from one text, or from a body and its title", info->fields);
	if (info->documents > LOADER_DOCUMENTS_MAX)
		return error_set(err, "there are more than %d documents", LOADER_DOCUMENTS_MAX);
	if (info->vocabulary < 3)
		return error_set(err, "the vocabulary has %u tokens, and a model wants more", info->vocabulary);
	if (o->tokens > LOADER_TOKENS_MAX || o->context < 8 || o->context > o->tokens)
		return error_set(err, "a batch has up to %d tokens, and a document from 8 to as many as the batch", LOADER_TOKENS_MAX);
	return 0;
}

struct loader *
loader_open(const struct shard *shard, const struct loader_options *options, struct error *err)
{
	struct loader *l;

	if (check(shard, options, err))
		return NULL;
	l = xcalloc(1, sizeof(*l));
	*l = (struct loader){ .shard = shard, .options = *options, .epoch = UINT64_MAX };
	take_memory(l);
	if (part_documents(l, err)) {
		loader_close(l);
		return NULL;
	}
	plan(l, l->dev.items, l->dev.n, 0, false, &l->of_dev);
	return l;
}

void
loader_close(struct loader *l)
{
	if (!l)
		return;
	loader_plan_release(&l->of_train);
	loader_plan_release(&l->of_dev);
	vec_release(&l->train);
	vec_release(&l->dev);
	vec_release(&l->body);
	vec_release(&l->title);
	free(l->batch.ids);
	free(l->batch.places);
	free(l->batch.labels);
	free(l->batch.weights);
	free(l->batch.starts);
	free(l);
}

size_t
loader_documents(const struct loader *l, bool dev)
{
	return dev ? l->dev.n : l->train.n;
}

size_t
loader_cut(const struct loader *l)
{
	return l->cut;
}

size_t
loader_batches(struct loader *l, uint64_t epoch)
{
	plan_epoch(l, epoch);
	return l->of_train.n;
}

double
loader_useful(struct loader *l, uint64_t epoch)
{
	plan_epoch(l, epoch);
	return l->of_train.room ? (double)l->of_train.tokens / (double)l->of_train.room : 0;
}

size_t
loader_tokens(const struct loader *l)
{
	return l->tokens;
}

int
loader_next(struct loader *l, struct loader_cursor *cursor, const struct model_batch **ret, struct error *err)
{
	if (cursor->batch >= loader_batches(l, cursor->epoch)) {
		cursor->epoch++;
		cursor->batch = 0;
		plan_epoch(l, cursor->epoch);
	}
	return fill(l, &l->of_train, cursor->batch++, ret, err);
}

size_t
loader_batch_documents(struct loader *l, const struct loader_cursor *cursor, const uint32_t **ret)
{
	size_t i = (size_t)cursor->batch;

	if (i >= loader_batches(l, cursor->epoch))
		return 0;
	*ret = l->of_train.documents + l->of_train.batches[i].start;
	return l->of_train.batches[i].n;
}

size_t
loader_dev_batches(const struct loader *l)
{
	return l->of_dev.n;
}

int
loader_dev(struct loader *l, size_t i, const struct model_batch **ret, struct error *err)
{
	return fill(l, &l->of_dev, i, ret, err);
}

void
loader_prompt(const struct token_ids *body, size_t context, size_t room, struct token_ids *ret)
{
	size_t max = context > room + 2 ? context - room - 2 : 0, n = body->n < max ? body->n : max;

	for (size_t i = 0; i < n; i++)
		vec_push(ret, body->items[i]);
	vec_push(ret, LOADER_EOS);
	vec_push(ret, LOADER_PAD);
}
