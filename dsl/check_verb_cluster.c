/* Verbs about clusters: what lies there, what begins there by itself, what they need. */
#include "config.h"

#include "dsl/check_verb.h"

#include <string.h>

static const struct cluster *
target(struct check *check, const struct ast_verb *verb, const char *word)
{
	bool there;
	const struct ast_expr *value = verb_clause(verb, word, &there);

	return there ? cluster_of(check, value) : NULL;
}

static void
whole_cluster(struct check *check, const struct ast_stmt *stmt, enum action_kind kind, struct action_list *list)
{
	const struct cluster *cluster = stmt->verb.n_args ? cluster_of(check, stmt->verb.args[0]) : NULL;
	struct action *a;

	if (!cluster)
		return;
	a = add_action(list, kind, stmt->span);
	a->cluster = cluster;
	verb_clause(&stmt->verb, "apply", &a->flag);
}

void
verb_prepare(struct check *check, const struct ast_stmt *stmt, struct action_list *list)
{
	whole_cluster(check, stmt, ACTION_PREPARE, list);
}

void
verb_cleanup(struct check *check, const struct ast_stmt *stmt, struct action_list *list)
{
	whole_cluster(check, stmt, ACTION_CLEANUP, list);
}

void
verb_upload(struct check *check, const struct ast_stmt *stmt, struct action_list *list)
{
	const struct ast_expr *arg = stmt->verb.n_args ? stmt->verb.args[0] : NULL;
	bool package = arg && (arg->kind == AST_STRING || arg->kind == AST_RAW);
	const char *text = package ? check_text(check, check->arena, arg, "a package") : NULL;
	struct plan *plan = package ? NULL : verb_plan(check, &stmt->verb);
	const struct cluster *cluster = target(check, &stmt->verb, "to");
	const char *name = verb_clause_text(check, &stmt->verb, "as");
	struct action *a;

	if (!cluster || !(text || plan))
		return;
	if (plan)
		verb_secrets_are_fixed(check, plan, stmt->span);
	a = add_action(list, ACTION_UPLOAD, stmt->span);
	a->plan = plan ? hold_plan(list, plan) : NULL;
	a->text = text;
	a->text2 = name;
	a->cluster = cluster;
}

/* The pipeline that the call names; NULL after a complaint. */
static const struct decl *
called_pipeline(struct check *check, const struct ast_expr *call)
{
	const char *text = verb_dotted(check, call->a);
	const struct decl *d = text ? check_lookup(check, text) : NULL;
	struct diag *diag;

	if (d && d->binding.kind == BINDING_PIPELINE)
		return d;
	if (text && !d) {
		unknown_callee(check, call->a->span, text, "pipeline", 1U << BINDING_PIPELINE);
	} else if (call->a->kind != AST_POISON) {
		diag = diags_add(check->diags, DIAG_L0216, call->a->span, "`schedule` wants a pipeline");
		if (d && d->binding.span.source)
			diag_label(check->diags, diag, d->binding.span, "`%s` is declared here", text);
	}
	return NULL;
}

static const char *
cron_of(struct check *check, const struct ast_stmt *stmt, const struct plan *plan)
{
	bool there;
	const struct ast_expr *value = verb_clause(&stmt->verb, "at", &there);
	const char *cron = there ? verb_clause_text(check, &stmt->verb, "at") : plan->settings->schedule;
	struct diag *d;

	if (cron && setting_is_cron(cron))
		return cron;
	if (there && !cron)
		return NULL;
	d = diags_add(check->diags, cron ? DIAG_L0406 : DIAG_L0303, value ? value->span : stmt->span,
		cron ? "this is no schedule" : "when `%s` is to run is not said", plan->name);
	diag_help(check->diags, d, "write `at \"0 3 * * *\"`: minute, hour, day, month and weekday%s",
		cron ? "" : "; or give the pipeline the setting `schedule`");
	return NULL;
}

void
verb_schedule(struct check *check, const struct ast_stmt *stmt, struct action_list *list)
{
	const struct ast_expr *call = stmt->verb.n_args ? stmt->verb.args[0] : NULL;
	const struct decl *d = call && call->kind == AST_CALL ? called_pipeline(check, call) : NULL;
	const struct cluster *cluster = target(check, &stmt->verb, "on");
	const char *name = verb_clause_text(check, &stmt->verb, "as");
	const char *timezone = verb_clause_text(check, &stmt->verb, "timezone"), *cron;
	const struct expr *const *args;
	struct plan *plan;
	struct action *a;

	if (!d || !check_pipeline_call(check, stmt, call, d, &plan, &args) || !cluster)
		return;
	check_cluster_args(check, plan, args, stmt->span);
	cron = cron_of(check, stmt, plan);
	if (!cron)
		return;
	a = add_action(list, ACTION_SCHEDULE, stmt->span);
	a->plan = hold_plan(list, plan);
	a->args = args;
	a->n_args = plan->n_params;
	a->cluster = cluster;
	a->text = arena_strdup(check->arena, cron);
	a->text2 = name;
	a->timezone = timezone;
}
