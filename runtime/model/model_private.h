#ifndef RUNTIME_MODEL_MODEL_PRIVATE_H
#define RUNTIME_MODEL_MODEL_PRIVATE_H

#include "runtime/model/model.h"

/* What a layer keeps from its forward half for its backward half. All in the device's memory. */
struct layer_state {
	void *sum1, *norm1, *mean1, *rstd1; /* (N, C) (N, C) (N) (N) */
	void *qkv, *attended, *logsum; /* (N, QKV) (N, C) (N, NH) */
	void *sum2, *norm2, *mean2, *rstd2;
	void *fc, *act; /* (N, F) before and behind the activation; fc is (N, 2 F) where it is gated */
};

struct model {
	struct model_config config;
	struct params params;
	struct ops_device *d;
	size_t capacity; /* tokens of a batch */
	enum model_purpose purpose;
	void *memory; /* all of it but the slabs */
	void *slabs[MODEL_SLABS];
	void *narrow; /* the weights once more, for products; NULL where the device's narrow numbers are its reals */

	int32_t *ids, *places, *labels, *starts; /* of the batch */
	void *weights;
	struct ops_step *step;
	void *positions; /* (context, C): MODEL_PREPEND's sines; (context, D): MODEL_LLAMA's angles */
	struct layer_state *layers;
	void *embedded; /* (N, C) */
	void *branch; /* (N, C): what a branch adds */
	void *final_sum, *final, *final_mean, *final_rstd;
	void *logits; /* (model_logit_rows(), V), model_logit_ld() apart */
	void *losses, *hits; /* (N) */
	void *dsum, *dnorm, *dqkv, *dfc; /* gradients on their way back: (N, C), real, and narrow (N, C) (N, QKV) (N, F) */
	void *clip; /* (2): the factor, the norm */
	void *direction, *squares[3]; /* of Muon: a part of a parameter; (n, n), n its shorter side */
	void *host; /* (N) reals of the device */
	struct model_batch steady; /* what model_steady makes; nothing where that is not needed */
	const volatile sig_atomic_t *stop; /* or NULL */
};

/* Dropout's places. */
enum model_site { SITE_ATTENTION, SITE_PROJ, SITE_ACTIVATION, SITE_OUT, SITES };
enum { SITE_EMBED = 0xFFFFFF };

/* Where the keys and values of a batch's tokens are kept. */
struct kept {
	void *const *keys, *const *values; /* of each layer, for all slots: see struct ops_keep */
	size_t length;
	const int32_t *slots; /* (N), in the device's memory */
	const int32_t *from; /* (slots, length), likewise: see struct ops_decode */
	bool halves; /* they are bfloat16 */
	bool alone; /* each token sees what its slot keeps, instead of the others of the batch */
};

/* The matrices of a model, packed to go on from texts with. */
struct packed {
	enum ops_packing packing;
	void **weights; /* of each parameter of the table; NULL: it is not packed */
	void *output; /* (C, V) */
};

/* A batch on its way through; seed 0 and no dropout where nothing is dropped. */
struct pass {
	struct model *m;
	size_t N, documents, longest;
	double dropout, smoothing;
	bool backward;
	const struct kept *kept; /* or NULL */
	const struct packed *packed; /* or NULL */
};

/* `n` reals further. */
static inline void *
model_further(const struct model *m, const void *at, size_t n)
{
	return (char *)(uintptr_t)at + n * m->d->real;
}

/* `n` narrow numbers further. */
static inline void *
model_narrow_further(const struct model *m, const void *at, size_t n)
{
	return (char *)(uintptr_t)at + n * m->d->narrow;
}

/* A parameter as products read it. */
static inline const void *
model_factor(const struct model *m, size_t which)
{
	return m->narrow ? model_narrow_further(m, m->narrow, m->params.items[which].at) : model_at(m, MODEL_WEIGHTS, which);
}

static inline enum ops_activation
model_activation(const struct model *m)
{
	return m->config.arch == MODEL_GPT2 ? OPS_GELU : OPS_RELU;
}

/* Numbers from row to row of logits: products of bfloat16 want rows that are aligned. */
static inline size_t
model_logit_ld(const struct model_config *c, const struct ops_device *d)
{
	return d->narrow == d->real ? c->vocabulary : (c->vocabulary + 7) / 8 * 8;
}

/* Rows of logits that exist at a time, in a batch of N tokens. */
static inline size_t
model_logit_rows(const struct ops_device *d, size_t N)
{
	size_t rows = d->logit_rows ? d->logit_rows : MODEL_LOGIT_ROWS;

	return N < rows ? N : rows;
}

static inline bool
model_is_stopped(const struct model *m)
{
	return m->stop && *m->stop;
}

struct ops_norm model_norm(const struct pass *pass, const void *x, const void *branch, size_t gain, size_t bias, void *sum, void *mean,
	void *rstd, uint32_t site);
struct ops_rotate model_rotate(const struct pass *pass, void *qkv, bool back);
struct ops_attention model_attention(const struct pass *pass, size_t layer);
struct ops_embed model_embed(const struct pass *pass);
struct ops_dropout model_dropout(const struct pass *pass, size_t layer, enum model_site site);
/* The same batch in one of a few sizes, or itself, where the device has no gain from that. Until the next call. */
const struct model_batch *model_steady(struct model *m, const struct model_batch *b);
void model_steady_init(struct model *m);
void model_steady_release(struct model *m);
/* Takes the batch to the device. */
struct pass model_begin(struct model *m, const struct model_batch *b, const struct ops_step *step);
/* Bytes of the device's memory, on a device that packs. */
size_t packed_memory(const struct model_config *config, struct ops_device *device, enum ops_packing packing);
/* NULL: there is no memory. */
struct packed *packed_new(struct model *m, enum ops_packing packing);
void packed_free(struct model *m, struct packed *packed); /* NULL is fine */
void model_forward(const struct pass *pass);
/* The classifier and its loss; with `backward` also its gradients, the start of the way back. */
void model_classify(const struct pass *pass);
void model_backward(const struct pass *pass);

/* Numbers of the largest part that Muon moves, and of the largest square of a shorter side. */
void muon_sizes(const struct params *params, size_t *ret_matrix, size_t *ret_square);
/* Bytes that the device takes for itself in the products of Muon. */
size_t muon_scratch(const struct params *params, struct ops_device *device);
/* Moves a parameter that is hidden. */
void muon_update(struct model *m, const struct model_update *update, size_t which);

#endif
