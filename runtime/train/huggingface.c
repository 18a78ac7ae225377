#include "config.h"

#include "runtime/train/huggingface.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "base/value.h"
#include "runtime/train/bpe.h"
#include "runtime/train/folder.h"
#include "runtime/train/loader.h"

enum { INDENT = 2 };

/* ---- tensors ---- */

/* Where the numbers of a tensor come from. */
enum origin { FROM_PARAM, FROM_SCALED_PARAM, FROM_SINES, FROM_NOTHING };

struct part {
	enum origin origin;
	const struct param *param;
	size_t which; /* of its tensors */
	char name[PARAM_NAME_MAX];
	size_t rows, columns; /* a vector has 0 rows */
};

struct parts {
	struct part *items;
	size_t n, cap;
	const struct model *model;
};

static void
add_param(struct parts *parts, const struct param *param, enum origin origin, const char *name)
{
	for (size_t i = 0; i < param_tensors(param); i++) {
		struct param_tensor t = param_tensor(param, i);
		struct part part = { .origin = origin, .param = param, .which = i, .rows = t.rank > 1 ? t.shape[0] : 0, .columns = t.shape[t.rank - 1] };

		snprintf(part.name, sizeof(part.name), "%s", name ? name : t.name);
		vec_push(parts, part);
	}
}

/* GPT-2 has biases where Tensor2Tensor has none. */
static void
add_no_bias(struct parts *parts, const struct param *weight)
{
	struct part part = { .origin = FROM_NOTHING, .columns = weight->columns };
	size_t stem = strlen(weight->name) - strlen("weight");

	snprintf(part.name, sizeof(part.name), "%.*sbias", (int)stem, weight->name);
	vec_push(parts, part);
}

static void
list_prepend(struct parts *parts)
{
	const struct params *params = model_params(parts->model);
	const struct model_config *config = model_config(parts->model);
	struct part positions = { .origin = FROM_SINES, .name = "transformer.wpe.weight", .rows = config->context, .columns = config->channels };
	const struct param *embedding = &params->items[params->embedding];

	add_param(parts, embedding, FROM_SCALED_PARAM, NULL);
	vec_push(parts, positions);
	for (size_t i = 0; i < params->n; i++) {
		const struct param *p = &params->items[i];

		if (p == embedding)
			continue;
		add_param(parts, p, FROM_PARAM, NULL);
		if (strstr(p->name, ".attn.c_"))
			add_no_bias(parts, p);
	}
	add_param(parts, embedding, FROM_PARAM, "lm_head.weight");
}

static void
give_param(const struct parts *parts, const struct part *part, float *ret)
{
	float *numbers = xmalloc((part->param->n + 1) * sizeof(*numbers));

	model_get(parts->model, MODEL_WEIGHTS, part->param, numbers);
	param_tensor_from(part->param, part->which, numbers, ret);
	free(numbers);
}

static void
give(void *context, size_t i, float *ret)
{
	const struct parts *parts = context;
	const struct part *part = &parts->items[i];
	size_t n = (part->rows ? part->rows : 1) * part->columns;
	float scale = (float)sqrt((double)part->columns);

	switch (part->origin) {
	case FROM_PARAM:
		give_param(parts, part, ret);
		return;
	case FROM_SCALED_PARAM:
		give_param(parts, part, ret);
		for (size_t k = 0; k < n; k++)
			ret[k] = k < part->columns ? 0 : ret[k] * scale;
		return;
	case FROM_SINES:
		for (size_t place = 0; place < part->rows; place++)
			model_sines(place, part->columns, ret + place * part->columns);
		return;
	case FROM_NOTHING:
		memset(ret, 0, n * sizeof(*ret));
		return;
	}
	BUG("origin %d", (int)part->origin);
}

static int
write_tensors(const char *folder, struct parts *parts, enum tensor_dtype dtype, struct error *err)
{
	static const char *const metadata[][2] = { { "format", "pt" } };
	CLEANUP(buf_release) struct buf path = { 0 };
	struct tensor *tensors = xcalloc(parts->n, sizeof(*tensors));
	int result;

	for (size_t i = 0; i < parts->n; i++) {
		const struct part *p = &parts->items[i];

		tensors[i] = (struct tensor){ .name = p->name, .dtype = dtype, .rank = p->rows ? 2 : 1, .n = (p->rows ? p->rows : 1) * p->columns };
		tensors[i].shape[0] = p->rows ? p->rows : p->columns;
		tensors[i].shape[1] = p->columns;
	}
	buf_printf(&path, "%s/model.safetensors", folder);
	result = safetensors_write(buf_text(&path), tensors, parts->n, give, parts, metadata, ARRAY_LEN(metadata), err);
	free(tensors);
	return result;
}

/* ---- configs ---- */

/* What this model's own config.json says, changed to what transformers know: some members other, one more. */
static void
write_config(const struct model_config *config, const char *dtype, struct buf *ret)
{
	CLEANUP(buf_release) struct buf own = { 0 };
	struct arena *arena = arena_new();
	const struct value *architecture = value_string(arena, "GPT2LMHeadModel"), *dict;
	const char **keys;
	const struct value **items;
	size_t n;

	model_config_write(config, &own);
	dict = value_read_json(arena, buf_text(&own), own.len, NULL);
	n = dict ? dict->dict.n : 0;
	keys = xcalloc(n + 1, sizeof(*keys));
	items = xcalloc(n + 1, sizeof(*items));
	for (size_t i = 0; i < n; i++) {
		keys[i] = dict->dict.keys[i];
		items[i] = dict->dict.items[i];
		if (config->arch != MODEL_PREPEND)
			continue;
		if (!strcmp(keys[i], "model_type"))
			items[i] = value_string(arena, "gpt2");
		else if (!strcmp(keys[i], "architectures"))
			items[i] = value_list(arena, &architecture, 1);
		else if (!strcmp(keys[i], "tie_word_embeddings"))
			items[i] = value_boolean(false);
	}
	keys[n] = "torch_dtype";
	items[n] = value_string(arena, dtype);
	value_write_json_pretty(ret, value_dict(arena, keys, items, n + 1), INDENT);
	buf_putc(ret, '\n');
	free(keys);
	free(items);
	arena_free(arena);
}

/* <pad> begins a text and is never in one, <EOS> ends it. */
static void
write_generation(struct buf *ret)
{
	buf_printf(ret,
		"{\n  \"bos_token_id\": %d,\n  \"eos_token_id\": %d,\n  \"pad_token_id\": %d,\n  \"suppress_tokens\": [%d],\n"
		"  \"max_new_tokens\": 48,\n  \"do_sample\": false\n}\n",
		LOADER_PAD, LOADER_EOS, LOADER_PAD, LOADER_PAD);
}

static const char *
torch_name(enum tensor_dtype dtype)
{
	return dtype == TENSOR_F16 ? "float16" : dtype == TENSOR_BF16 ? "bfloat16" : "float32";
}

/* ---- the tokenizer ---- */

/* Special tokens are named where the tokenizer has them as such: in a tokenizer from elsewhere ids 0 and 1 are texts. */
static void
write_tokenizer_config(const struct bpe *bpe, const struct model_config *config, struct buf *ret)
{
	bool special = bpe_id(bpe, "<pad>", 5) == LOADER_PAD && bpe_id(bpe, "<EOS>", 5) == LOADER_EOS;

	buf_printf(ret,
		"{\n  \"tokenizer_class\": \"PreTrainedTokenizerFast\",\n%s  \"clean_up_tokenization_spaces\": false,\n"
		"  \"model_max_length\": %zu\n}\n",
		special ? "  \"bos_token\": \"<pad>\",\n  \"eos_token\": \"<EOS>\",\n  \"pad_token\": \"<pad>\",\n" : "", config->context);
}

int
huggingface_tokenizer(const char *folder, const struct model_config *config, const struct buf *tokenizer, bool *ret_known, struct error *err)
{
	CLEANUP(buf_release) struct buf text = { 0 };
	struct bpe *bpe;

	*ret_known = buf_text(tokenizer)[strspn(buf_text(tokenizer), " \t\r\n")] == '{';
	if (!*ret_known)
		return folder_write(folder, "vocab.subwords", buf_text(tokenizer), tokenizer->len, err);
	bpe = bpe_read(buf_text(tokenizer), tokenizer->len, err);
	if (!bpe)
		return error_prefix(err, "the model's tokenizer.json");
	write_tokenizer_config(bpe, config, &text);
	bpe_free(bpe);
	return folder_write(folder, "tokenizer.json", buf_text(tokenizer), tokenizer->len, err) ||
	       folder_write(folder, "tokenizer_config.json", buf_text(&text), text.len, err) ? -1 : 0;
}

int
huggingface_write(const char *folder, const struct model *model, enum tensor_dtype dtype, const struct buf *tokenizer, struct error *err)
{
	CLEANUP(buf_release) struct buf config = { 0 }, generation = { 0 };
	struct parts parts = { .model = model };
	bool known;
	int result;

	if (model_config(model)->arch == MODEL_PREPEND)
		list_prepend(&parts);
	else
		for (size_t i = 0; i < model_params(model)->n; i++)
			add_param(&parts, &model_params(model)->items[i], FROM_PARAM, NULL);
	write_config(model_config(model), torch_name(dtype), &config);
	write_generation(&generation);
	result = write_tensors(folder, &parts, dtype, err) || folder_write(folder, "config.json", buf_text(&config), config.len, err) ||
		 folder_write(folder, "generation_config.json", buf_text(&generation), generation.len, err) ||
		 huggingface_tokenizer(folder, model_config(model), tokenizer, &known, err) ? -1 : 0;
	vec_release(&parts);
	return result;
}
