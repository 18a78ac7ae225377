/* Weights in one file and in several that an index lists; and indices that list what is not there, or lies elsewhere. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/train/checkpoint.h"
#include "runtime/train/weights.h"
#include "tests/tap.h"

static const struct model_config CONFIG = { .arch = MODEL_LLAMA, .layers = 1, .channels = 8, .heads = 2, .inner = 6, .vocabulary = 11,
	.context = 8, .epsilon = 1e-6, .kv_heads = 1, .rope = { .theta = 100 } };
static const enum model_slab WEIGHTS[] = { MODEL_WEIGHTS };

static void
write_file(const char *folder, const char *name, const char *text)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	if (!ok(file && fputs(text, file) >= 0, "%s: %s", name, text))
		return;
	fclose(file);
}

static void
write_index(const char *folder, const char *text)
{
	write_file(folder, "model.safetensors.index.json", text);
}

static bool
is_same(const struct model *a, const struct model *b)
{
	size_t n = model_params(a)->total;

	return !memcmp(model_at(a, MODEL_WEIGHTS, 0), model_at(b, MODEL_WEIGHTS, 0), n * sizeof(float));
}

int
main(void)
{
	static const struct {
		const char *index, *want;
	} bad[] = {
		{ "", "JSON" },
		{ "[]", "`weight_map`" },
		{ "{\"weight_map\": {}}", "`weight_map`" },
		{ "{\"weight_map\": [\"part.safetensors\"]}", "`weight_map`" },
		{ "{\"weight_map\": {\"a\": 3}}", "`a` has no name" },
		{ "{\"weight_map\": {\"a\": \"\"}}", "`a` has no name" },
		{ "{\"weight_map\": {\"a\": \"../part.safetensors\"}}", "`a` has no name" },
		{ "{\"weight_map\": {\"a\": \"/etc/passwd\"}}", "`a` has no name" },
		{ "{\"weight_map\": {\"a\": \"missing.safetensors\"}}", "missing.safetensors`" },
		{ "{\"weight_map\": {\"a\": \"config.json\"}}", "/config.json`" },
	};
	CLEANUP(freep) char *folder = test_temp_dir();
	char model[4096], from[8192], to[8192];
	const char *why;
	struct ops_device *d = ops_open("cpu", 1, OPS_F32, &why);
	struct model *written = model_new(d, &CONFIG, 8, MODEL_TO_USE, 1, NULL), *read = model_new(d, &CONFIG, 8, MODEL_TO_USE, 2, NULL);
	struct model_config other_config = CONFIG;
	struct error err = { "" };
	struct buf tokenizer = { 0 };
	uint32_t one = 0, other = 0;

	buf_puts(&tokenizer, "{}");
	snprintf(model, sizeof(model), "%s/model", folder);
	ok(!checkpoint_write_model(model, written, &tokenizer, &err) && !is_same(written, read), "a model is written %s", err.text);
	ok(!weights_read(model, "model.safetensors", read, WEIGHTS, 1, &err) && is_same(written, read), "and read from one file %s", err.text);
	ok(!weights_digest(model, "model.safetensors", &one, &err), "which has a digest");
	model_free(read);
	read = model_new(d, &CONFIG, 8, MODEL_TO_USE, 2, NULL);
	snprintf(from, sizeof(from), "%s/model.safetensors", model);
	snprintf(to, sizeof(to), "%s/part.safetensors", model);
	ok(!rename(from, to), "it has another name");
	ok(weights_read(model, "model.safetensors", read, WEIGHTS, 1, &err) != 0, "and is not found");
	contains(err.text, "cannot open", "by its old one");
	write_file(model, "pytorch_model.bin", "a pickle");
	ok(weights_read(model, "model.safetensors", read, WEIGHTS, 1, &err) != 0, "a pickle");
	contains(err.text, "is a pickle", "is not taken in its place");
	write_index(model, "{\"metadata\": {}, \"weight_map\": {\"a\": \"part.safetensors\", \"b\": \"part.safetensors\"}}");
	ok(!weights_read(model, "model.safetensors", read, WEIGHTS, 1, &err) && is_same(written, read), "but by an index %s", err.text);
	ok(!weights_digest(model, "model.safetensors", &other, &err) && other == one, "with the same digest");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		write_index(model, bad[i].index);
		ok(weights_read(model, "model.safetensors", read, WEIGHTS, 1, &err) != 0, "is refused");
		contains(err.text, bad[i].want, "and told why");
	}
	model_free(read);
	other_config.arch = MODEL_GPT2;
	read = model_new(d, &other_config, 8, MODEL_TO_USE, 2, NULL);
	write_index(model, "{\"weight_map\": {\"a\": \"part.safetensors\"}}");
	ok(weights_read(model, "model.safetensors", read, WEIGHTS, 1, &err) != 0, "weights of another family");
	contains(err.text, "no tensor `transformer.wte.weight`", "are refused, and told why");
	model_free(written);
	model_free(read);
	d->ops->close(d);
	buf_release(&tokenizer);
	test_remove_tree(folder);
	return done_testing();
}
