/* Batches for training, from token shards: whole documents packed into a budget of tokens (or padded as Tensor2Tensor does), in an order
 * that the seed and the epoch decide, so that a cursor of two numbers is enough to go on anywhere.
 *
 * A document of two fields becomes body, <EOS>, <pad>, title, <EOS>, as Tensor2Tensor's problem has it; one of a single field text,
 * <EOS>. What goes into the model is that one token later, with <pad> first; <pad> is no label that counts. Documents longer than
 * the context lose the end of their body, and titles the end of what exceeds half of it.
 *
 * The part `dev` is chosen by a hash of the document's text, so equal documents are in one part. */
#ifndef RUNTIME_TRAIN_LOADER_H
#define RUNTIME_TRAIN_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "runtime/model/model.h"
#include "runtime/train/shard.h"
#include "runtime/train/token_ids.h"

enum { LOADER_PAD = 0, LOADER_EOS = 1, LOADER_TOKENS_MAX = 1 << 20, LOADER_DOCUMENTS_MAX = 1 << 30 };

/* LOADER_BUCKETED: documents of about the same length, padded to the longest of their batch with <pad>, whose labels do not count; see
 * runtime/train/loader_plan.h. What is kept for looking is packed all the same. */
enum loader_padding { LOADER_PACKED, LOADER_BUCKETED };

struct loader_options {
	size_t tokens; /* of a batch, at most LOADER_TOKENS_MAX */
	size_t context; /* of a document, at most `tokens` */
	bool target_only; /* only what belongs to the title counts in the loss */
	enum loader_padding padding;
	double dev_share; /* of the documents: kept for looking, not for learning */
	uint64_t dev_from; /* or documents from this one on are; 0: the share says it */
	uint64_t seed;
};

struct loader_cursor {
	uint64_t epoch, batch; /* the next one */
};

struct loader;

/* The shard stays the caller's. NULL with *err set: no documents, fields that make no sequence, ids that are not in the vocabulary. */
struct loader *loader_open(const struct shard *shard, const struct loader_options *options, struct error *err);
void loader_close(struct loader *loader); /* NULL is fine */
size_t loader_documents(const struct loader *loader, bool dev);
/* Documents of which something was cut off. */
size_t loader_cut(const struct loader *loader);
/* Batches of the epoch that the cursor is in. */
size_t loader_batches(struct loader *loader, uint64_t epoch);
/* The share of the epoch's batches that is tokens of documents: the rest is padding, or room at the end of a packed batch. */
double loader_useful(struct loader *loader, uint64_t epoch);
/* The batch at the cursor, which moves on; it is the loader's until the next call. */
int loader_next(struct loader *loader, struct loader_cursor *cursor, const struct model_batch **ret, struct error *err);
/* Tokens of documents in the batch that was given last. */
size_t loader_tokens(const struct loader *loader);
/* Which documents of the shard, from 0, the batch at the cursor has: their number, and the loader's list of them. */
size_t loader_batch_documents(struct loader *loader, const struct loader_cursor *cursor, const uint32_t **ret);
/* Tokens of documents in the batch that was given last. */
size_t loader_tokens(const struct loader *loader);
size_t loader_dev_batches(const struct loader *loader);
int loader_dev(struct loader *loader, size_t i, const struct model_batch **ret, struct error *err);

/* Appends what a model is asked with for a document's text: body, <EOS>, <pad> of two fields, cut to leave `room` of the context. */
void loader_prompt(const struct token_ids *body, size_t context, size_t room, struct token_ids *ret);

#endif
