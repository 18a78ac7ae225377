/* Verbs about runs, wherever they are. */
#include "config.h"

#include "dsl/check_verb.h"

#include <stdint.h>
#include <string.h>

enum { PORT_MAX = 65535 };

/* What the verb is about: a run's handle or its name, or a step's. */
struct subject {
	const struct expr *expr;
	const char *text;
	struct handle handle;
};

static bool
subject_of(struct check *check, const struct ast_stmt *stmt, const struct ast_expr *arg, bool steps, struct subject *ret)
{
	*ret = (struct subject){ 0 };
	if (!arg || arg->kind == AST_POISON)
		return false;
	if (arg->kind == AST_STRING || arg->kind == AST_RAW) {
		ret->text = check_text(check, check->arena, arg, "the name of a run");
		return ret->text != NULL;
	}
	ret->expr = check_variable_expr(check, arg, &ret->handle);
	if (!ret->expr)
		return false;
	if (ret->handle.kind == HANDLE_RUN || (steps && ret->handle.kind == HANDLE_STEP))
		return true;
	diags_add(check->diags, DIAG_L0216, arg->span, "`%s` wants a run%s, not %s", stmt->verb.word.text,
		steps ? " or a run's step" : "", ret->handle.kind == HANDLE_STEP ? "a step" : type_text(check->arena, ret->expr->type));
	return false;
}

/* The action for what stands first behind the verb, and the cluster behind `on`; NULL after a complaint. */
static struct action *
about(struct check *check, const struct ast_stmt *stmt, enum action_kind kind, bool steps, struct action_list *list, struct handle *ret_handle)
{
	const struct ast_expr *arg = stmt->verb.n_args ? stmt->verb.args[0] : NULL;
	struct subject subject;
	const struct cluster *cluster;
	bool there;
	const struct ast_expr *target = verb_clause(&stmt->verb, "on", &there);
	struct action *a;

	if (!subject_of(check, stmt, arg, steps, &subject))
		return NULL;
	cluster = there ? cluster_of(check, target) : NULL;
	if (there && !cluster)
		return NULL;
	if (cluster && subject.expr) {
		struct diag *d = diags_add(check->diags, DIAG_L0216, target->span, "where the run `%s` is, is known", verb_dotted(check, arg));

		diag_help(check->diags, d, "leave `on %s` out; it is for runs that are named by a text", cluster->name);
		return NULL;
	}
	a = add_action(list, kind, stmt->span);
	a->expr = subject.expr;
	a->text = subject.text;
	a->cluster = cluster;
	if (ret_handle)
		*ret_handle = subject.handle;
	return a;
}

void
verb_logs(struct check *check, const struct ast_stmt *stmt, struct action_list *list)
{
	bool follow, there;
	const struct ast_expr *last = verb_clause(&stmt->verb, "last", &there);
	const char *grep = verb_clause_text(check, &stmt->verb, "grep");
	struct action *a = about(check, stmt, ACTION_LOGS, true, list, NULL);

	verb_clause(&stmt->verb, "follow", &follow);
	if (!a)
		return;
	a->flag = follow;
	a->grep = grep;
	a->last = last && last->kind == AST_INTEGER ? last->integer : -1;
}

void
verb_stop(struct check *check, const struct ast_stmt *stmt, struct action_list *list)
{
	about(check, stmt, ACTION_STOP, false, list, NULL);
}

void
verb_delete(struct check *check, const struct ast_stmt *stmt, struct action_list *list)
{
	about(check, stmt, ACTION_DELETE, false, list, NULL);
}

void
verb_suspend(struct check *check, const struct ast_stmt *stmt, struct action_list *list)
{
	about(check, stmt, ACTION_SUSPEND, false, list, NULL);
}

void
verb_resume(struct check *check, const struct ast_stmt *stmt, struct action_list *list)
{
	about(check, stmt, ACTION_RESUME, false, list, NULL);
}

void
verb_wait(struct check *check, const struct ast_stmt *stmt, struct action_list *list)
{
	about(check, stmt, ACTION_WAIT, false, list, NULL);
}

void
verb_open(struct check *check, const struct ast_stmt *stmt, struct action_list *list)
{
	about(check, stmt, ACTION_OPEN, false, list, NULL);
}

void
verb_tensorboard(struct check *check, const struct ast_stmt *stmt, struct action_list *list)
{
	about(check, stmt, ACTION_TENSORBOARD, true, list, NULL);
}

/* The name of the handle that the verb is about: it means the run as it is seen from then on. */
static const char *
same_handle(const struct action *a)
{
	return a->expr && a->expr->kind == EXPR_VARIABLE && a->expr->n_items == 1 ? a->expr->path[0] : NULL;
}

void
verb_retry(struct check *check, const struct ast_stmt *stmt, struct action_list *list)
{
	bool there;
	const struct ast_expr *from = verb_clause(&stmt->verb, "from", &there);
	const char *step = from && from->kind == AST_NAME ? from->name.text : NULL;
	struct handle handle = { 0 };
	struct action *a = about(check, stmt, ACTION_RETRY, false, list, &handle);
	struct diag *d;

	if (!a)
		return;
	a->text2 = step;
	a->bind = same_handle(a);
	if (step && handle.plan && plan_step_index(handle.plan, step) == SIZE_MAX) {
		const char **names = arena_alloc(check->arena, (handle.plan->n_steps + 1) * sizeof(*names));

		for (size_t i = 0; i < handle.plan->n_steps; i++)
			names[i] = handle.plan->steps[i].name;
		d = diags_add(check->diags, DIAG_L0204, from->span, "the run has no step named `%s`", step);
		diag_near(check->diags, d, "step", from->span, step, names, handle.plan->n_steps);
	}
}

/* `forward r.webapp 8080` */
void
verb_forward(struct check *check, const struct ast_stmt *stmt, struct action_list *list)
{
	const struct ast_expr *port = stmt->verb.n_args > 1 ? stmt->verb.args[1] : NULL;
	struct handle handle = { 0 };
	struct action *a = about(check, stmt, ACTION_FORWARD, true, list, &handle);
	struct diag *d;

	if (!a || !port || port->kind != AST_INTEGER)
		return;
	a->last = port->integer;
	if (port->integer < 1 || port->integer > PORT_MAX)
		diags_add(check->diags, DIAG_L0406, port->span, "a port is a number from 1 to %d", PORT_MAX);
	if (handle.kind == HANDLE_RUN || (a->text && !strchr(a->text, '.') && !strchr(a->text, '/'))) {
		d = diags_add(check->diags, DIAG_L0216, stmt->verb.args[0]->span, "`forward` wants a step of a run, for a port is one of its pod");
		diag_help(check->diags, d, "write `forward R.STEP %d`", (int)port->integer);
	}
}

void
verb_runs(struct check *check, const struct ast_stmt *stmt, struct action_list *list)
{
	bool there;
	const struct ast_expr *target = verb_clause(&stmt->verb, "on", &there);
	const struct cluster *cluster = there ? cluster_of(check, target) : NULL;

	if (!there || cluster)
		add_action(list, ACTION_RUNS, stmt->span)->cluster = cluster;
}

/* ---- verbs that make a run ---- */

void
verb_attach(struct check *check, const struct ast_stmt *stmt, struct action_list *list)
{
	struct handle handle = { 0 };
	struct action *a = about(check, stmt, ACTION_ATTACH, false, list, &handle);

	if (a)
		a->bind = stmt->name.text ? stmt->name.text : same_handle(a);
	check_bind_run(check, &stmt->name, handle.plan);
}

/* Named arguments of what has no declaration: all by name, whatever values. */
static bool
loose_args(struct check *check, const struct ast_expr *call, struct action *a)
{
	const char **names = arena_alloc(check->arena, (call->n_entries + 1) * sizeof(*names));
	const struct expr **args = arena_alloc(check->arena, (call->n_entries + 1) * sizeof(*args));
	bool good = true;
	struct diag *d;

	for (size_t i = 0; i < call->n_entries; i++) {
		const struct ast_entry *entry = &call->entries[i];
		const struct expr *e = entry->value ? check_variable_expr(check, entry->value, NULL) : NULL;

		names[i] = entry->key.text;
		args[i] = e;
		good = good && e && check_is_value(check, e);
		if (!entry->key.text && e) {
			d = diags_add(check->diags, DIAG_L0306, entry->value->span, "here every argument has a name");
			diag_help(check->diags, d, "write `PARAMETER: value`");
			good = false;
		}
		for (size_t k = 0; k < i; k++) {
			if (!names[i] || !names[k] || strcmp(names[i], names[k]) != 0)
				continue;
			diags_add(check->diags, DIAG_L0304, entry->key.span, "the parameter `%s` is given twice", names[i]);
			good = false;
		}
	}
	a->names = names;
	a->args = args;
	a->n_args = call->n_entries;
	return good;
}

/* `VERB R`, or `VERB R(a: 1)`. */
static struct action *
about_with_args(struct check *check, const struct ast_stmt *stmt, enum action_kind kind, struct action_list *list, struct handle *ret_handle)
{
	const struct ast_expr *arg = stmt->verb.n_args ? stmt->verb.args[0] : NULL;
	bool call = arg && arg->kind == AST_CALL;
	struct ast_stmt inner = *stmt;
	struct ast_expr *of = call ? arg->a : NULL;
	struct action *a;

	if (call) {
		inner.verb.args = &of;
		inner.verb.n_args = 1;
	}
	a = about(check, &inner, kind, false, list, ret_handle);
	if (a && call && !loose_args(check, arg, a))
		return NULL;
	return a;
}

void
verb_clone(struct check *check, const struct ast_stmt *stmt, struct action_list *list)
{
	struct handle handle = { 0 };
	struct action *a = about_with_args(check, stmt, ACTION_CLONE, list, &handle);

	if (a)
		a->bind = stmt->name.text;
	check_bind_run(check, &stmt->name, handle.plan);
}

void
verb_submit(struct check *check, const struct ast_stmt *stmt, struct action_list *list)
{
	const struct ast_expr *arg = stmt->verb.n_args ? stmt->verb.args[0] : NULL;
	const struct ast_expr *what = arg && arg->kind == AST_CALL ? arg->a : arg;
	struct action *a;
	struct diag *d;

	check_bind_run(check, &stmt->name, NULL);
	if (what && what->kind != AST_STRING && what->kind != AST_RAW && what->kind != AST_POISON) {
		d = diags_add(check->diags, DIAG_L0216, what->span, "`submit` wants the path or the URL of a package, as a text");
		diag_help(check->diags, d, "a pipeline of this notebook is started by `start P(…) on TARGET`");
		return;
	}
	a = about_with_args(check, stmt, ACTION_SUBMIT, list, NULL);
	if (a)
		a->bind = stmt->name.text;
}
