#include "config.h"

#include "dsl/check_setting.h"

#include <string.h>

static const struct {
	const char *word;
	void (*check)(struct setting_check *c);
	bool repeats;
} checks[] = {
	{ "gpu", check_gpu, false }, { "cpu", check_cpu, false }, { "memory", check_memory, false },
	{ "retry", check_retry, false }, { "timeout", check_timeout, false }, { "preemptible", check_preemptible, false },
	{ "cache", check_cache, false }, { "display", check_display, false }, { "patch", check_patch, false },
	{ "image", check_image, false }, { "workdir", check_workdir, false },
	{ "service_account", check_service_account, false }, { "default_image", check_default_image, false },
	{ "schedule", check_schedule, false },
	{ "tolerate", check_tolerate, true }, { "env", check_env, true }, { "label", check_label, true },
	{ "annotate", check_annotate, true }, { "node_selector", check_node_selector, true },
	{ "secret_env", check_secret_env, true },
};

/* ---- finding the word ---- */

static const char *
place_name(unsigned places)
{
	if (places & SETTING_IN_STEP)
		return "steps and components";
	if (places & SETTING_IN_COMPONENT)
		return "components";
	return places & SETTING_IN_PIPELINE ? "a pipeline's `settings`" : "clusters";
}

const struct setting_info *
check_setting_word(struct check *check, const struct ast_setting *ast, enum setting_place place, const char *const *fields,
		   size_t n_fields)
{
	const struct setting_info *info = setting_lookup_at(ast->word.text, place), *elsewhere;
	const struct setting_info *table;
	const char **words;
	struct diag *d;
	size_t n, n_words = 0;

	if (info && info->works)
		return info;
	if (info) {
		check_later(check, ast->word.span, "the setting `%s`", ast->word.text);
		return NULL;
	}
	elsewhere = setting_lookup(ast->word.text);
	if (elsewhere) {
		diags_add(check->diags, DIAG_L0407, ast->word.span, "`%s` is a setting of %s, not of this", ast->word.text,
			place_name(elsewhere->places));
		return NULL;
	}
	table = setting_table(&n);
	words = arena_alloc(check->arena, (n + n_fields) * sizeof(*words));
	for (size_t i = 0; i < n; i++)
		if (table[i].places & place)
			words[n_words++] = table[i].word;
	for (size_t i = 0; i < n_fields; i++)
		words[n_words++] = fields[i];
	d = diags_add(check->diags, DIAG_L0405, ast->word.span, "no setting named `%s`", ast->word.text);
	diag_near(check->diags, d, "setting", ast->word.span, ast->word.text, words, n_words);
	return NULL;
}

void
check_setting(struct expr_check *x, const struct ast_setting *ast, enum setting_place place, struct settings *settings,
	      struct map *seen)
{
	struct setting_check c = { .x = x, .ast = ast, .settings = settings, .seen = seen };

	if (!ast->word.text)
		return;
	c.info = check_setting_word(x->check, ast, place, NULL, 0);
	for (size_t i = 0; c.info && i < ARRAY_LEN(checks); i++) {
		if (strcmp(checks[i].word, c.info->word))
			continue;
		if (!checks[i].repeats && map_has(seen, c.info->word)) {
			diags_add(x->check->diags, DIAG_L0401, ast->word.span, "`%s` is set twice", c.info->word);
			return;
		}
		map_set(seen, c.info->word, NULL);
		checks[i].check(&c);
		return;
	}
}
