#include "config.h"

#include "dsl/check_setting.h"

#include <string.h>

static struct diags *
diags_of(struct setting_check *c)
{
	return c->x->check->diags;
}

static const char *
bare_word(const struct ast_expr *arg)
{
	return arg->kind == AST_NAME ? arg->name.text : NULL;
}

void
check_tolerate(struct setting_check *c)
{
	struct toleration t = {0}, *all;
	struct settings *s = c->settings;

	if (!c->ast->n_args) {
		setting_count_is(c, 1, 1);
		return;
	}
	t.key = check_text(c->x->check, c->x->arena, c->ast->args[0], "the key of a taint");
	for (size_t i = 1; i < c->ast->n_args; i += 2) {
		const char *word = bare_word(c->ast->args[i]);
		const struct ast_expr *arg = i + 1 < c->ast->n_args ? c->ast->args[i + 1] : NULL;
		const char **slot = !word ? NULL : !strcmp(word, "value") ? &t.value : !strcmp(word, "effect") ? &t.effect : NULL;

		if (!slot || *slot || !arg) {
			setting_bad(c, c->ast->args[i]->span, "`tolerate` does not know what stands here");
			return;
		}
		*slot = bare_word(arg) && slot == &t.effect ? bare_word(arg) : check_text(c->x->check, c->x->arena, arg, word);
	}
	if (t.effect && strcmp(t.effect, "NoSchedule") && strcmp(t.effect, "PreferNoSchedule") && strcmp(t.effect, "NoExecute")) {
		setting_bad(c, c->ast->span, "an effect is `NoSchedule`, `PreferNoSchedule` or `NoExecute`, not `%s`", t.effect);
		return;
	}
	if (!t.key || !setting_has_room(c->x->check, c->info->word, s->n_tolerations + 1, c->ast->span))
		return;
	all = arena_alloc(c->x->arena, (s->n_tolerations + 1) * sizeof(*all));
	for (size_t i = 0; i < s->n_tolerations; i++)
		all[i] = s->tolerations[i];
	all[s->n_tolerations++] = t;
	s->tolerations = all;
}

bool
setting_has_room(struct check *check, const char *word, size_t n, struct span span)
{
	if (n <= CHECK_PAIRS_MAX)
		return true;
	diags_add(check->diags, DIAG_L0412, span, "`%s` has at most %d entries", word, CHECK_PAIRS_MAX);
	return false;
}

bool
setting_is_variable(const char *text)
{
	size_t len = strlen(text);

	return len && len < 1000 && !(text[0] >= '0' && text[0] <= '9') &&
		strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") == len;
}

/* Is the key new for this setting in this list? */
static bool
key_is_new(struct setting_check *c, const struct ast_entry *entry)
{
	CLEANUP(buf_release) struct buf key = {0};

	buf_printf(&key, "%s.%s", c->info->word, entry->key.text);
	if (map_has(c->seen, buf_text(&key))) {
		diags_add(diags_of(c), DIAG_L0401, entry->key.span, "`%s` is given twice in `%s`", entry->key.text, c->info->word);
		return false;
	}
	map_set(c->seen, buf_text(&key), NULL);
	return true;
}

static const struct ast_expr *
dict_of(struct setting_check *c)
{
	const struct ast_expr *arg;

	if (!setting_count_is(c, 1, 1))
		return NULL;
	arg = c->ast->args[0];
	if (arg->kind != AST_DICT) {
		if (arg->kind != AST_POISON)
			setting_bad(c, arg->span, "`%s` wants names and values in braces", c->info->word);
		return NULL;
	}
	return arg;
}

static const struct expr *
pair_value(struct setting_check *c, const struct ast_entry *entry)
{
	struct check *check = c->x->check;
	const struct expr *e = check_expr(c->x, entry->value);

	if (e && e->type->kind == TYPE_SECRET) {
		struct diag *d = diags_add(check->diags, DIAG_L0409, e->span, "a Secret in `%s` would be seen by everyone", c->info->word);

		diag_help(check->diags, d, "write `secret_env {%s: …}`", entry->key.text);
		return NULL;
	}
	if (!e || !check_is_value(check, e))
		return NULL;
	return expr_to_text(check, c->x->arena, e);
}

static void
check_pairs(struct setting_check *c, const struct setting_pair **list, size_t *n, bool variables)
{
	const struct ast_expr *dict = dict_of(c);
	struct setting_pair *all;

	if (!dict || !setting_has_room(c->x->check, c->info->word, *n + dict->n_entries, c->ast->span))
		return;
	all = arena_alloc(c->x->arena, (*n + dict->n_entries + 1) * sizeof(*all));
	for (size_t i = 0; i < *n; i++)
		all[i] = (*list)[i];
	for (size_t i = 0; i < dict->n_entries; i++) {
		const struct ast_entry *entry = &dict->entries[i];
		const struct expr *value;

		if (!entry->key.text)
			continue; /* the parser has said why */
		value = pair_value(c, entry);
		if (variables && !setting_is_variable(entry->key.text)) {
			setting_bad(c, entry->key.span, "`%s` cannot be the name of a variable", entry->key.text);
			continue;
		}
		if (!key_is_new(c, entry) || !value)
			continue;
		all[(*n)++] = (struct setting_pair){ arena_strdup(c->x->arena, entry->key.text), value };
	}
	*list = all;
}

void
check_env(struct setting_check *c)
{
	check_pairs(c, &c->settings->env, &c->settings->n_env, true);
}

void
check_label(struct setting_check *c)
{
	check_pairs(c, &c->settings->labels, &c->settings->n_labels, false);
}

void
check_annotate(struct setting_check *c)
{
	check_pairs(c, &c->settings->annotations, &c->settings->n_annotations, false);
}

void
check_node_selector(struct setting_check *c)
{
	check_pairs(c, &c->settings->node_selector, &c->settings->n_node_selector, false);
}

static void
complain_of_no_secret(struct setting_check *c, const struct expr *e)
{
	struct diag *d;

	if (e->type->kind != TYPE_SECRET) {
		diags_add(diags_of(c), DIAG_L0311, e->span, "`secret_env` takes secrets only, not %s", type_text(c->x->arena, e->type));
		return;
	}
	d = diags_add(diags_of(c), DIAG_L0311, e->span, "this Secret has no default, and `secret_env` is fixed when the pipeline is compiled");
	if (e->origin.source)
		diag_label(diags_of(c), d, e->origin, "declared here");
	diag_help(diags_of(c), d, "give it a default: `= secret(\"name\", \"key\")`");
}

void
check_secret_env(struct setting_check *c)
{
	const struct ast_expr *dict = dict_of(c);
	struct settings *s = c->settings;
	struct setting_secret *all;

	if (!dict || !setting_has_room(c->x->check, c->info->word, s->n_secret_env + dict->n_entries, c->ast->span))
		return;
	all = arena_alloc(c->x->arena, (s->n_secret_env + dict->n_entries + 1) * sizeof(*all));
	for (size_t i = 0; i < s->n_secret_env; i++)
		all[i] = s->secret_env[i];
	for (size_t i = 0; i < dict->n_entries; i++) {
		const struct ast_entry *entry = &dict->entries[i];
		const struct expr *e;

		if (!entry->key.text)
			continue; /* the parser has said why */
		e = check_expr(c->x, entry->value);
		if (e && !e->secret) {
			complain_of_no_secret(c, e);
			continue;
		}
		if (!e || !key_is_new(c, entry))
			continue;
		if (!setting_is_variable(entry->key.text))
			setting_bad(c, entry->key.span, "`%s` cannot be the name of a variable", entry->key.text);
		else
			all[s->n_secret_env++] = (struct setting_secret){ arena_strdup(c->x->arena, entry->key.text), e->secret };
	}
	s->secret_env = all;
}
