/* As whom the run's pods work, and what they may: the least with which Argo's executor can report what a step came to. */
#include "config.h"

#include <string.h>

#include "runtime/cluster/edit.h"
#include "runtime/cluster/prepare_private.h"

#define RBAC "/apis/rbac.authorization.k8s.io/v1"

static const struct value *
texts(struct arena *arena, const char *a, const char *b, const char *c)
{
	const struct value *items[3];
	size_t n = 0;

	if (a)
		items[n++] = value_string(arena, a);
	if (b)
		items[n++] = value_string(arena, b);
	if (c)
		items[n++] = value_string(arena, c);
	return value_list(arena, items, n);
}

static const struct value *
rule(struct arena *arena, const char *group, const char *resource, const char *a, const char *b, const char *c)
{
	return edit_dict(arena, "apiGroups", texts(arena, group, NULL, NULL), "resources", texts(arena, resource, NULL, NULL), "verbs",
		texts(arena, a, b, c), NULL);
}

/* Since Argo 3.4 pods report through objects of their own; before that they changed themselves. */
static const struct value *
role_of(struct preparing *p)
{
	const struct value *rules[2];
	size_t n = 0;

	if (p->task_results) {
		rules[n++] = rule(p->arena, "argoproj.io", "workflowtaskresults", "create", "patch", NULL);
	} else {
		rules[n++] = rule(p->arena, "", "pods", "get", "watch", "patch");
		rules[n++] = rule(p->arena, "", "pods/log", "get", "watch", NULL);
	}
	return prepare_manifest(p->arena, "rbac.authorization.k8s.io/v1", "Role", PREPARE_ROLE, p->namespace_,
		edit_dict(p->arena, "rules", value_list(p->arena, rules, n), NULL));
}

static const struct value *
binding_of(struct preparing *p)
{
	const struct value *subject = edit_texts(p->arena, "kind", "ServiceAccount", "name", p->account, "namespace", p->namespace_, NULL);

	return prepare_manifest(p->arena, "rbac.authorization.k8s.io/v1", "RoleBinding", PREPARE_ROLE, p->namespace_,
		edit_dict(p->arena, "roleRef", edit_texts(p->arena, "apiGroup", "rbac.authorization.k8s.io", "kind", "Role", "name", PREPARE_ROLE, NULL),
			"subjects", value_list(p->arena, &subject, 1), NULL));
}

/* Some other binding may give the account its right: Kubeflow's does. */
static bool
has_right(struct preparing *p)
{
	const struct api_right right = { "create", "authorization.k8s.io", "subjectaccessreviews", NULL };
	const struct value *what = edit_texts(p->arena, "namespace", p->namespace_, "verb", p->task_results ? "create" : "patch", "group",
		p->task_results ? "argoproj.io" : "", "resource", p->task_results ? "workflowtaskresults" : "pods", NULL);
	const struct value *who = value_string(p->arena, arena_printf(p->arena, "system:serviceaccount:%s:%s", p->namespace_, p->account));
	const struct value *group = value_string(p->arena, "system:serviceaccounts"), *groups[2], *answer, *allowed;

	groups[0] = group;
	groups[1] = value_string(p->arena, arena_printf(p->arena, "system:serviceaccounts:%s", p->namespace_));
	answer = prepare_ask(p, "POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews",
		edit_dict(p->arena, "apiVersion", value_string(p->arena, "authorization.k8s.io/v1"), "kind",
			value_string(p->arena, "SubjectAccessReview"), "spec",
			edit_dict(p->arena, "resourceAttributes", what, "user", who, "groups", value_list(p->arena, groups, 2), NULL), NULL), &right);
	allowed = value_get(value_get(answer, "status"), "allowed");
	return allowed && allowed->kind == VALUE_BOOLEAN && allowed->boolean;
}

void
prepare_rights(struct preparing *p)
{
	const struct prepare_object account = { "/api/v1", "serviceaccounts", p->namespace_, p->account };
	const struct prepare_object role = { RBAC, "roles", p->namespace_, PREPARE_ROLE };
	const struct prepare_object binding = { RBAC, "rolebindings", p->namespace_, PREPARE_ROLE };
	const char *in = p->namespace_;

	prepare_want(p, &account, arena_printf(p->arena, "the service account `%s`", p->account),
		prepare_manifest(p->arena, "v1", "ServiceAccount", p->account, in, NULL),
		arena_printf(p->arena, "kubectl create serviceaccount %s -n %s", p->account, in));
	if (!p->no_namespace && has_right(p)) {
		prepare_add(p, PREPARE_THERE, arena_printf(p->arena, "the right of `%s` to report what a step came to", p->account));
		return;
	}
	prepare_want(p, &role, "the Role `" PREPARE_ROLE "`, the least that a step's pod needs", role_of(p),
		arena_printf(p->arena, p->task_results ?
			"kubectl create role " PREPARE_ROLE " -n %s --verb=create,patch --resource=workflowtaskresults.argoproj.io" :
			"kubectl create role " PREPARE_ROLE " -n %s --verb=get,watch,patch --resource=pods,pods/log", in));
	prepare_want(p, &binding, arena_printf(p->arena, "the RoleBinding `" PREPARE_ROLE "` of it to `%s`", p->account), binding_of(p),
		arena_printf(p->arena, "kubectl create rolebinding " PREPARE_ROLE " -n %s --role=" PREPARE_ROLE " --serviceaccount=%s:%s", in, in,
			p->account));
}
