#include "config.h"

#include "runtime/model/config.h"

#include <string.h>

#include "base/macros.h"
#include "kernels/ops.h"

static const struct preset {
	const char *name;
	size_t layers, channels, heads, inner;
} PRESETS[] = {
	{ "tiny", 2, 128, 4, 512 },
	{ "small", 6, 512, 8, 2048 },
	{ "gpt2", 12, 768, 12, 3072 },
};

static const char *const ARCHS[] = { [MODEL_PREPEND] = "prepend", [MODEL_GPT2] = "gpt2" };

const char *
model_arch_name(enum model_arch arch)
{
	return ARCHS[arch];
}

static int
arch_of(const char *name, enum model_arch *ret, struct error *err)
{
	for (size_t i = 0; i < ARRAY_LEN(ARCHS); i++)
		if (!strcmp(ARCHS[i], name)) {
			*ret = (enum model_arch)i;
			return 0;
		}
	return error_set(err, "there is no family of models `%s`, but `prepend` and `gpt2`", name);
}

static void
set_defaults(struct model_config *config)
{
	config->dropout = 0.1;
	config->epsilon = config->arch == MODEL_GPT2 ? 1e-5 : 1e-6;
	config->smoothing = config->arch == MODEL_GPT2 ? 0 : 0.1;
}

int
model_config_preset(struct model_config *ret, const char *arch, const char *size, size_t vocabulary, size_t context, struct error *err)
{
	*ret = (struct model_config){ .vocabulary = vocabulary, .context = context };
	if (arch_of(arch, &ret->arch, err))
		return -1;
	set_defaults(ret);
	for (size_t i = 0; i < ARRAY_LEN(PRESETS); i++)
		if (!strcmp(PRESETS[i].name, size)) {
			ret->layers = PRESETS[i].layers;
			ret->channels = PRESETS[i].channels;
			ret->heads = PRESETS[i].heads;
			ret->inner = PRESETS[i].inner;
			return model_config_check(ret, err);
		}
	return error_set(err, "there is no size `%s`, but `tiny`, `small` and `gpt2`", size);
}

int
model_config_check(const struct model_config *c, struct error *err)
{
	const struct {
		const char *name;
		size_t value, max;
	} sizes[] = {
		{ "layers", c->layers, MODEL_LAYERS_MAX },
		{ "channels", c->channels, MODEL_CHANNELS_MAX },
		{ "heads", c->heads, MODEL_CHANNELS_MAX },
		{ "inner size", c->inner, 4 * MODEL_CHANNELS_MAX },
		{ "vocabulary", c->vocabulary, MODEL_VOCABULARY_MAX },
		{ "context", c->context, MODEL_CONTEXT_MAX },
	};

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		if (!sizes[i].value || sizes[i].value > sizes[i].max)
			return error_set(err, "the model's %s: %zu is not between 1 and %zu", sizes[i].name, sizes[i].value, sizes[i].max);
	if (c->channels % c->heads || c->channels / c->heads > OPS_HEAD_MAX)
		return error_set(err, "%zu channels do not part into %zu heads of at most %d each", c->channels, c->heads, OPS_HEAD_MAX);
	if (c->vocabulary < 2 || c->channels < 4)
		return error_set(err, "a model wants 2 tokens and 4 channels at least");
	if (!(c->dropout >= 0 && c->dropout < 1) || !(c->smoothing >= 0 && c->smoothing < 1) || !(c->epsilon > 0 && c->epsilon < 1))
		return error_set(err, "dropout and label smoothing lie between 0 and 1, and so does the norm's epsilon");
	return 0;
}

bool
model_config_equal(const struct model_config *a, const struct model_config *b)
{
	struct buf x = { 0 }, y = { 0 };
	bool equal;

	model_config_write(a, &x);
	model_config_write(b, &y);
	equal = !strcmp(buf_text(&x), buf_text(&y));
	buf_release(&x);
	buf_release(&y);
	return equal;
}

/* ---- config.json ---- */

/* Where config.json has a member; the names are transformers' own where it has one. */
static const struct member {
	const char *name;
	size_t offset;
	bool real;
} MEMBERS[] = {
	{ "n_layer", offsetof(struct model_config, layers), false },
	{ "n_embd", offsetof(struct model_config, channels), false },
	{ "n_head", offsetof(struct model_config, heads), false },
	{ "n_inner", offsetof(struct model_config, inner), false },
	{ "vocab_size", offsetof(struct model_config, vocabulary), false },
	{ "n_positions", offsetof(struct model_config, context), false },
	{ "resid_pdrop", offsetof(struct model_config, dropout), true },
	{ "layer_norm_epsilon", offsetof(struct model_config, epsilon), true },
	{ "label_smoothing", offsetof(struct model_config, smoothing), true },
};

enum { MEMBERS_N = sizeof(MEMBERS) / sizeof(MEMBERS[0]), EXTRA = 8 };

void
model_config_write(const struct model_config *config, struct buf *buf)
{
	struct arena *arena = arena_new();
	bool gpt2 = config->arch == MODEL_GPT2;
	const struct value *rate = value_float(arena, config->dropout), *architecture = value_string(arena, "GPT2LMHeadModel");
	const char *keys[MEMBERS_N + EXTRA] = { "model_type", "architectures", "activation_function", "embd_pdrop", "attn_pdrop",
		"tie_word_embeddings", "bos_token_id", "eos_token_id" };
	const struct value *items[MEMBERS_N + EXTRA] = { value_string(arena, gpt2 ? "gpt2" : "lateen-prepend"),
		value_list(arena, &architecture, gpt2), value_string(arena, gpt2 ? "gelu_new" : "relu"), rate, rate, value_boolean(true),
		value_integer(arena, 0), value_integer(arena, 1) };

	for (size_t i = 0; i < MEMBERS_N; i++) {
		const void *at = (const char *)config + MEMBERS[i].offset;

		keys[EXTRA + i] = MEMBERS[i].name;
		items[EXTRA + i] = MEMBERS[i].real ? value_float(arena, *(const double *)at) :
						     value_integer(arena, (int64_t)*(const size_t *)at);
	}
	value_write_json_pretty(buf, value_dict(arena, keys, items, MEMBERS_N + EXTRA), 2);
	buf_putc(buf, '\n');
	arena_free(arena);
}

static int
read_member(struct model_config *config, const struct value *dict, const struct member *member, struct error *err)
{
	const struct value *value = value_get(dict, member->name);
	void *at = (char *)config + member->offset;

	if (member->real) {
		if (!value)
			return 0;
		if (value->kind != VALUE_FLOAT && value->kind != VALUE_INTEGER)
			return error_set(err, "`%s` is no number", member->name);
		*(double *)at = value->kind == VALUE_FLOAT ? value->number : (double)value->integer;
		return 0;
	}
	/* GPT-2's inner size is 4 C where nothing is said. */
	if ((!value || value->kind == VALUE_NULL) && !strcmp(member->name, "n_inner")) {
		config->inner = 4 * config->channels;
		return 0;
	}
	if (!value || value->kind != VALUE_INTEGER || value->integer < 1 || value->integer > INT32_MAX)
		return error_set(err, "`%s` is no number of 1 and more", member->name);
	*(size_t *)at = (size_t)value->integer;
	return 0;
}

/* What of GPT-2's options changes the numbers, and is not here. */
static int
check_options(const struct value *dict, struct error *err)
{
	static const struct {
		const char *name;
		bool wanted;
	} options[] = { { "tie_word_embeddings", true }, { "scale_attn_weights", true }, { "scale_attn_by_inverse_layer_idx", false },
		{ "add_cross_attention", false } };

	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		const struct value *value = value_get(dict, options[i].name);

		if (value && value->kind == VALUE_BOOLEAN && value->boolean != options[i].wanted)
			return error_set(err, "`%s` is %s, and only the other is known here", options[i].name, value->boolean ? "true" : "false");
	}
	return 0;
}

static int
read_dict(struct model_config *ret, const struct value *dict, struct error *err)
{
	const char *type = value_text(value_get(dict, "model_type")), *activation = value_text(value_get(dict, "activation_function"));

	if (!type || (strcmp(type, "gpt2") != 0 && strcmp(type, "lateen-prepend") != 0))
		return error_set(err, "`model_type` is `%s`, where `gpt2` and `lateen-prepend` are known", type ? type : "");
	*ret = (struct model_config){ .arch = !strcmp(type, "gpt2") ? MODEL_GPT2 : MODEL_PREPEND };
	set_defaults(ret);
	if (activation && strcmp(activation, ret->arch == MODEL_GPT2 ? "gelu_new" : "relu") != 0)
		return error_set(err, "`activation_function` is `%s`, which this family has not", activation);
	for (size_t i = 0; i < MEMBERS_N; i++)
		if (read_member(ret, dict, &MEMBERS[i], err))
			return -1;
	return check_options(dict, err) ? -1 : model_config_check(ret, err);
}

int
model_config_read(struct model_config *ret, const char *json, size_t len, struct error *err)
{
	struct arena *arena = arena_new();
	const struct value *dict = value_read_json(arena, json, len, err);
	int result = dict ? read_dict(ret, dict, err) : -1;

	arena_free(arena);
	return result;
}
