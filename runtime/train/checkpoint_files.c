/* The files of a checkpoint. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/macros.h"
#include "runtime/train/checkpoint_private.h"
#include "runtime/train/folder.h"
#include "runtime/train/safetensors.h"
#include "runtime/train/weights.h"

enum { CONFIG_MAX = 1024 * 1024, NUMBER = 32 };

int
checkpoint_write_files(const char *folder, const struct model *model, const struct buf *tokenizer, struct error *err)
{
	static const char *const metadata[][2] = { { "format", "pt" } };
	CLEANUP(buf_release) struct buf path = { 0 }, config = { 0 };
	static const enum model_slab weights[] = { MODEL_WEIGHTS };

	buf_printf(&path, "%s/model.safetensors", folder);
	model_config_write(model_config(model), &config);
	return weights_write(buf_text(&path), model, weights, 1, metadata, 1, err) || folder_write(folder, "config.json", buf_text(&config), config.len, err) ||
	       folder_write(folder, "tokenizer.json", buf_text(tokenizer), tokenizer->len, err) ? -1 : 0;
}

int
checkpoint_write_optimizer(const char *folder, const struct model *model, const struct checkpoint_state *s, struct error *err)
{
	CLEANUP(buf_release) struct buf path = { 0 };
	static const enum model_slab slabs[] = { MODEL_MEANS, MODEL_SQUARES };
	char step[NUMBER], epoch[NUMBER], batch[NUMBER], tokens[NUMBER], best[NUMBER], best_step[NUMBER];
	char mean[NUMBER], least[NUMBER], above[NUMBER];
	const char *const metadata[][2] = { { "format", "lateen-training-1" }, { "step", step }, { "epoch", epoch }, { "batch", batch },
		{ "tokens", tokens }, { "best", best }, { "best_step", best_step }, { "mean", mean }, { "least", least },
		{ "above", above }, { "recipe", s->recipe } };

	snprintf(step, sizeof(step), "%" PRIu64, s->step);
	snprintf(epoch, sizeof(epoch), "%" PRIu64, s->cursor.epoch);
	snprintf(batch, sizeof(batch), "%" PRIu64, s->cursor.batch);
	snprintf(tokens, sizeof(tokens), "%" PRIu64, s->tokens);
	snprintf(best, sizeof(best), "%a", s->best);
	snprintf(best_step, sizeof(best_step), "%" PRIu64, s->best_step);
	snprintf(mean, sizeof(mean), "%a", s->mean);
	snprintf(least, sizeof(least), "%a", s->least);
	snprintf(above, sizeof(above), "%" PRIu64, s->above);
	buf_printf(&path, "%s/optimizer.safetensors", folder);
	return weights_write(buf_text(&path), model, slabs, 2, metadata, ARRAY_LEN(metadata), err);
}

/* ---- reading ---- */

static int
read_number(const struct safetensors *file, const char *key, uint64_t *ret, struct error *err)
{
	const char *text = safetensors_metadata(file, key);
	char *end;

	if (!text || *text < '0' || *text > '9')
		return error_set(err, "its metadata has no number `%s`", key);
	errno = 0;
	*ret = strtoull(text, &end, 10);
	return *end || errno ? error_set(err, "its metadata has no number `%s`", key) : 0;
}

/* Checkpoints of earlier versions have none of it: then it begins anew. */
static void
read_watch(const struct safetensors *file, struct checkpoint_state *s)
{
	const char *mean = safetensors_metadata(file, "mean"), *least = safetensors_metadata(file, "least");

	s->mean = mean ? strtod(mean, NULL) : 0;
	s->least = least ? strtod(least, NULL) : (double)INFINITY;
	if (read_number(file, "above", &s->above, NULL))
		s->above = 0;
}

static int
read_state(const struct safetensors *file, struct checkpoint_state *s, struct error *err)
{
	const char *format = safetensors_metadata(file, "format"), *recipe = safetensors_metadata(file, "recipe");
	const char *best = safetensors_metadata(file, "best");

	*s = (struct checkpoint_state){ 0 };
	if (!format || strcmp(format, "lateen-training-1") != 0 || !recipe || strlen(recipe) >= sizeof(s->recipe) || !best)
		return error_set(err, "it holds no state of a training");
	snprintf(s->recipe, sizeof(s->recipe), "%s", recipe);
	s->best = strtod(best, NULL);
	read_watch(file, s);
	return read_number(file, "step", &s->step, err) || read_number(file, "epoch", &s->cursor.epoch, err) ||
	       read_number(file, "batch", &s->cursor.batch, err) || read_number(file, "tokens", &s->tokens, err) ||
	       read_number(file, "best_step", &s->best_step, err) ? -1 : 0;
}

static struct safetensors *
open_file(const char *folder, const char *name, struct error *err)
{
	CLEANUP(buf_release) struct buf path = { 0 };

	buf_printf(&path, "%s/%s", folder, name);
	return safetensors_open(buf_text(&path), err);
}

int
checkpoint_read_state(const char *path, struct checkpoint_state *ret, struct error *err)
{
	struct safetensors *file = open_file(path, "optimizer.safetensors", err);
	int result;

	if (!file)
		return -1;
	result = read_state(file, ret, err);
	safetensors_close(file);
	return result ? error_prefix(err, "`%s/optimizer.safetensors`", path) : 0;
}

int
checkpoint_load(const char *path, struct model *model, bool optimizer, struct error *err)
{
	static const enum model_slab weights[] = { MODEL_WEIGHTS }, adam[] = { MODEL_MEANS, MODEL_SQUARES };

	if (weights_read(path, "model.safetensors", model, weights, 1, err))
		return -1;
	return optimizer ? weights_read(path, "optimizer.safetensors", model, adam, 2, err) : 0;
}

int
checkpoint_read_config(const char *path, struct model_config *ret, struct error *err)
{
	CLEANUP(buf_release) struct buf name = { 0 };
	char *text = xmalloc(CONFIG_MAX + 1);
	size_t len = 0;
	FILE *file;
	int result;

	buf_printf(&name, "%s/config.json", path);
	file = fopen(buf_text(&name), "rbe");
	if (file) {
		len = fread(text, 1, CONFIG_MAX + 1, file);
		result = ferror(file) ? error_errno(err, errno, "cannot read it") :
			 len > CONFIG_MAX ? error_set(err, "it is larger than %d bytes", CONFIG_MAX) :
					    model_config_read(ret, text, len, err);
		fclose(file);
	} else {
		result = error_errno(err, errno, "cannot open it");
	}
	free(text);
	return result ? error_prefix(err, "`%s`", buf_text(&name)) : 0;
}
