/* How a run on a cluster begins: it is made and submitted, or found. */
#include "config.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cluster/foreign.h"
#include "runtime/cluster/remote_private.h"
#include "runtime/paths.h"

enum { FOUND_MAX = 2 };

static const char *const door_names[] = { [DOOR_KUBE] = "kube", [DOOR_ARGO] = "argo", [DOOR_KFP] = "kfp" };

static int
refuse(struct remote_problem *ret, const char *code, const struct error *err, const char *help)
{
	ret->code = code;
	api_refuse(&ret->failure, API_REFUSED, "%s", err->text);
	if (help)
		api_say(ret->failure.help, "%s", help);
	return -1;
}

/* The code that fits what the cluster said; `other` for a refusal. */
static int
fail(struct remote_problem *ret, const char *other)
{
	switch (ret->failure.kind) {
	case API_STOPPED:
	case API_UNREACHABLE:
		ret->code = "L1002";
		break;
	case API_UNKNOWN_USER:
	case API_FORBIDDEN:
		ret->code = "L1003";
		break;
	case API_NOT_FOUND:
	case API_REFUSED:
		ret->code = other;
		break;
	case API_WRONG_SERVER:
		ret->code = "L1004";
		break;
	case API_TROUBLE:
		ret->code = "L1010";
		break;
	}
	ret->failure.answer = NULL;
	return -1;
}

static struct remote *
new_remote(struct door *door, const struct remote_options *options)
{
	struct remote *remote = xcalloc(1, sizeof(*remote));

	remote->door = door;
	remote->arena = arena_new();
	remote->claim = -1;
	remote->no_logs = options->no_logs;
	remote->place = (struct store_place){ .target = arena_strdup(remote->arena, options->target ? options->target : ""),
		.where = arena_strdup(remote->arena, options->where ? options->where : "{}"), .door = door_names[door->ops->kind],
		.namespace_ = "", .workflow = "", .workflow_id = "" };
	return remote;
}

static int
open_store(struct remote *remote, const struct remote_options *options, struct remote_problem *ret)
{
	CLEANUP(freep) char *project = realpath(options->project ? options->project : ".", NULL), *folder = NULL;
	struct error err = { "" };

	if (!project)
		return refuse(ret, "L0704", &(struct error){ "there is no project folder" }, NULL);
	folder = options->store ? xstrdup(options->store) : store_folder_of(project);
	remote->store = store_open(folder, false, &err);
	return remote->store ? 0 : refuse(ret, "L0704", &err, "set LATEEN_HOME to a folder that can be written");
}

/* ---- what is submitted ---- */

/* The plan with the values that were given in place of its defaults: so the compiler looks at them as at those. Shares all else. */
static struct plan *
plan_with(struct remote *remote, const struct plan *plan, const struct local_args *args)
{
	struct plan_param *params = arena_alloc(remote->arena, plan->n_params * sizeof(*params) + 1);
	struct plan *copy = arena_new_struct(remote->arena, struct plan);

	*copy = *plan;
	copy->params = params;
	for (size_t i = 0; i < plan->n_params; i++) {
		params[i] = plan->params[i];
		if (args && args->values && args->values[i])
			params[i].fallback = args->values[i];
		if (args && args->secrets && args->secrets[i])
			params[i].secret = args->secrets[i];
	}
	return copy;
}

static int
check_args(const struct plan *plan, struct remote_problem *ret)
{
	struct error err = { "" };

	for (size_t i = 0; i < plan->n_params; i++) {
		const struct plan_param *param = &plan->params[i];

		if (param->type->kind == TYPE_SECRET ? param->secret != NULL : param->fallback != NULL)
			continue;
		error_set(&err, "the parameter `%s` of `%s` has no default and was given no value", param->name, plan->name);
		return refuse(ret, "L0702", &err, NULL);
	}
	return 0;
}

static void
keep_params(struct remote *remote, const struct plan *plan)
{
	const struct value **params = arena_alloc(remote->arena, plan->n_params * sizeof(*params) + 1);

	for (size_t i = 0; i < plan->n_params; i++)
		params[i] = plan->params[i].fallback ? value_clone(remote->arena, plan->params[i].fallback) : NULL;
	remote->params = params;
}

static const struct value *
compile(struct remote *remote, const struct plan *plan, struct remote_problem *ret)
{
	enum target target = remote->door->ops->kind == DOOR_KFP ? TARGET_KFP : TARGET_ARGO;
	struct diags *diags = xcalloc(1, sizeof(*diags));
	const struct value *workflow;

	diags_init(diags);
	workflow = target_compile(remote->arena, plan, target, diags, &remote->names);
	if (!workflow && ret) {
		ret->diags = diags;
		return NULL;
	}
	diags_release(diags);
	free(diags);
	return workflow;
}

/* The arguments as they stand in the object: Kubeflow wants them beside it, when it runs what was uploaded. */
static void
fill_args(struct remote *remote, const struct value *workflow, struct door_submission *ret)
{
	const struct value *list = value_get(value_get(value_get(workflow, "spec"), "arguments"), "parameters");
	size_t n = value_count(list);
	const char *(*args)[2] = arena_alloc(remote->arena, n * sizeof(*args) + 1);

	for (size_t i = 0; i < n; i++) {
		const char *text = value_text(value_get(list->list.items[i], "value"));

		if (!text)
			continue;
		args[ret->n_args][0] = value_text(value_get(list->list.items[i], "name"));
		args[ret->n_args++][1] = text;
	}
	ret->args = (const char *const (*)[2])args;
}

static const struct value *
args_dict(struct remote *remote, const struct plan *plan)
{
	CLEANUP(freep) const char **keys = xcalloc(plan->n_params + 1, sizeof(*keys));
	CLEANUP(freep) const struct value **items = xcalloc(plan->n_params + 1, sizeof(*items));
	size_t n = 0;

	for (size_t i = 0; i < plan->n_params; i++) {
		if (plan->params[i].type->kind == TYPE_SECRET || !plan->params[i].fallback)
			continue;
		keys[n] = plan->params[i].name;
		items[n++] = plan->params[i].fallback;
	}
	return value_dict(remote->arena, keys, items, n);
}

/* ---- beginning ---- */

static void
make_run(struct remote *remote, const struct store_run *row, const struct remote_options *options)
{
	remote->run = run_new(remote->plan, row->id, row->name);
	remote->run->folder = xstrdup(row->folder);
	run_set_params(remote->run, remote->params);
	for (size_t i = 0; i < options->n_observers; i++)
		run_observe(remote->run, &options->observers[i]);
}

/* Another process that watches the run writes of it, and this one looks only, until that one is gone. */
static int
claim(struct remote *remote, const struct store_run *row, struct remote_problem *ret)
{
	struct error err = { "" };
	int taken = store_claim(remote->store, row, &remote->claim, &err);

	if (taken < 0)
		return refuse(ret, "L0704", &err, NULL);
	if (taken) {
		remote->store_folder = xstrdup(store_folder(remote->store));
		store_close(remote->store);
		remote->store = NULL;
	}
	return 0;
}

static int
keep_row(struct remote *remote, const struct plan *plan, const struct remote_options *options, struct store_run *ret_row,
	 struct remote_problem *ret)
{
	struct store_run row = { .pipeline = plan->name, .place = remote->place };
	struct error err = { "" };

	if (store_choose(remote->arena, plan->name, &row.id, &row.name, &err))
		return refuse(ret, "L0704", &err, NULL);
	if (options->name)
		row.name = arena_strdup(remote->arena, options->name);
	row.place.namespace_ = remote->door->namespace_;
	row.place.workflow = remote->door->ops->kind == DOOR_KFP ? "" : row.name;
	if (store_new_run_there(remote->store, remote->arena, &row, args_dict(remote, plan), ret_row, &err))
		return refuse(ret, "L0704", &err, NULL);
	return claim(remote, ret_row, ret);
}

static int
submit(struct remote *remote, const struct value *workflow, const struct remote_options *options, const struct store_run *row,
       struct remote_problem *ret)
{
	struct door_submission submission = { .workflow = workflow, .name = row->name, .token = row->id, .experiment = options->experiment };
	struct error err = { "" };

	fill_args(remote, workflow, &submission);
	if (!remote->door->ops->submit(remote->door, &submission, remote->arena, &remote->where, &ret->failure)) {
		remote->where.token = remote->where.token ? remote->where.token : row->id;
		return 0;
	}
	/* One of which it is not known whether it is there stays in the store, so that it can be looked for. */
	if (ret->failure.unsure)
		store_end_run(remote->store, row->id, PHASE_ERROR, ret->failure.what, NULL, remote_now(remote), &err);
	else
		store_forget_run(remote->store, row);
	return fail(ret, "L1005");
}

static int
start(struct remote *remote, struct plan *given, const struct local_args *args, const struct remote_options *options, struct remote_problem *ret)
{
	const struct plan *plan = plan_with(remote, given, args);
	const struct value *workflow;
	struct store_run row;

	remote->plan = plan_ref(given);
	if (check_args(plan, ret))
		return -1;
	workflow = compile(remote, plan, ret);
	if (!workflow || open_store(remote, options, ret) || keep_row(remote, plan, options, &row, ret) ||
	    submit(remote, workflow, options, &row, ret))
		return -1;
	keep_params(remote, plan);
	make_run(remote, &row, options);
	remote->fresh = true;
	remote_begin(remote);
	remote_keep_place(remote);
	return 0;
}

struct remote *
remote_start(struct door *door, struct plan *plan, const struct local_args *args, const struct remote_options *options,
	     struct remote_problem *ret_problem)
{
	struct remote *remote = new_remote(door, options);

	*ret_problem = (struct remote_problem){ 0 };
	if (!start(remote, plan, args, options, ret_problem))
		return remote;
	remote_free(remote);
	return NULL;
}

/* ---- attaching ---- */

/* The run on the cluster that is meant by the text. What the store knows of it says how its door knows it. */
static int
find(struct remote *remote, const char *which, const struct store_run *row, struct remote_problem *ret)
{
	struct door_list list = { .name = which, .max = FOUND_MAX };
	struct door_run *found = NULL;
	struct error ignored;
	size_t n = 0;

	if (row && *row->place.workflow_id)
		list.name = remote->door->ops->kind == DOOR_KFP || !*row->place.workflow ? row->place.workflow_id : row->place.workflow;
	else if (row)
		list = (struct door_list){ .token = row->id, .max = FOUND_MAX };
	if (remote->door->ops->list(remote->door, &list, remote->arena, &found, &n, &ret->failure))
		return fail(ret, "L1011");
	/* Under the name there may be a newer one. */
	if (n && row && *row->place.workflow_id && remote->door->ops->kind != DOOR_KFP && strcmp(found[0].id, row->place.workflow_id) != 0)
		n = 0;
	if (n) {
		remote->where = found[0];
		return 0;
	}
	api_refuse(&ret->failure, API_NOT_FOUND, "the cluster has no run `%s`%s", which, row ? " any more" : "");
	if (row)
		store_end_gone(remote->store, row, remote_now(remote), &ignored);
	if (row)
		api_say(ret->failure.help, "what was seen of it stays here: `logs %s`", row->name);
	return fail(ret, "L1011");
}

/* The plan that the workflow was made from, or one made from what the cluster knows of it. */
static int
choose_plan(struct remote *remote, struct plan *plan, struct remote_problem *ret)
{
	const struct value *object;
	struct error err = { "" };

	if (plan) {
		remote->plan = plan_ref(plan);
		if (compile(remote, plan, NULL))
			return 0;
		plan_unref(plan);
		remote->plan = NULL;
	}
	object = remote->door->ops->object(remote->door, &remote->where, remote->arena, &ret->failure);
	if (!object)
		return fail(ret, "L1011");
	remote->plan = foreign_plan(object, remote->arena, &remote->names, &err);
	return remote->plan ? 0 : refuse(ret, "L1010", &err, "name the pipeline that it was made of");
}

/* A row for a run that this store has not heard of. */
static int
adopt(struct remote *remote, struct store_run *ret_row, struct remote_problem *ret)
{
	const struct door_run *where = &remote->where;
	const char *name = *where->name ? where->name : where->display ? where->display : where->id;
	struct store_run row = { .pipeline = remote->plan->name, .place = remote->place, .started_ms = where->created_ms };
	struct error err = { "" };

	row.id = where->token ? where->token : where->id;
	row.name = paths_safe(remote->arena, name);
	row.place.namespace_ = where->namespace_;
	row.place.workflow = where->name;
	row.place.workflow_id = where->id;
	if (!store_new_run_there(remote->store, remote->arena, &row, NULL, ret_row, &err))
		return 0;
	/* The name is another's here, on another cluster perhaps. */
	row.name = arena_printf(remote->arena, "%s-%.8s", row.name, row.id);
	return store_new_run_there(remote->store, remote->arena, &row, NULL, ret_row, &err) ? refuse(ret, "L0704", &err, NULL) : 0;
}

/* The values that our own start gave it. */
static void
recall_params(struct remote *remote, const struct store_run *row)
{
	const struct value *args = store_args(remote->store, remote->arena, row->id);
	const struct value **params = arena_alloc(remote->arena, remote->plan->n_params * sizeof(*params) + 1);

	for (size_t i = 0; args && i < remote->plan->n_params; i++)
		params[i] = value_get(args, remote->plan->params[i].name);
	remote->params = params;
}

static bool
same_run(const struct store_run *row, const struct door_run *where)
{
	return (where->token && !strcmp(row->id, where->token)) || !strcmp(row->id, where->id);
}

static int
attach(struct remote *remote, const char *which, struct plan *plan, const struct remote_options *options, struct remote_problem *ret)
{
	struct store_run row;
	struct error err;
	bool known;

	if (open_store(remote, options, ret))
		return -1;
	known = !store_find(remote->store, remote->arena, which, &row, &err) && row.place.target &&
		(!strcmp(row.name, which) || !strcmp(row.id, which));
	if (find(remote, which, known ? &row : NULL, ret) || choose_plan(remote, plan, ret))
		return -1;
	if (!known)
		known = !store_find(remote->store, remote->arena, remote->where.token ? remote->where.token : remote->where.id, &row, &err) &&
			same_run(&row, &remote->where);
	if (!known && adopt(remote, &row, ret))
		return -1;
	remote->was_ended = phase_ended(row.phase);
	recall_params(remote, &row);
	make_run(remote, &row, options);
	if (claim(remote, &row, ret))
		return -1;
	remote_begin(remote);
	return 0;
}

struct remote *
remote_attach(struct door *door, const char *which, struct plan *plan, const struct remote_options *options,
	      struct remote_problem *ret_problem)
{
	struct remote *remote = new_remote(door, options);

	*ret_problem = (struct remote_problem){ 0 };
	if (!attach(remote, which, plan, options, ret_problem))
		return remote;
	remote_free(remote);
	return NULL;
}
