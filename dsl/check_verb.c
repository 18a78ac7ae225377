#include "config.h"

#include "dsl/check_verb.h"

#include <string.h>

const struct ast_expr *
verb_clause(const struct ast_verb *verb, const char *word, bool *ret_there)
{
	*ret_there = false;
	for (size_t i = 0; i < verb->n_clauses; i++) {
		if (!verb->clauses[i].word.text || strcmp(verb->clauses[i].word.text, word))
			continue;
		*ret_there = true;
		return verb->clauses[i].value;
	}
	return NULL;
}

const char *
verb_clause_text(struct check *check, const struct ast_verb *verb, const char *word)
{
	bool there;
	const struct ast_expr *value = verb_clause(verb, word, &there);

	return value ? check_text(check, check->arena, value, word) : NULL;
}

const char *
verb_dotted(struct check *check, const struct ast_expr *e)
{
	struct ast_name names[PATH_MAX_NAMES];
	size_t n = e ? path_names(e, names, PATH_MAX_NAMES) : 0;
	const char *text = n ? names[0].text : NULL;

	for (size_t i = 1; i < n; i++)
		text = arena_printf(check->arena, "%s.%s", text, names[i].text);
	return text;
}

/* ---- verbs about pipelines ---- */

struct plan *
verb_plan(struct check *check, const struct ast_verb *verb)
{
	const struct ast_expr *arg = verb->n_args ? verb->args[0] : NULL;
	const char *text = verb_dotted(check, arg);
	const struct decl *d = text ? check_lookup(check, text) : NULL;
	struct diag *diag;

	if (!arg || arg->kind == AST_POISON)
		return NULL;
	if (text && !d) {
		unknown_callee(check, arg->span, text, "pipeline", 1U << BINDING_PIPELINE);
		return NULL;
	}
	if (!d || d->binding.kind != BINDING_PIPELINE) {
		diag = diags_add(check->diags, DIAG_L0216, arg->span, "`%s` wants a pipeline", verb->word.text);
		if (d)
			diag_label(check->diags, diag, d->binding.span, "`%s` is declared here", text);
		return NULL;
	}
	return plan_of(check, d, arg->span);
}

void
verb_secrets_are_fixed(struct check *check, const struct plan *plan, struct span span)
{
	for (size_t i = 0; i < plan->n_params; i++) {
		const struct plan_param *p = &plan->params[i];
		struct diag *d;

		if (p->type->kind != TYPE_SECRET || p->secret)
			continue;
		d = diags_add(check->diags, DIAG_L0311, span, "the Secret `%s` of `%s` is fixed when the pipeline is compiled, and has no default",
			p->name, plan->name);
		diag_label(check->diags, d, p->span, "declared here");
		diag_help(check->diags, d, "write `%s: Secret = secret(\"name\", \"key\")`", p->name);
	}
}

static void
verb_compile(struct check *check, const struct ast_stmt *stmt, struct action_list *list)
{
	const struct ast_verb *verb = &stmt->verb;
	struct plan *plan = verb_plan(check, verb);
	const char *to = verb_clause_text(check, verb, "to");
	bool there;
	const struct ast_expr *value = verb_clause(verb, "for", &there);
	const char *target = value ? verb_dotted(check, value) : NULL;
	struct action *a;

	if (there && (!target || (strcmp(target, "argo") && strcmp(target, "kfp")))) {
		static const char *const targets[] = { "argo", "kfp" };
		struct diag *d = diags_add(check->diags, DIAG_L0406, value ? value->span : stmt->span, "compile is `for argo` or `for kfp`");

		if (target && value)
			diag_near(check->diags, d, "target", value->span, target, targets, ARRAY_LEN(targets));
		return;
	}
	if (!plan)
		return;
	verb_secrets_are_fixed(check, plan, stmt->span);
	a = add_action(list, ACTION_COMPILE, stmt->span);
	a->plan = hold_plan(list, plan);
	a->text = to;
	a->text2 = target;
}

static void
verb_check(struct check *check, const struct ast_stmt *stmt, struct action_list *list)
{
	struct plan *plan = verb_plan(check, &stmt->verb);
	bool there;
	const struct ast_expr *target = verb_clause(&stmt->verb, "on", &there);
	const struct cluster *cluster = there ? cluster_of(check, target) : NULL;
	struct action *a;

	if (!plan || (there && !cluster))
		return;
	if (cluster)
		verb_secrets_are_fixed(check, plan, stmt->span);
	a = add_action(list, ACTION_CHECK, stmt->span);
	a->plan = hold_plan(list, plan);
	a->cluster = cluster;
}

/* ---- verbs about values ---- */

static void
verb_print(struct check *check, const struct ast_stmt *stmt, struct action_list *list)
{
	const struct expr *e = stmt->verb.n_args ? check_variable_expr(check, stmt->verb.args[0], NULL) : NULL;

	if (!e || (e->type->kind != TYPE_NULL && !type_is_file(e->type) && !check_is_value(check, e)))
		return;
	add_action(list, ACTION_PRINT, stmt->span)->expr = e;
}

static void
verb_assert(struct check *check, const struct ast_stmt *stmt, struct action_list *list)
{
	const struct expr *e = stmt->verb.n_args ? check_variable_expr(check, stmt->verb.args[0], NULL) : NULL;
	const struct expr *why = stmt->verb.n_args > 1 ? check_variable_expr(check, stmt->verb.args[1], NULL) : NULL;
	const struct expr **items = arena_alloc(check->arena, sizeof(*items));
	struct action *a;

	if (!e || !check_is_value(check, e) || (why && !check_is_value(check, why)))
		return;
	if (e->type->kind != TYPE_BOOLEAN && e->type->kind != TYPE_ANY) {
		diags_add(check->diags, DIAG_L0308, e->span, "`assert` wants a Boolean, not %s", type_text(check->arena, e->type));
		return;
	}
	a = add_action(list, ACTION_ASSERT, stmt->span);
	a->expr = e;
	items[0] = why;
	a->args = why ? items : NULL;
}

static void
verb_clear(struct check *check, const struct ast_stmt *stmt, struct action_list *list)
{
	bool wait;

	(void)check;
	verb_clause(&stmt->verb, "wait", &wait);
	add_action(list, ACTION_CLEAR, stmt->span)->flag = wait;
}

static void
verb_help(struct check *check, const struct ast_stmt *stmt, struct action_list *list)
{
	const struct ast_expr *arg = stmt->verb.n_args ? stmt->verb.args[0] : NULL;
	const char *text = verb_dotted(check, arg);

	if (!text && arg && (arg->kind == AST_STRING || arg->kind == AST_RAW))
		text = check_text(check, check->arena, arg, "a word");
	if (!text && arg && arg->text)
		text = arena_strndup(check->arena, arg->text, arg->len);
	if (arg && arg->kind == AST_POISON)
		return;
	add_action(list, ACTION_HELP, stmt->span)->text = text;
}

static const struct {
	const char *word;
	void (*check)(struct check *check, const struct ast_stmt *stmt, struct action_list *list);
} verbs[] = {
	{ "assert", verb_assert }, { "attach", verb_attach }, { "check", verb_check }, { "cleanup", verb_cleanup },
	{ "clear", verb_clear }, { "clone", verb_clone }, { "compile", verb_compile }, { "delete", verb_delete },
	{ "forward", verb_forward }, { "help", verb_help }, { "logs", verb_logs }, { "open", verb_open },
	{ "prepare", verb_prepare }, { "print", verb_print }, { "resume", verb_resume }, { "retry", verb_retry },
	{ "runs", verb_runs }, { "schedule", verb_schedule }, { "stop", verb_stop }, { "submit", verb_submit },
	{ "suspend", verb_suspend }, { "tensorboard", verb_tensorboard }, { "upload", verb_upload }, { "wait", verb_wait },
};

void
check_verb(struct check *check, const struct ast_stmt *stmt, struct action_list *list)
{
	const char *word = stmt->verb.word.text;

	for (size_t i = 0; word && i < ARRAY_LEN(verbs); i++) {
		if (!strcmp(word, verbs[i].word)) {
			verbs[i].check(check, stmt, list);
			return;
		}
	}
	if (word)
		check_later(check, stmt->verb.word.span, "`%s`", word);
}
