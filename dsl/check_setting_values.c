#include "config.h"

#include "dsl/check_setting.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Ten years: longer durations are typing mistakes, and seconds stay far from overflow. */
enum { DURATION_MAX = 10 * 366 * 24 * 3600, RETRY_MAX = 1000000, GPU_MAX = 10000 };

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

void
setting_bad(struct setting_check *c, struct span span, const char *format, ...)
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
		setting_bad(c, arg->span, "`%s` wants a duration like `90s`, `30m`, `6h` or `7d`, at most ten years", c->info->word);
		return false;
	}
	*ret = seconds;
	return true;
}

static bool
integer_of(struct setting_check *c, const struct ast_expr *arg, int64_t min, int64_t max, int64_t *ret)
{
	if (arg->kind != AST_INTEGER || arg->integer < min || arg->integer > max) {
		setting_bad(c, arg->span, "`%s` wants a whole number from %lld to %lld here", c->info->word, (long long)min, (long long)max);
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

bool
setting_count_is(struct setting_check *c, size_t min, size_t max)
{
	if (c->ast->n_args >= min && c->ast->n_args <= max)
		return true;
	setting_bad(c, c->ast->span, "`%s` has too %s arguments", c->info->word, c->ast->n_args < min ? "few" : "many");
	return false;
}

/* ---- what the words mean ---- */

void
check_gpu(struct setting_check *c)
{
	const struct ast_expr *arg;
	const struct expr *e;

	if (c->ast->n_args > 1) {
		const char *word = word_of(c->ast->args[1]);

		if (word && !strcmp(word, "type"))
			check_later(c->x->check, c->ast->args[1]->span, "a type of GPU");
		else
			setting_count_is(c, 1, 1);
		return;
	}
	if (!setting_count_is(c, 1, 1))
		return;
	arg = c->ast->args[0];
	e = check_expr(c->x, arg);
	if (!e || !check_is_value(c->x->check, e))
		return;
	if (e->type->kind != TYPE_INTEGER && e->type->kind != TYPE_ANY) {
		setting_bad(c, arg->span, "`gpu` wants an Integer, not %s", type_text(c->x->arena, e->type));
		return;
	}
	if (e->kind == EXPR_VALUE && (e->value->kind != VALUE_INTEGER || e->value->integer < 1 || e->value->integer > GPU_MAX)) {
		setting_bad(c, arg->span, "the number of GPUs must be at least 1");
		return;
	}
	c->settings->gpu = e;
}

static const struct expr *
quantity_literal(struct setting_check *c, const struct ast_expr *arg)
{
	const char *text = arena_strndup(c->x->arena, arg->text ? arg->text : "", arg->text ? arg->len : 0);

	if (!is_quantity(text)) {
		setting_bad(c, arg->span, "`%s` is not a quantity that Kubernetes knows", text);
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
		setting_bad(c, arg->span, "`%s` is not a quantity that Kubernetes knows", buf_text(&text));
		return NULL;
	}
	return expr_of_value(c->x->arena, value_string(c->x->arena, buf_text(&text)), arg->span);
}

static const struct expr *
quantity_of(struct setting_check *c, bool plain_number)
{
	const struct ast_expr *arg;
	const struct expr *e;

	if (!setting_count_is(c, 1, 1))
		return NULL;
	arg = c->ast->args[0];
	if (arg->kind == AST_QUANTITY)
		return quantity_literal(c, arg);
	if (arg->kind == AST_INTEGER || arg->kind == AST_FLOAT) {
		if (plain_number)
			return quantity_number(c, arg);
		setting_bad(c, arg->span, "`%s` wants a unit: a number alone would be bytes", c->info->word);
		return NULL;
	}
	e = check_expr(c->x, arg);
	if (!e || !check_is_value(c->x->check, e))
		return NULL;
	if (e->kind == EXPR_VALUE && e->value->kind == VALUE_STRING && !is_quantity(e->value->string.text)) {
		setting_bad(c, arg->span, "`%s` is not a quantity that Kubernetes knows", e->value->string.text);
		return NULL;
	}
	if (e->type->kind != TYPE_STRING && !(plain_number && type_is_number(e->type)) && e->type->kind != TYPE_ANY) {
		setting_bad(c, arg->span, "`%s` wants a quantity, not %s", c->info->word, type_text(c->x->arena, e->type));
		return NULL;
	}
	return expr_to_text(c->x->check, c->x->arena, e);
}

void
check_cpu(struct setting_check *c)
{
	c->settings->cpu = quantity_of(c, true);
}

void
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
	setting_bad(c, arg->span, "`when` wants `error`, `failure`, `preemption` or `always`");
	return false;
}

static bool
retry_factor(struct setting_check *c, const struct ast_expr *arg, double *ret)
{
	double factor = arg->kind == AST_INTEGER ? (double)arg->integer : arg->kind == AST_FLOAT ? arg->number : 0;

	if (!(factor >= 1 && factor <= 1000)) {
		setting_bad(c, arg->span, "`factor` wants a number from 1 to 1000");
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

void
check_retry(struct setting_check *c)
{
	static const char *const words[] = { "backoff", "factor", "max", "when" };
	struct retry retry = { .set = true };
	bool seen[ARRAY_LEN(words)] = { false };

	if (!c->ast->n_args) {
		setting_count_is(c, 1, 1);
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
			setting_bad(c, c->ast->args[i]->span, "`retry` does not know what stands here");
			return;
		}
		seen[w] = true;
		if (!retry_clause(c, words[w], c->ast->args[i + 1], &retry))
			return;
	}
	if ((retry.max || retry.factor > 0) && !retry.backoff) {
		setting_bad(c, c->ast->span, "`%s` means something with `backoff` only", retry.max ? "max" : "factor");
		return;
	}
	c->settings->retry = retry;
}

void
check_timeout(struct setting_check *c)
{
	if (setting_count_is(c, 1, 1))
		duration_of(c, c->ast->args[0], &c->settings->timeout);
}

void
check_preemptible(struct setting_check *c)
{
	const char *word;

	if (!setting_count_is(c, 0, 1))
		return;
	word = c->ast->n_args ? word_of(c->ast->args[0]) : NULL;
	if (c->ast->n_args && (!word || strcmp(word, "required"))) {
		setting_bad(c, c->ast->args[0]->span, "`preemptible` stands alone or with `required`");
		return;
	}
	c->settings->preemptible = word ? PREEMPTIBLE_REQUIRED : PREEMPTIBLE_PREFERRED;
}

void
check_cache(struct setting_check *c)
{
	const char *word;

	if (!setting_count_is(c, 1, 1))
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

	return setting_count_is(c, 1, 1) ? check_text(x->check, x->arena, c->ast->args[0], c->info->word) : NULL;
}

void
check_display(struct setting_check *c)
{
	c->settings->display = text_of(c);
}

void
check_patch(struct setting_check *c)
{
	c->settings->patch = text_of(c);
}

void
check_image(struct setting_check *c)
{
	const char *text = text_of(c);

	if (text && (!*text || strpbrk(text, " \t\r\n")))
		setting_bad(c, c->ast->args[0]->span, "this is no name of an image");
	else
		c->settings->image = text;
}

void
check_workdir(struct setting_check *c)
{
	c->settings->workdir = text_of(c);
}

void
check_service_account(struct setting_check *c)
{
	c->settings->service_account = text_of(c);
}

void
check_default_image(struct setting_check *c)
{
	c->settings->default_image = text_of(c);
}

void
check_schedule(struct setting_check *c)
{
	const char *text = text_of(c);

	if (text && !setting_is_cron(text))
		setting_bad(c, c->ast->args[0]->span, "a schedule has five fields, minute, hour, day, month and weekday: `\"0 3 * * *\"` is every night at three");
	else
		c->settings->schedule = text;
}
