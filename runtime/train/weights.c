#include "config.h"

#include "runtime/train/weights.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/macros.h"
#include "base/value.h"
#include "runtime/train/safetensors.h"

enum { NAME_MAX_HERE = PARAM_NAME_MAX + 16, INDEX_MAX = 64 << 20, SHARDS_MAX = 1000 };

static const char *
prefix_of(enum model_slab slab)
{
	return slab == MODEL_MEANS ? "mean." : slab == MODEL_SQUARES ? "square." : "";
}

/* Muon has means only. */
static bool
is_state(const struct model *model, enum model_slab slab, const struct param *p)
{
	return slab != MODEL_SQUARES || model_purpose(model) != MODEL_TO_TRAIN_BY_MUON || !p->hidden;
}

/* ---- writing ---- */

struct place {
	enum model_slab slab;
	const struct param *param;
	size_t which; /* of its tensors */
	char name[NAME_MAX_HERE];
};

struct places {
	struct place *items;
	size_t n, cap;
	const struct model *model;
};

static void
list_places(struct places *places, enum model_slab slab)
{
	const struct params *params = model_params(places->model);

	for (size_t i = 0; i < params->n; i++)
		for (size_t k = 0; k < param_tensors(&params->items[i]) && is_state(places->model, slab, &params->items[i]); k++) {
			struct place place = { .slab = slab, .param = &params->items[i], .which = k };

			snprintf(place.name, sizeof(place.name), "%s%s", prefix_of(slab), param_tensor(place.param, k).name);
			vec_push(places, place);
		}
}

static void
give(void *context, size_t i, float *ret)
{
	const struct places *places = context;
	const struct place *place = &places->items[i];
	float *numbers = xmalloc(place->param->n * sizeof(*numbers));

	model_get(places->model, place->slab, place->param, numbers);
	param_tensor_from(place->param, place->which, numbers, ret);
	free(numbers);
}

int
weights_write(const char *path, const struct model *model, const enum model_slab *slabs, size_t n, const char *const (*metadata)[2],
	size_t n_metadata, struct error *err)
{
	struct places places = { .model = model };
	struct tensor *tensors;
	int result;

	for (size_t s = 0; s < n; s++)
		list_places(&places, slabs[s]);
	tensors = xcalloc(places.n, sizeof(*tensors));
	for (size_t i = 0; i < places.n; i++) {
		const struct param_tensor t = param_tensor(places.items[i].param, places.items[i].which);

		tensors[i] = (struct tensor){ .name = places.items[i].name, .dtype = TENSOR_F32, .rank = t.rank, .n = t.n,
			.shape = { t.shape[0], t.shape[1] } };
	}
	result = safetensors_write(path, tensors, places.n, give, &places, metadata, n_metadata, err);
	free(tensors);
	vec_release(&places);
	return result;
}

/* ---- files ---- */

struct files {
	struct safetensors *items[SHARDS_MAX];
	const char *names[SHARDS_MAX]; /* the index's */
	size_t n;
};

static void
close_files(struct files *files)
{
	for (size_t i = 0; i < files->n; i++)
		safetensors_close(files->items[i]);
}

static int
open_one(struct files *files, const char *folder, const char *name, struct error *err)
{
	CLEANUP(buf_release) struct buf path = { 0 };

	if (files->n == SHARDS_MAX)
		return error_set(err, "it lists more than %d files", SHARDS_MAX);
	buf_printf(&path, "%s/%s", folder, name);
	files->items[files->n] = safetensors_open(buf_text(&path), err);
	if (!files->items[files->n])
		return -1;
	files->names[files->n++] = name;
	return 0;
}

/* Only files beside the index are meant: a name with a slash is none. */
static int
open_listed(struct files *files, const char *folder, const struct value *map, struct error *err)
{
	if (!map || map->kind != VALUE_DICT || !map->dict.n)
		return error_set(err, "it has no `weight_map`");
	for (size_t i = 0; i < map->dict.n; i++) {
		const char *name = value_text(map->dict.items[i]);
		size_t k = 0;

		if (!name || !*name || strchr(name, '/') || *name == '.')
			return error_set(err, "`%s` has no name of a file", map->dict.keys[i]);
		while (k < files->n && strcmp(files->names[k], name) != 0)
			k++;
		if (k == files->n && open_one(files, folder, name, err))
			return -1;
	}
	return 0;
}

static int
read_text(const char *path, struct buf *ret, struct error *err)
{
	FILE *file = fopen(path, "rbe");
	char *space;
	size_t n;
	int result;

	if (!file)
		return error_errno(err, errno, "cannot open it");
	ret->max = INDEX_MAX + 65536 * 2;
	while (ret->len <= INDEX_MAX && (space = buf_space(ret, 65536)) && (n = fread(space, 1, 65536, file)) > 0)
		buf_commit(ret, n);
	result = ferror(file) ? error_errno(err, errno, "cannot read it") : 0;
	fclose(file);
	return result || ret->len <= INDEX_MAX ? result : error_set(err, "it is larger than %d bytes", INDEX_MAX);
}

/* The names of the files live in the arena. */
static int
open_files(struct files *files, const char *folder, const char *name, struct arena *arena, struct error *err)
{
	CLEANUP(buf_release) struct buf path = { 0 }, index = { 0 }, text = { 0 }, pickle = { 0 };
	const struct value *dict;

	buf_printf(&path, "%s/%s", folder, name);
	buf_printf(&index, "%s.index.json", buf_text(&path));
	buf_printf(&pickle, "%s/pytorch_model.bin", folder);
	if (access(buf_text(&path), F_OK) && access(buf_text(&index), F_OK) && !access(buf_text(&pickle), F_OK))
		return error_set(err, "`%s` is a pickle, which is a program: have transformers write the model anew, as `%s`", buf_text(&pickle), name);
	if (!access(buf_text(&path), F_OK) || access(buf_text(&index), F_OK))
		return open_one(files, folder, name, err);
	if (!read_text(buf_text(&index), &text, err) && (dict = value_read_json(arena, buf_text(&text), text.len, err)) &&
	    !open_listed(files, folder, value_get(dict, "weight_map"), err))
		return 0;
	return error_prefix(err, "`%s`", buf_text(&index));
}

/* ---- reading ---- */

static const struct tensor *
find(const struct files *files, const char *name)
{
	const struct tensor *found = NULL;

	for (size_t i = 0; i < files->n && !found; i++)
		found = safetensors_find(files->items[i], name);
	return found;
}

static int
read_tensor(const struct files *files, const char *name, const struct param_tensor *want, float *ret, struct error *err)
{
	static const char *const bodies[] = { "transformer.", "model." };
	const struct tensor *t = find(files, name);

	for (size_t i = 0; !t && i < ARRAY_LEN(bodies); i++)
		if (!strncmp(name, bodies[i], strlen(bodies[i])))
			t = find(files, name + strlen(bodies[i]));
	if (!t)
		return error_set(err, "there is no tensor `%s`", name);
	if (t->rank != want->rank || t->n != want->n || memcmp(t->shape, want->shape, want->rank * sizeof(*want->shape)) != 0)
		return error_set(err, "the tensor `%s` has another shape than the config says", name);
	if (tensor_floats(t, ret, err))
		return -1;
	for (size_t i = 0; i < t->n; i++)
		if (!isfinite(ret[i]))
			return error_set(err, "the tensor `%s` holds what is no number", name);
	return 0;
}

static int
read_param(const struct files *files, struct model *model, enum model_slab slab, const struct param *p, struct error *err)
{
	float *numbers = xmalloc((p->n + 1) * sizeof(*numbers)), *one = xmalloc((p->n + 1) * sizeof(*one));
	int result = 0;

	for (size_t k = 0; k < param_tensors(p) && !result; k++) {
		const struct param_tensor want = param_tensor(p, k);
		char name[NAME_MAX_HERE];

		snprintf(name, sizeof(name), "%s%s", prefix_of(slab), want.name);
		result = read_tensor(files, name, &want, one, err);
		if (!result)
			param_tensor_into(p, k, one, numbers);
	}
	if (!result)
		model_put(model, slab, p, numbers);
	free(numbers);
	free(one);
	return result;
}

int
weights_read(const char *folder, const char *name, struct model *model, const enum model_slab *slabs, size_t n, struct error *err)
{
	const struct params *params = model_params(model);
	struct files *files = xcalloc(1, sizeof(*files));
	struct arena *arena = arena_new();
	bool opened = !open_files(files, folder, name, arena, err);
	int result = opened ? 0 : -1;

	for (size_t s = 0; s < n; s++)
		for (size_t i = 0; !result && i < params->n; i++)
			if (is_state(model, slabs[s], &params->items[i]))
				result = read_param(files, model, slabs[s], &params->items[i], err);
	if (result && opened)
		error_prefix(err, "`%s/%s`", folder, name);
	close_files(files);
	free(files);
	arena_free(arena);
	return result;
}

int
weights_digest(const char *folder, const char *name, uint32_t *ret, struct error *err)
{
	struct files *files = xcalloc(1, sizeof(*files));
	struct arena *arena = arena_new();
	int result = open_files(files, folder, name, arena, err);

	*ret = 0;
	for (size_t i = 0; i < files->n && !result; i++)
		for (size_t k = 0; k < safetensors_count(files->items[i]); k++) {
			const struct tensor *t = safetensors_item(files->items[i], k);
			uLong crc = crc32_z(*ret, (const unsigned char *)t->name, strlen(t->name) + 1);

			*ret = (uint32_t)crc32_z(crc, t->data, t->n * tensor_dtype_size(t->dtype));
		}
	close_files(files);
	free(files);
	arena_free(arena);
	return result;
}
