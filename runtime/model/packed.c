#include "config.h"

#include <stdlib.h>

#include "base/macros.h"
#include "runtime/model/model_private.h"

/* Whether products read a parameter as (in, out). */
static bool
is_factor(const struct params *params, size_t which)
{
	return params->items[which].rows && which != params->embedding && which != params->head && which != params->positions;
}

static struct ops_pack
pack_of(const struct params *params, size_t which, enum ops_packing packing)
{
	const struct param *p = &params->items[which];

	return (struct ops_pack){ .N = p->columns, .K = p->rows, .packing = packing, .ldb = p->columns };
}

static struct ops_pack
pack_of_output(const struct params *params, enum ops_packing packing)
{
	const struct param *p = &params->items[params->head];

	return (struct ops_pack){ .N = p->rows, .K = p->columns, .packing = packing, .ldb = p->columns, .bt = true };
}

size_t
packed_memory(const struct model_config *config, struct ops_device *device, enum ops_packing packing)
{
	struct params params;
	struct ops_pack output;
	size_t sum;

	params_init(&params, config);
	output = pack_of_output(&params, packing);
	sum = device->ops->packed_size(device, &output);
	for (size_t i = 0; i < params.n; i++) {
		struct ops_pack pack = pack_of(&params, i, packing);

		if (is_factor(&params, i))
			sum += device->ops->packed_size(device, &pack);
	}
	params_release(&params);
	return sum;
}

static void *
pack(struct model *m, struct ops_pack *p, size_t which)
{
	void *to = m->d->ops->alloc(m->d, m->d->ops->packed_size(m->d, p));

	p->b = model_factor(m, which);
	if (to)
		m->d->ops->pack(m->d, p, to);
	return to;
}

struct packed *
packed_new(struct model *m, enum ops_packing packing)
{
	struct packed *packed = xcalloc(1, sizeof(*packed));
	struct ops_pack output = pack_of_output(&m->params, packing);
	bool taken;

	*packed = (struct packed){ .packing = packing, .weights = xcalloc(m->params.n, sizeof(*packed->weights)) };
	packed->output = pack(m, &output, m->params.head);
	taken = packed->output != NULL;
	for (size_t i = 0; i < m->params.n && taken; i++) {
		struct ops_pack p = pack_of(&m->params, i, packing);

		if (!is_factor(&m->params, i))
			continue;
		packed->weights[i] = pack(m, &p, i);
		taken = packed->weights[i] != NULL;
	}
	if (taken)
		return packed;
	packed_free(m, packed);
	return NULL;
}

void
packed_free(struct model *m, struct packed *packed)
{
	if (!packed)
		return;
	for (size_t i = 0; i < m->params.n; i++)
		m->d->ops->free(m->d, packed->weights[i]);
	m->d->ops->free(m->d, packed->output);
	free(packed->weights);
	free(packed);
}
