#include "config.h"

#include "runtime/model/decoder.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "runtime/model/model_private.h"

struct decoder {
	struct model *m;
	size_t slots, length;
	void **keys, **values; /* of each layer, for all slots: see struct ops_keep */
	struct packed *packed; /* NULL: the device has no need of it */
	void *table; /* (C, V): then the output's matrix turned, so that few rows read it in order */
	int32_t *from; /* (slots, length), in the device's memory: in which slot each token of a slot lies */
	int32_t *lies; /* the same in the host's */
	int32_t *rows; /* in the device's memory: the slots of a batch's tokens */
	void *logits; /* (slots, V) */
	size_t *kept; /* of each slot */
	struct model_batch batch; /* (the larger of slots and length) */
	int32_t *of_slot;
};

static size_t
larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* Bytes of the keys, or of the values, of a layer. */
static size_t
kept_bytes(const struct model_config *c, const struct ops_device *device, size_t slots, size_t length, enum ops_packing packing)
{
	return slots * length * model_config_keys(c) * (packing == OPS_PACK_F32 ? device->narrow : device->narrow / 2);
}

size_t
decoder_memory(const struct model_config *c, struct ops_device *device, size_t slots, size_t length, enum ops_packing packing)
{
	size_t kept = 2 * c->layers * kept_bytes(c, device, slots, length, packing), table = c->vocabulary * c->channels * device->narrow;

	return kept + (device->ops->pack ? packed_memory(c, device, packing) : table) + slots * c->vocabulary * device->real +
	       (slots * length + larger(slots, length)) * sizeof(int32_t);
}

static void
put_table(struct decoder *d)
{
	struct model *m = d->m;
	const struct param *p = &m->params.items[m->params.head];
	size_t V = p->rows, C = p->columns;
	float *rows = xmalloc(p->n * sizeof(*rows)), *turned = xmalloc(p->n * sizeof(*turned));

	model_get(m, MODEL_WEIGHTS, p, rows);
	for (size_t v = 0; v < V; v++)
		for (size_t c = 0; c < C; c++)
			turned[c * V + v] = rows[v * C + c];
	m->d->ops->put_narrow(m->d, d->table, turned, p->n);
	free(rows);
	free(turned);
}

static bool
take_memory(struct decoder *d, enum ops_packing packing)
{
	const struct model_config *c = &d->m->config;
	struct ops_device *device = d->m->d;
	size_t n = larger(d->slots, d->length), size = kept_bytes(c, device, d->slots, d->length, packing);
	bool taken = true;

	for (size_t l = 0; l < c->layers; l++) {
		d->keys[l] = device->ops->alloc(device, size);
		d->values[l] = device->ops->alloc(device, size);
		taken = taken && d->keys[l] && d->values[l];
	}
	if (device->ops->pack)
		d->packed = packed_new(d->m, packing);
	else
		d->table = device->ops->alloc(device, c->vocabulary * c->channels * device->narrow);
	d->from = device->ops->alloc(device, d->slots * d->length * sizeof(int32_t));
	d->rows = device->ops->alloc(device, n * sizeof(int32_t));
	d->logits = device->ops->alloc(device, d->slots * c->vocabulary * device->real);
	d->batch = (struct model_batch){ .ids = xcalloc(n, sizeof(int32_t)), .places = xcalloc(n, sizeof(int32_t)),
		.labels = xcalloc(n, sizeof(int32_t)), .weights = xcalloc(n, sizeof(float)), .starts = xcalloc(n + 1, sizeof(int32_t)) };
	return taken && (d->packed || d->table) && d->from && d->rows && d->logits;
}

/* Each token of a slot lies in the slot itself. */
static void
lie_alone(struct decoder *d, size_t slot, size_t first)
{
	for (size_t i = first; i < d->length; i++)
		d->lies[slot * d->length + i] = (int32_t)slot;
	d->m->d->ops->upload(d->m->d, d->from + slot * d->length, d->lies + slot * d->length, d->length * sizeof(int32_t));
}

struct decoder *
decoder_new(struct model *m, size_t slots, size_t length, enum ops_packing packing, struct error *err)
{
	struct decoder *d = xcalloc(1, sizeof(*d));

	if (!slots || slots > DECODER_SLOTS_MAX || !length || length > m->config.context || length > m->capacity || slots > m->capacity)
		BUG("a decoder of %zu slots of %zu tokens, for a model of %zu", slots, length, m->capacity);
	if (packing != OPS_PACK_F32 && !m->d->ops->pack) {
		free(d);
		error_set(err, "the device `%s` has one precision to decode in, its own", m->d->name);
		return NULL;
	}
	*d = (struct decoder){ .m = m, .slots = slots, .length = length };
	d->keys = xcalloc(m->config.layers, sizeof(*d->keys));
	d->values = xcalloc(m->config.layers, sizeof(*d->values));
	d->kept = xcalloc(slots, sizeof(*d->kept));
	d->lies = xcalloc(slots * length, sizeof(*d->lies));
	d->of_slot = xcalloc(larger(slots, length), sizeof(*d->of_slot));
	if (!take_memory(d, packing)) {
		error_set(err, "there is no memory for %zu texts of %zu tokens at a time: %zu MiB; take fewer at a time", slots, length,
			decoder_memory(&m->config, m->d, slots, length, packing) >> 20);
		decoder_free(d);
		return NULL;
	}
	if (!d->packed)
		put_table(d);
	for (size_t slot = 0; slot < slots; slot++)
		lie_alone(d, slot, 0);
	return d;
}

void
decoder_free(struct decoder *d)
{
	if (!d)
		return;
	for (size_t l = 0; l < d->m->config.layers; l++) {
		d->m->d->ops->free(d->m->d, d->keys[l]);
		d->m->d->ops->free(d->m->d, d->values[l]);
	}
	d->m->d->ops->free(d->m->d, d->table);
	packed_free(d->m, d->packed);
	d->m->d->ops->free(d->m->d, d->from);
	d->m->d->ops->free(d->m->d, d->rows);
	d->m->d->ops->free(d->m->d, d->logits);
	free(d->keys);
	free(d->values);
	free(d->kept);
	free(d->lies);
	free(d->of_slot);
	free(d->batch.ids);
	free(d->batch.places);
	free(d->batch.labels);
	free(d->batch.weights);
	free(d->batch.starts);
	free(d);
}

/* The last norms of n rows from row `first` on, times the embedding; behind forward(). */
static int
read_logits(struct decoder *d, size_t first, size_t n, float *ret, struct error *err)
{
	struct model *m = d->m;
	size_t C = m->config.channels, V = m->config.vocabulary;
	struct ops_packed packed = { .M = n, .N = V, .K = C, .a = model_narrow_further(m, m->final, first * C), .c = d->logits };
	struct ops_matmul op = { .M = n, .N = V, .K = C, .a = model_narrow_further(m, m->final, first * C), .lda = C, .b = d->table, .ldb = V,
		.c = d->logits, .ldc = V, .wide = true };

	if (d->packed) {
		packed.packing = d->packed->packing;
		packed.b = d->packed->output;
		m->d->ops->packed_matmul(m->d, &packed);
	} else {
		m->d->ops->matmul(m->d, &op);
	}
	m->d->ops->end(m->d); /* what forward() has begun: a token more is the same calls again */
	m->d->ops->get(m->d, ret, d->logits, n * V);
	return m->d->ops->sync(m->d) ? error_set(err, "the device `%s` failed: %s", m->d->name, m->d->failure) : 0;
}

static void
forward(struct decoder *d, bool alone)
{
	struct ops_step step = { 0 };
	struct pass pass;
	struct kept kept = { .keys = d->keys, .values = d->values, .length = d->length, .slots = d->rows, .from = d->from,
		.halves = d->packed && d->packed->packing != OPS_PACK_F32, .alone = alone };

	d->m->d->ops->begin(d->m->d);
	pass = model_begin(d->m, &d->batch, &step);
	d->m->d->ops->upload(d->m->d, d->rows, d->of_slot, d->batch.N * sizeof(int32_t));
	pass.kept = &kept;
	pass.packed = d->packed;
	model_forward(&pass);
}

int
decoder_prompt(struct decoder *d, size_t slot, const int32_t *ids, size_t n, float *ret, struct error *err)
{
	struct model_batch *b = &d->batch;

	if (slot >= d->slots || !n || n > d->length)
		BUG("a prompt of %zu tokens for slot %zu", n, slot);
	b->N = b->longest = n;
	b->documents = 1;
	b->starts[0] = 0;
	b->starts[1] = (int32_t)n;
	for (size_t i = 0; i < n; i++) {
		b->ids[i] = ids[i];
		b->places[i] = (int32_t)i;
		d->of_slot[i] = (int32_t)slot;
	}
	lie_alone(d, slot, 0);
	forward(d, false);
	d->kept[slot] = n;
	return read_logits(d, n - 1, 1, ret, err);
}

int
decoder_next(struct decoder *d, const int32_t *slots, const int32_t *ids, size_t n, float *ret, struct error *err)
{
	struct model_batch *b = &d->batch;

	b->N = b->documents = n;
	b->longest = 1;
	for (size_t i = 0; i < n; i++) {
		size_t slot = (size_t)slots[i];

		if (slot >= d->slots || d->kept[slot] >= d->length)
			BUG("slot %zu keeps %zu tokens", slot, slot < d->slots ? d->kept[slot] : 0);
		b->ids[i] = ids[i];
		b->places[i] = (int32_t)d->kept[slot]++;
		b->starts[i] = (int32_t)i;
		d->of_slot[i] = slots[i];
	}
	b->starts[n] = (int32_t)n;
	forward(d, true);
	return read_logits(d, 0, n, ret, err);
}

size_t
decoder_vocabulary(const struct decoder *d)
{
	return d->m->config.vocabulary;
}

size_t
decoder_kept(const struct decoder *d, size_t slot)
{
	return d->kept[slot];
}

void
decoder_copy(struct decoder *d, size_t from, size_t to)
{
	d->kept[to] = d->kept[from];
	memcpy(d->lies + to * d->length, d->lies + from * d->length, d->kept[to] * sizeof(*d->lies));
	lie_alone(d, to, d->kept[to]);
}
