#include "config.h"

#include "dsl/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ten years: longer durations are typing mistakes, and seconds stay far from overflow. */
enum { DURATION_MAX = 10 * 366 * 24 * 3600, RETRY_MAX = 1000000, GPU_MAX = 10000 };

struct setting_check {
	struct expr_check *x;
	const struct ast_setting *ast;
	const struct setting_info *info;
	struct settings *settings;
	struct map *seen;
};

static struct diags *
diags_of(struct setting_check *c)
{
	return c->x->check->diags;
}

static void
help_usage(struct setting_check *c, struct diag *d)
{
	diag_help(diags_of(c), d, "it is written `%s %s`", c->info->word, c->info->arguments);
}

static void bad(struct setting_check *c, struct span span, const char *format, ...) PRINTF_LIKE(3, 4);

static void
bad(struct setting_check *c, struct span span, const char *format, ...)
{
	struct diag *d;
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	d = diags_add(diags_of(c), DIAG_L0406, span, "%s", text);
	help_usage(c, d);
}

/* ---- durations and quantities ---- */

/* Seconds, or -1. */
static int64_t
read_duration(const char *text, size_t len)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	int64_t n = 0;
	size_t i = 0;

	for (; i < len && text[i] >= '0' && text[i] <= '9'; i++) {
		n = n * 10 + (text[i] - '0');
		if (n > DURATION_MAX)
			return -1;
	}
	if (!i || i + 1 != len)
		return -1;
	for (size_t u = 0; u < ARRAY_LEN(units); u++)
		if (units[u].unit == text[i])
			return n * units[u].seconds > DURATION_MAX ? -1 : n * units[u].seconds;
	return -1;
}

/* Kubernetes' quantities: a decimal number and one suffix. */
static bool
is_quantity(const char *text)
{
	static const char *const suffixes[] = { "", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei" };
	size_t digits = strspn(text, "0123456789"), more = 0;
	const char *rest = text + digits;

	if (*rest == '.') {
		more = strspn(rest + 1, "0123456789");
		rest += 1 + more;
	}
	if (!digits || digits + more > 15 || (text[digits] == '.' && !more))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
		if (!strcmp(rest, suffixes[i]))
			return true;
	return false;
}

static bool
duration_of(struct setting_check *c, const struct ast_expr *arg, int64_t *ret)
{
	int64_t seconds = -1;

	if (arg->kind == AST_QUANTITY)
		seconds = read_duration(arg->text, arg->len);
	if (arg->kind == AST_STRING && arg->n_parts == 1 && !arg->parts[0].expr)
		seconds = read_duration(arg->parts[0].text, arg->parts[0].len);
	if (seconds < 1) {
		bad(c, arg->span, "`%s` wants a duration like `90s`, `30m`, `6h` or `7d`, at most ten years", c->info->word);
		return false;
	}
	*ret = seconds;
	return true;
}

static bool
integer_of(struct setting_check *c, const struct ast_expr *arg, int64_t min, int64_t max, int64_t *ret)
{
	if (arg->kind != AST_INTEGER || arg->integer < min || arg->integer > max) {
		bad(c, arg->span, "`%s` wants a whole number from %lld to %lld here", c->info->word, (long long)min, (long long)max);
		return false;
	}
	*ret = arg->integer;
	return true;
}

static const char *
word_of(const struct ast_expr *arg)
{
	return arg->kind == AST_NAME ? arg->name.text : NULL;
}

static bool
count_is(struct setting_check *c, size_t min, size_t max)
{
	if (c->ast->n_args >= min && c->ast->n_args <= max)
		return true;
	bad(c, c->ast->span, "`%s` has too %s arguments", c->info->word, c->ast->n_args < min ? "few" : "many");
	return false;
}

/* ---- what the words mean ---- */

static void
check_gpu(struct setting_check *c)
{
	const struct ast_expr *arg;
	const struct expr *e;

	if (c->ast->n_args > 1) {
		const char *word = word_of(c->ast->args[1]);

		if (word && !strcmp(word, "type"))
			check_later(c->x->check, c->ast->args[1]->span, "a type of GPU");
		else
			count_is(c, 1, 1);
		return;
	}
	if (!count_is(c, 1, 1))
		return;
	arg = c->ast->args[0];
	e = check_expr(c->x, arg);
	if (!e || !check_is_value(c->x->check, e))
		return;
	if (e->type->kind != TYPE_INTEGER && e->type->kind != TYPE_ANY) {
		bad(c, arg->span, "`gpu` wants an Integer, not %s", type_text(c->x->arena, e->type));
		return;
	}
	if (e->kind == EXPR_VALUE && (e->value->kind != VALUE_INTEGER || e->value->integer < 1 || e->value->integer > GPU_MAX)) {
		bad(c, arg->span, "the number of GPUs must be at least 1");
		return;
	}
	c->settings->gpu = e;
}

static const struct expr *
quantity_literal(struct setting_check *c, const struct ast_expr *arg)
{
	const char *text = arena_strndup(c->x->arena, arg->text ? arg->text : "", arg->text ? arg->len : 0);

	if (!is_quantity(text)) {
		bad(c, arg->span, "`%s` is not a quantity that Kubernetes knows", text);
		return NULL;
	}
	return expr_of_value(c->x->arena, value_string(c->x->arena, text), arg->span);
}

static const struct expr *
quantity_number(struct setting_check *c, const struct ast_expr *arg)
{
	CLEANUP(buf_release) struct buf text = {0};

	if (arg->kind == AST_INTEGER)
		buf_printf(&text, "%lld", (long long)arg->integer);
	else
		buf_printf(&text, "%g", arg->number);
	if (!is_quantity(buf_text(&text))) {
		bad(c, arg->span, "`%s` is not a quantity that Kubernetes knows", buf_text(&text));
		return NULL;
	}
	return expr_of_value(c->x->arena, value_string(c->x->arena, buf_text(&text)), arg->span);
}

static const struct expr *
quantity_of(struct setting_check *c, bool plain_number)
{
	const struct ast_expr *arg;
	const struct expr *e;

	if (!count_is(c, 1, 1))
		return NULL;
	arg = c->ast->args[0];
	if (arg->kind == AST_QUANTITY)
		return quantity_literal(c, arg);
	if (arg->kind == AST_INTEGER || arg->kind == AST_FLOAT) {
		if (plain_number)
			return quantity_number(c, arg);
		bad(c, arg->span, "`%s` wants a unit: a number alone would be bytes", c->info->word);
		return NULL;
	}
	e = check_expr(c->x, arg);
	if (!e || !check_is_value(c->x->check, e))
		return NULL;
	if (e->kind == EXPR_VALUE && e->value->kind == VALUE_STRING && !is_quantity(e->value->string.text)) {
		bad(c, arg->span, "`%s` is not a quantity that Kubernetes knows", e->value->string.text);
		return NULL;
	}
	if (e->type->kind != TYPE_STRING && !(plain_number && type_is_number(e->type)) && e->type->kind != TYPE_ANY) {
		bad(c, arg->span, "`%s` wants a quantity, not %s", c->info->word, type_text(c->x->arena, e->type));
		return NULL;
	}
	return expr_to_text(c->x->check, c->x->arena, e);
}

static void
check_cpu(struct setting_check *c)
{
	c->settings->cpu = quantity_of(c, true);
}

static void
check_memory(struct setting_check *c)
{
	c->settings->memory = quantity_of(c, false);
}

static bool
retry_when(struct setting_check *c, const struct ast_expr *arg, struct retry *ret)
{
	static const char *const names[] = {
		[RETRY_ON_FAILURE] = "failure", [RETRY_ON_ERROR] = "error", [RETRY_ON_PREEMPTION] = "preemption",
		[RETRY_ALWAYS] = "always",
	};
	const char *word = word_of(arg);

	for (size_t i = 0; word && i < ARRAY_LEN(names); i++) {
		if (!strcmp(word, names[i])) {
			ret->when = (enum retry_when)i;
			ret->when_set = true;
			return true;
		}
	}
	bad(c, arg->span, "`when` wants `error`, `failure`, `preemption` or `always`");
	return false;
}

static bool
retry_factor(struct setting_check *c, const struct ast_expr *arg, double *ret)
{
	double factor = arg->kind == AST_INTEGER ? (double)arg->integer : arg->kind == AST_FLOAT ? arg->number : 0;

	if (!(factor >= 1 && factor <= 1000)) {
		bad(c, arg->span, "`factor` wants a number from 1 to 1000");
		return false;
	}
	*ret = factor;
	return true;
}

static bool
retry_clause(struct setting_check *c, const char *word, const struct ast_expr *arg, struct retry *retry)
{
	if (!strcmp(word, "backoff"))
		return duration_of(c, arg, &retry->backoff);
	if (!strcmp(word, "max"))
		return duration_of(c, arg, &retry->max);
	if (!strcmp(word, "factor"))
		return retry_factor(c, arg, &retry->factor);
	return retry_when(c, arg, retry);
}

static void
check_retry(struct setting_check *c)
{
	static const char *const words[] = { "backoff", "factor", "max", "when" };
	struct retry retry = { .set = true };
	bool seen[ARRAY_LEN(words)] = { false };

	if (!c->ast->n_args) {
		count_is(c, 1, 1);
		return;
	}
	if (!integer_of(c, c->ast->args[0], 0, RETRY_MAX, &retry.limit))
		return;
	for (size_t i = 1; i < c->ast->n_args; i += 2) {
		const char *word = word_of(c->ast->args[i]);
		size_t w = 0;

		while (w < ARRAY_LEN(words) && (!word || strcmp(word, words[w])))
			w++;
		if (w == ARRAY_LEN(words) || seen[w] || i + 1 == c->ast->n_args) {
			bad(c, c->ast->args[i]->span, "`retry` does not know what stands here");
			return;
		}
		seen[w] = true;
		if (!retry_clause(c, words[w], c->ast->args[i + 1], &retry))
			return;
	}
	if ((retry.max || retry.factor > 0) && !retry.backoff) {
		bad(c, c->ast->span, "`%s` means something with `backoff` only", retry.max ? "max" : "factor");
		return;
	}
	c->settings->retry = retry;
}

static void
check_timeout(struct setting_check *c)
{
	if (count_is(c, 1, 1))
		duration_of(c, c->ast->args[0], &c->settings->timeout);
}

static void
check_preemptible(struct setting_check *c)
{
	const char *word;

	if (!count_is(c, 0, 1))
		return;
	word = c->ast->n_args ? word_of(c->ast->args[0]) : NULL;
	if (c->ast->n_args && (!word || strcmp(word, "required"))) {
		bad(c, c->ast->args[0]->span, "`preemptible` stands alone or with `required`");
		return;
	}
	c->settings->preemptible = word ? PREEMPTIBLE_REQUIRED : PREEMPTIBLE_PREFERRED;
}

static void
check_cache(struct setting_check *c)
{
	const char *word;

	if (!count_is(c, 1, 1))
		return;
	word = word_of(c->ast->args[0]);
	if (word && !strcmp(word, "off"))
		c->settings->cache = CACHE_OFF;
	else if (word && !strcmp(word, "always"))
		c->settings->cache = CACHE_ALWAYS;
	else if (duration_of(c, c->ast->args[0], &c->settings->cache_seconds))
		c->settings->cache = CACHE_FOR;
}

static const char *
text_of(struct setting_check *c)
{
	struct expr_check *x = c->x;

	return count_is(c, 1, 1) ? check_text(x->check, x->arena, c->ast->args[0], c->info->word) : NULL;
}

static void
check_display(struct setting_check *c)
{
	c->settings->display = text_of(c);
}

static void
check_patch(struct setting_check *c)
{
	c->settings->patch = text_of(c);
}

static void
check_image(struct setting_check *c)
{
	const char *text = text_of(c);

	if (text && (!*text || strpbrk(text, " \t\r\n")))
		bad(c, c->ast->args[0]->span, "this is no name of an image");
	else
		c->settings->image = text;
}

static void
check_workdir(struct setting_check *c)
{
	c->settings->workdir = text_of(c);
}

static void
check_service_account(struct setting_check *c)
{
	c->settings->service_account = text_of(c);
}

static void
check_default_image(struct setting_check *c)
{
	c->settings->default_image = text_of(c);
}

static void
check_tolerate(struct setting_check *c)
{
	struct toleration t = {0}, *all;
	struct settings *s = c->settings;

	if (!c->ast->n_args) {
		count_is(c, 1, 1);
		return;
	}
	t.key = check_text(c->x->check, c->x->arena, c->ast->args[0], "the key of a taint");
	for (size_t i = 1; i < c->ast->n_args; i += 2) {
		const char *word = word_of(c->ast->args[i]);
		const struct ast_expr *arg = i + 1 < c->ast->n_args ? c->ast->args[i + 1] : NULL;
		const char **slot = !word ? NULL : !strcmp(word, "value") ? &t.value : !strcmp(word, "effect") ? &t.effect : NULL;

		if (!slot || *slot || !arg) {
			bad(c, c->ast->args[i]->span, "`tolerate` does not know what stands here");
			return;
		}
		*slot = word_of(arg) && slot == &t.effect ? word_of(arg) : check_text(c->x->check, c->x->arena, arg, word);
	}
	if (t.effect && strcmp(t.effect, "NoSchedule") && strcmp(t.effect, "PreferNoSchedule") && strcmp(t.effect, "NoExecute")) {
		bad(c, c->ast->span, "an effect is `NoSchedule`, `PreferNoSchedule` or `NoExecute`, not `%s`", t.effect);
		return;
	}
	if (!t.key)
		return;
	all = arena_alloc(c->x->arena, (s->n_tolerations + 1) * sizeof(*all));
	for (size_t i = 0; i < s->n_tolerations; i++)
		all[i] = s->tolerations[i];
	all[s->n_tolerations++] = t;
	s->tolerations = all;
}

/* ---- settings with keys ---- */

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

	if (!count_is(c, 1, 1))
		return NULL;
	arg = c->ast->args[0];
	if (arg->kind != AST_DICT) {
		if (arg->kind != AST_POISON)
			bad(c, arg->span, "`%s` wants names and values in braces", c->info->word);
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

	if (!dict)
		return;
	all = arena_alloc(c->x->arena, (*n + dict->n_entries + 1) * sizeof(*all));
	for (size_t i = 0; i < *n; i++)
		all[i] = (*list)[i];
	for (size_t i = 0; i < dict->n_entries; i++) {
		const struct ast_entry *entry = &dict->entries[i];
		const struct expr *value = pair_value(c, entry);

		if (variables && !setting_is_variable(entry->key.text)) {
			bad(c, entry->key.span, "`%s` cannot be the name of a variable", entry->key.text);
			continue;
		}
		if (!key_is_new(c, entry) || !value)
			continue;
		all[(*n)++] = (struct setting_pair){ arena_strdup(c->x->arena, entry->key.text), value };
	}
	*list = all;
}

static void
check_env(struct setting_check *c)
{
	check_pairs(c, &c->settings->env, &c->settings->n_env, true);
}

static void
check_label(struct setting_check *c)
{
	check_pairs(c, &c->settings->labels, &c->settings->n_labels, false);
}

static void
check_annotate(struct setting_check *c)
{
	check_pairs(c, &c->settings->annotations, &c->settings->n_annotations, false);
}

static void
check_node_selector(struct setting_check *c)
{
	check_pairs(c, &c->settings->node_selector, &c->settings->n_node_selector, false);
}

static void
check_secret_env(struct setting_check *c)
{
	const struct ast_expr *dict = dict_of(c);
	struct settings *s = c->settings;
	struct setting_secret *all;

	if (!dict)
		return;
	all = arena_alloc(c->x->arena, (s->n_secret_env + dict->n_entries + 1) * sizeof(*all));
	for (size_t i = 0; i < s->n_secret_env; i++)
		all[i] = s->secret_env[i];
	for (size_t i = 0; i < dict->n_entries; i++) {
		const struct ast_entry *entry = &dict->entries[i];
		const struct expr *e = check_expr(c->x, entry->value);

		if (e && !e->secret) {
			diags_add(diags_of(c), DIAG_L0311, e->span, "`secret_env` takes secrets only, not %s",
				type_text(c->x->arena, e->type));
			continue;
		}
		if (!e || !key_is_new(c, entry))
			continue;
		if (!setting_is_variable(entry->key.text))
			bad(c, entry->key.span, "`%s` cannot be the name of a variable", entry->key.text);
		else
			all[s->n_secret_env++] = (struct setting_secret){ arena_strdup(c->x->arena, entry->key.text), e->secret };
	}
	s->secret_env = all;
}

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

/* ---- one over the other ---- */

/* A key of `over` hides the same key of `under`. */
static const struct setting_pair *
merge_pairs(struct arena *arena, const struct setting_pair *under, size_t n_under, const struct setting_pair *over, size_t n_over,
	    size_t *ret_n)
{
	struct setting_pair *all;
	size_t n = 0;

	*ret_n = n_under ? n_under : n_over;
	if (!n_under || !n_over)
		return n_under ? under : over;
	all = arena_alloc(arena, (n_under + n_over) * sizeof(*all));
	for (size_t i = 0; i < n_under; i++) {
		bool hidden = false;

		for (size_t j = 0; j < n_over; j++)
			hidden = hidden || !strcmp(under[i].key, over[j].key);
		if (!hidden)
			all[n++] = under[i];
	}
	for (size_t j = 0; j < n_over; j++)
		all[n++] = over[j];
	*ret_n = n;
	return all;
}

static void
merge_secret_env(struct arena *arena, struct settings *s, const struct settings *over)
{
	struct setting_secret *all = arena_alloc(arena, (s->n_secret_env + over->n_secret_env + 1) * sizeof(*all));
	size_t n = 0;

	for (size_t i = 0; i < s->n_secret_env; i++) {
		bool hidden = false;

		for (size_t j = 0; j < over->n_secret_env; j++)
			hidden = hidden || !strcmp(s->secret_env[i].variable, over->secret_env[j].variable);
		if (!hidden)
			all[n++] = s->secret_env[i];
	}
	for (size_t j = 0; j < over->n_secret_env; j++)
		all[n++] = over->secret_env[j];
	s->secret_env = all;
	s->n_secret_env = n;
}

static void
merge_tolerations(struct arena *arena, struct settings *s, const struct settings *over)
{
	struct toleration *all = arena_alloc(arena, (s->n_tolerations + over->n_tolerations + 1) * sizeof(*all));
	size_t n = 0;

	for (size_t i = 0; i < s->n_tolerations; i++)
		all[n++] = s->tolerations[i];
	for (size_t i = 0; i < over->n_tolerations; i++)
		all[n++] = over->tolerations[i];
	s->tolerations = all;
	s->n_tolerations = n;
}

static void
merge_simple(struct settings *s, const struct settings *over)
{
	if (over->gpu)
		s->gpu = over->gpu;
	if (over->cpu)
		s->cpu = over->cpu;
	if (over->memory)
		s->memory = over->memory;
	if (over->retry.set)
		s->retry = over->retry;
	if (over->timeout)
		s->timeout = over->timeout;
	if (over->preemptible != PREEMPTIBLE_NO)
		s->preemptible = over->preemptible;
	if (over->cache != CACHE_UNSET) {
		s->cache = over->cache;
		s->cache_seconds = over->cache_seconds;
	}
	if (over->display)
		s->display = over->display;
	if (over->patch)
		s->patch = over->patch;
}

const struct settings *
settings_merge(struct arena *arena, const struct settings *under, const struct settings *over)
{
	static const struct settings none;
	struct settings *s;

	if (!over)
		return under ? under : &none;
	if (!under)
		return over;
	s = arena_new_struct(arena, struct settings);
	*s = *under;
	merge_simple(s, over);
	s->env = merge_pairs(arena, s->env, s->n_env, over->env, over->n_env, &s->n_env);
	s->labels = merge_pairs(arena, s->labels, s->n_labels, over->labels, over->n_labels, &s->n_labels);
	s->annotations = merge_pairs(arena, s->annotations, s->n_annotations, over->annotations, over->n_annotations,
		&s->n_annotations);
	s->node_selector = merge_pairs(arena, s->node_selector, s->n_node_selector, over->node_selector, over->n_node_selector,
		&s->n_node_selector);
	merge_secret_env(arena, s, over);
	merge_tolerations(arena, s, over);
	return s;
}
