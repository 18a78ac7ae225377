#include "config.h"

#include "runtime/cluster/workflow.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "runtime/cluster/workflow_private.h"

struct slot {
	struct workflow_node *node; /* owned */
	struct workflow_print print;
	unsigned seen, told; /* the object in which it was last there, and last told as changed */
};

struct workflow_model {
	struct workflow head;
	struct arena *arena; /* of the head's texts */
	VEC(struct slot) slots;
	struct map places; /* id → place + 1 */
	struct workflow_reader reader;
	unsigned object; /* counts them */
	bool reading;
	VEC(size_t) changed;
};

static const struct workflow nothing = { .name = "", .uid = "", .namespace_ = "", .version = "" };

size_t
workflow_model_find(const struct workflow_model *model, const char *id)
{
	return (size_t)(uintptr_t)map_get(&model->places, id) - 1;
}

/* What this says is of no consequence when the object turns out to be none. */
static bool
known(void *context, const char *id, const struct workflow_print *print)
{
	struct workflow_model *model = context;
	size_t place = workflow_model_find(model, id);
	struct slot *slot = place == SIZE_MAX ? NULL : &model->slots.items[place];

	if (!slot || slot->print.hash != print->hash || slot->print.len != print->len || slot->node->removed)
		return false;
	slot->seen = model->object;
	return true;
}

struct workflow_model *
workflow_model_new(void)
{
	struct workflow_model *model = xcalloc(1, sizeof *model);

	model->head = nothing;
	model->reader.known = known;
	model->reader.context = model;
	return model;
}

void
workflow_model_free(struct workflow_model *model)
{
	if (!model)
		return;
	for (size_t i = 0; i < model->slots.n; i++)
		free(model->slots.items[i].node);
	workflow_reader_release(&model->reader);
	vec_release(&model->slots);
	vec_release(&model->changed);
	map_release(&model->places);
	arena_free(model->arena);
	free(model);
}

const struct workflow *
workflow_model_head(const struct workflow_model *model)
{
	return &model->head;
}

size_t
workflow_model_count(const struct workflow_model *model)
{
	return model->slots.n;
}

const struct workflow_node *
workflow_model_node(const struct workflow_model *model, size_t place)
{
	return model->slots.items[place].node;
}

void
workflow_model_begin(struct workflow_model *model)
{
	model->object++;
	model->reading = true;
	workflow_reader_begin(&model->reader);
}

void
workflow_model_feed(struct workflow_model *model, const char *bytes, size_t n)
{
	if (model->reading)
		workflow_reader_feed(&model->reader, bytes, n);
}

void
workflow_model_drop(struct workflow_model *model)
{
	if (model->reading)
		workflow_reader_begin(&model->reader);
	model->reading = false;
}

void
workflow_model_gone(struct workflow_model *model)
{
	model->head.deleted = true;
}

/* ---- taking an object over ---- */

static void
tell(struct workflow_model *model, size_t place)
{
	struct slot *slot = &model->slots.items[place];

	if (slot->told != model->object)
		vec_push(&model->changed, place);
	slot->told = model->object;
}

static void
put(struct workflow_model *model, struct workflow_staged *staged)
{
	size_t place = workflow_model_find(model, staged->node->id);
	struct slot *slot;

	if (place == SIZE_MAX) {
		struct slot fresh = { 0 };

		place = model->slots.n;
		vec_push(&model->slots, fresh);
		map_set(&model->places, staged->node->id, (void *)(uintptr_t)(place + 1));
	}
	slot = &model->slots.items[place];
	free(slot->node);
	slot->node = staged->node;
	slot->print = staged->print;
	slot->seen = model->object;
	staged->node = NULL;
	tell(model, place);
}

static void
remove_unseen(struct workflow_model *model)
{
	for (size_t i = 0; i < model->slots.n; i++) {
		struct slot *slot = &model->slots.items[i];
		struct workflow_node *old = slot->node;

		if (slot->seen == model->object || old->removed)
			continue;
		slot->node = workflow_node_removed(old);
		free(old);
		tell(model, i);
	}
}

/* Another workflow: only what this object holds as well stays, and all of it is news. */
static void
start_anew(struct workflow_model *model)
{
	size_t n = model->slots.n;

	map_release(&model->places);
	model->slots.n = 0;
	for (size_t i = 0; i < n; i++) {
		struct slot slot = model->slots.items[i];

		if (slot.seen != model->object) {
			free(slot.node);
			continue;
		}
		model->slots.items[model->slots.n++] = slot;
		map_set(&model->places, slot.node->id, (void *)(uintptr_t)model->slots.n);
		tell(model, model->slots.n - 1);
	}
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool
same_head(const struct workflow *a, const struct workflow *b)
{
	return same_text(a->name, b->name) && same_text(a->uid, b->uid) && same_text(a->namespace_, b->namespace_) &&
	       a->phase == b->phase && same_text(a->message, b->message) && a->started_ms == b->started_ms &&
	       a->ended_ms == b->ended_ms && a->suspended == b->suspended && same_text(a->shutdown, b->shutdown) &&
	       a->offloaded == b->offloaded && a->deleted == b->deleted && a->completed == b->completed;
}

static bool
take_head(struct workflow_model *model)
{
	bool same = same_head(&model->head, &model->reader.head);

	arena_free(model->arena);
	model->arena = model->reader.arena;
	model->reader.arena = NULL;
	model->head = model->reader.head;
	return !same;
}

static int
read_whole(struct workflow_model *model, struct error *err)
{
	if (!model->reading)
		BUG("an object that was not begun");
	model->reading = false;
	if (workflow_reader_end(&model->reader, err))
		return -1;
	if (model->slots.n + model->reader.staged.n > 2 * (size_t)WORKFLOW_NODES_MAX)
		return error_set(err, "the workflow has had more than %d nodes", WORKFLOW_NODES_MAX);
	return 0;
}

int
workflow_model_end(struct workflow_model *model, const size_t **ret_changed, size_t *ret_n, bool *ret_head_changed, struct error *err)
{
	struct workflow_reader *reader = &model->reader;

	if (read_whole(model, err)) {
		workflow_reader_begin(reader);
		return -1;
	}
	model->changed.n = 0;
	if (*model->head.uid && strcmp(model->head.uid, reader->head.uid) != 0)
		start_anew(model);
	for (size_t i = 0; i < reader->staged.n; i++)
		put(model, &reader->staged.items[i]);
	if (reader->has_nodes || !reader->head.offloaded)
		remove_unseen(model);
	*ret_head_changed = take_head(model);
	*ret_changed = model->changed.items;
	*ret_n = model->changed.n;
	workflow_reader_begin(reader);
	return 0;
}
