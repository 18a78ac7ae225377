/* config.json. */
#include "config.h"

#include <math.h>
#include <string.h>

#include "base/macros.h"
#include "runtime/model/config.h"

enum { CONTEXT_DEFAULT = 2048 };

/* Where config.json has a member; the names are transformers' own where it has one. */
static const struct member {
	const char *name, *llama; /* of the families before, and of MODEL_LLAMA; NULL: it has none */
	size_t offset;
	bool real;
} MEMBERS[] = {
	{ "n_layer", "num_hidden_layers", offsetof(struct model_config, layers), false },
	{ "n_embd", "hidden_size", offsetof(struct model_config, channels), false },
	{ "n_head", "num_attention_heads", offsetof(struct model_config, heads), false },
	{ NULL, "num_key_value_heads", offsetof(struct model_config, kv_heads), false },
	{ "n_inner", "intermediate_size", offsetof(struct model_config, inner), false },
	{ "vocab_size", "vocab_size", offsetof(struct model_config, vocabulary), false },
	{ "n_positions", "max_position_embeddings", offsetof(struct model_config, context), false },
	{ "resid_pdrop", "attention_dropout", offsetof(struct model_config, dropout), true },
	{ "layer_norm_epsilon", "rms_norm_eps", offsetof(struct model_config, epsilon), true },
	{ "label_smoothing", "label_smoothing", offsetof(struct model_config, smoothing), true },
	{ NULL, "rope_theta", offsetof(struct model_config, rope.theta), true },
};

static const struct family {
	const char *type, *architecture, *activation_member, *activation; /* architecture NULL: none of transformers' */
} FAMILIES[] = {
	[MODEL_PREPEND] = { "lateen-prepend", NULL, "activation_function", "relu" },
	[MODEL_GPT2] = { "gpt2", "GPT2LMHeadModel", "activation_function", "gelu_new" },
	[MODEL_LLAMA] = { "llama", "LlamaForCausalLM", "hidden_act", "silu" },
};

static const char *const ROPES[] = { [MODEL_ROPE_PLAIN] = "default", [MODEL_ROPE_LINEAR] = "linear", [MODEL_ROPE_LLAMA3] = "llama3" };

/* ---- writing ---- */

struct dict {
	struct arena *arena;
	const char *keys[32];
	const struct value *items[32];
	size_t n;
};

static void
add(struct dict *d, const char *key, const struct value *item)
{
	d->keys[d->n] = key;
	d->items[d->n++] = item;
}

static const struct value *
dict_of(const struct dict *d)
{
	return value_dict(d->arena, d->keys, d->items, d->n);
}

static const struct value *
scaling_of(struct arena *arena, const struct model_config *c)
{
	struct dict d = { .arena = arena };

	add(&d, "rope_type", value_string(arena, ROPES[c->rope.kind]));
	add(&d, "factor", value_float(arena, c->rope.factor));
	if (c->rope.kind == MODEL_ROPE_LLAMA3) {
		add(&d, "low_freq_factor", value_float(arena, c->rope.low));
		add(&d, "high_freq_factor", value_float(arena, c->rope.high));
		add(&d, "original_max_position_embeddings", value_integer(arena, (int64_t)c->rope.original));
	}
	return dict_of(&d);
}

static void
add_members(struct dict *d, const struct model_config *config)
{
	for (size_t i = 0; i < ARRAY_LEN(MEMBERS); i++) {
		const void *at = (const char *)config + MEMBERS[i].offset;
		const char *name = config->arch == MODEL_LLAMA ? MEMBERS[i].llama : MEMBERS[i].name;

		if (name)
			add(d, name, MEMBERS[i].real ? value_float(d->arena, *(const double *)at) :
						       value_integer(d->arena, (int64_t)*(const size_t *)at));
	}
}

void
model_config_write(const struct model_config *config, struct buf *buf)
{
	struct arena *arena = arena_new();
	const struct family *family = &FAMILIES[config->arch];
	const struct value *rate = value_float(arena, config->dropout), *architecture = NULL;
	struct dict d = { .arena = arena };

	if (family->architecture)
		architecture = value_string(arena, family->architecture);
	add(&d, "model_type", value_string(arena, family->type));
	add(&d, "architectures", value_list(arena, &architecture, architecture != NULL));
	add(&d, family->activation_member, value_string(arena, family->activation));
	if (config->arch == MODEL_LLAMA) {
		if (config->rope.kind != MODEL_ROPE_PLAIN)
			add(&d, "rope_scaling", scaling_of(arena, config));
		add(&d, "attention_bias", value_boolean(false));
		add(&d, "mlp_bias", value_boolean(false));
	} else {
		add(&d, "embd_pdrop", rate);
		add(&d, "attn_pdrop", rate);
	}
	add(&d, "tie_word_embeddings", value_boolean(model_config_tied(config)));
	add(&d, "bos_token_id", value_integer(arena, 0));
	add(&d, "eos_token_id", value_integer(arena, 1));
	add_members(&d, config);
	value_write_json_pretty(buf, dict_of(&d), 2);
	buf_putc(buf, '\n');
	arena_free(arena);
}

/* ---- reading ---- */

static int
read_real(const struct value *dict, const char *name, double *ret, struct error *err)
{
	const struct value *value = value_get(dict, name);

	if (!value || value->kind == VALUE_NULL)
		return 0;
	if (value->kind != VALUE_FLOAT && value->kind != VALUE_INTEGER)
		return error_set(err, "`%s` is no number", name);
	*ret = value->kind == VALUE_FLOAT ? value->number : (double)value->integer;
	return 0;
}

static int
read_size(const struct value *dict, const char *name, size_t *ret, struct error *err)
{
	const struct value *value = value_get(dict, name);

	/* What may be left out has its default already. */
	if ((!value || value->kind == VALUE_NULL) && *ret)
		return 0;
	if (!value || value->kind != VALUE_INTEGER || value->integer < 1 || value->integer > INT32_MAX)
		return error_set(err, "`%s` is no number of 1 and more", name);
	*ret = (size_t)value->integer;
	return 0;
}

static int
read_member(struct model_config *config, const struct value *dict, const struct member *member, struct error *err)
{
	const char *name = config->arch == MODEL_LLAMA ? member->llama : member->name;
	void *at = (char *)config + member->offset;

	if (!name)
		return 0;
	if (member->real)
		return read_real(dict, name, at, err);
	/* As transformers have them where nothing is said. The sizes that they come of stand before in the table. */
	if (!strcmp(name, "n_inner"))
		config->inner = 4 * config->channels;
	else if (!strcmp(name, "num_key_value_heads"))
		config->kv_heads = config->heads;
	else if (!strcmp(name, "max_position_embeddings"))
		config->context = CONTEXT_DEFAULT;
	return read_size(dict, name, at, err);
}

/* `rope_scaling`, or `rope_parameters` as newer transformers write it, which has rope_theta inside. */
static int
read_rope(struct model_config *c, const struct value *dict, struct error *err)
{
	const struct value *scaling = value_get(dict, "rope_parameters");
	const char *type;

	if (!scaling || scaling->kind == VALUE_NULL)
		scaling = value_get(dict, "rope_scaling");
	if (!scaling || scaling->kind == VALUE_NULL)
		return 0;
	if (scaling->kind != VALUE_DICT)
		return error_set(err, "`rope_scaling` is no object");
	type = value_text(value_get(scaling, "rope_type"));
	if (!type)
		type = value_text(value_get(scaling, "type"));
	for (size_t i = 0; type && i < ARRAY_LEN(ROPES); i++)
		if (!strcmp(type, ROPES[i])) {
			c->rope.kind = (enum model_rope)i;
			type = NULL;
		}
	if (type)
		return error_set(err, "the rotary scaling `%s` is not known here, but `default`, `linear` and `llama3`", type);
	c->rope.original = c->context;
	return read_real(scaling, "rope_theta", &c->rope.theta, err) || read_real(scaling, "factor", &c->rope.factor, err) ||
	       read_real(scaling, "low_freq_factor", &c->rope.low, err) || read_real(scaling, "high_freq_factor", &c->rope.high, err) ||
	       read_size(scaling, "original_max_position_embeddings", &c->rope.original, err) ? -1 : 0;
}

/* What of transformers' options changes the numbers, and is not here. */
static int
check_options(enum model_arch arch, const struct value *dict, struct error *err)
{
	static const struct {
		enum model_arch but; /* it says nothing in this family */
		const char *name;
		bool wanted;
	} options[] = { { MODEL_LLAMA, "tie_word_embeddings", true }, { MODEL_LLAMA, "scale_attn_weights", true },
		{ MODEL_LLAMA, "scale_attn_by_inverse_layer_idx", false }, { MODEL_LLAMA, "add_cross_attention", false },
		{ MODEL_GPT2, "attention_bias", false }, { MODEL_GPT2, "mlp_bias", false } };

	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		const struct value *value = value_get(dict, options[i].name);

		if (options[i].but != arch && value && value->kind == VALUE_BOOLEAN && value->boolean != options[i].wanted)
			return error_set(err, "`%s` is %s, and only the other is known here", options[i].name, value->boolean ? "true" : "false");
	}
	return 0;
}

static int
read_llama(struct model_config *c, const struct value *dict, struct error *err)
{
	const struct value *tied = value_get(dict, "tie_word_embeddings");
	size_t width = model_config_head(c);

	if (c->channels % c->heads)
		return 0; /* model_config_check says so */
	c->tied = tied && tied->kind == VALUE_BOOLEAN && tied->boolean;
	if (read_rope(c, dict, err) || read_size(dict, "head_dim", &width, err))
		return -1;
	if (width != model_config_head(c))
		return error_set(err, "`head_dim` is %zu, and only the %zu that are `hidden_size` over `num_attention_heads` are known here", width,
			model_config_head(c));
	/* Positions are no parameters here: a model of a longer context is one of a shorter one, too. */
	if (c->context > MODEL_CONTEXT_MAX)
		c->context = MODEL_CONTEXT_MAX;
	return 0;
}

static int
find_family(const struct value *dict, enum model_arch *ret, struct error *err)
{
	const char *type = value_text(value_get(dict, "model_type"));

	for (size_t i = 0; type && i < ARRAY_LEN(FAMILIES); i++)
		if (!strcmp(type, FAMILIES[i].type)) {
			*ret = (enum model_arch)i;
			return 0;
		}
	return error_set(err, "`model_type` is `%s`, where `gpt2`, `llama` and `lateen-prepend` are known", type ? type : "");
}

static int
read_dict(struct model_config *ret, const struct value *dict, struct error *err)
{
	const struct family *family;
	const char *activation;

	*ret = (struct model_config){ 0 };
	if (find_family(dict, &ret->arch, err))
		return -1;
	family = &FAMILIES[ret->arch];
	activation = value_text(value_get(dict, family->activation_member));
	model_config_defaults(ret);
	if (ret->arch == MODEL_LLAMA)
		ret->dropout = 0;
	if (activation && strcmp(activation, family->activation) != 0)
		return error_set(err, "`%s` is `%s`, which this family has not", family->activation_member, activation);
	for (size_t i = 0; i < ARRAY_LEN(MEMBERS); i++)
		if (read_member(ret, dict, &MEMBERS[i], err))
			return -1;
	if (check_options(ret->arch, dict, err) || (ret->arch == MODEL_LLAMA && read_llama(ret, dict, err)))
		return -1;
	return model_config_check(ret, err);
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
