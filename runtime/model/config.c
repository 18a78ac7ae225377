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

static const char *const ARCHS[] = { [MODEL_PREPEND] = "prepend", [MODEL_GPT2] = "gpt2", [MODEL_LLAMA] = "llama" };

static const double THETA = 10000; /* of rotary angles where nothing is said */

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
	return error_set(err, "there is no family of models `%s`, but `prepend`, `gpt2` and `llama`", name);
}

void
model_config_defaults(struct model_config *config)
{
	config->dropout = 0.1;
	config->epsilon = config->arch == MODEL_GPT2 ? 1e-5 : 1e-6;
	config->smoothing = config->arch == MODEL_PREPEND ? 0.1 : 0;
	config->tied = true;
	config->rope.theta = THETA;
}

size_t
model_config_head(const struct model_config *config)
{
	return config->channels / config->heads;
}

size_t
model_config_kv_heads(const struct model_config *config)
{
	return config->arch == MODEL_LLAMA ? config->kv_heads : config->heads;
}

size_t
model_config_keys(const struct model_config *config)
{
	return model_config_kv_heads(config) * model_config_head(config);
}

bool
model_config_tied(const struct model_config *config)
{
	return config->arch != MODEL_LLAMA || config->tied;
}

int
model_config_preset(struct model_config *ret, const char *arch, const char *size, size_t vocabulary, size_t context, struct error *err)
{
	*ret = (struct model_config){ .vocabulary = vocabulary, .context = context };
	if (arch_of(arch, &ret->arch, err))
		return -1;
	model_config_defaults(ret);
	for (size_t i = 0; i < ARRAY_LEN(PRESETS); i++)
		if (!strcmp(PRESETS[i].name, size)) {
			ret->layers = PRESETS[i].layers;
			ret->channels = PRESETS[i].channels;
			ret->heads = PRESETS[i].heads;
			ret->inner = PRESETS[i].inner;
			/* A third matrix of the feed-forward part, and half the keys and values: 12 C^2 a layer, as the others have. */
			if (ret->arch == MODEL_LLAMA) {
				ret->inner = 3 * ret->channels;
				ret->kv_heads = ret->heads / 2;
			}
			return model_config_check(ret, err);
		}
	return error_set(err, "there is no size `%s`, but `tiny`, `small` and `gpt2`", size);
}

static bool
is_between(double x, double low, double high)
{
	return x >= low && x <= high;
}

/* Upper bounds keep the angles' arithmetic finite. */
static int
check_llama(const struct model_config *c, struct error *err)
{
	const double most = 1e9;

	if (!c->kv_heads || c->kv_heads > c->heads || c->heads % c->kv_heads)
		return error_set(err, "%zu heads of queries do not go with %zu heads of keys and values", c->heads, c->kv_heads);
	if (model_config_head(c) % 2)
		return error_set(err, "rotary positions want heads of an even number of channels, not %zu", model_config_head(c));
	if (!is_between(c->rope.theta, 1, 1e15))
		return error_set(err, "`rope_theta` is %g, and not between 1 and 1e15", c->rope.theta);
	if (c->rope.kind != MODEL_ROPE_PLAIN && !is_between(c->rope.factor, 1, most))
		return error_set(err, "the `factor` of `rope_scaling` is %g, and not between 1 and %g", c->rope.factor, most);
	if (c->rope.kind == MODEL_ROPE_LLAMA3 && (!is_between(c->rope.low, 1e-6, most) || !is_between(c->rope.high, 1e-6, most) ||
						       c->rope.high <= c->rope.low || !c->rope.original || c->rope.original > INT32_MAX))
		return error_set(err, "`rope_scaling` wants a `high_freq_factor` above its `low_freq_factor` and an `original_max_position_embeddings`");
	return 0;
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
	return c->arch == MODEL_LLAMA ? check_llama(c, err) : 0;
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
