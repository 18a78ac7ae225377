#include "config.h"

#include "kernel/cluster_check.h"

#include <string.h>

#include "dsl/target.h"
#include "runtime/cluster/preflight.h"

static const enum diag_code codes[] = {
	[PREFLIGHT_UNREACHABLE] = DIAG_L1002, [PREFLIGHT_DENIED] = DIAG_L1003, [PREFLIGHT_NO_ARGO] = DIAG_L1004,
	[PREFLIGHT_REFUSED] = DIAG_L1005, [PREFLIGHT_MISSING] = DIAG_L1006, [PREFLIGHT_NO_NODE] = DIAG_L1007,
	[PREFLIGHT_UNSEEN] = DIAG_L1008, [PREFLIGHT_INSECURE] = DIAG_L1009, [PREFLIGHT_TOO_LARGE] = DIAG_L1020, [PREFLIGHT_LARGE] = DIAG_L1021,
	[PREFLIGHT_NOT_ALLOWED] = DIAG_L1022, [PREFLIGHT_FULL] = DIAG_L1023, [PREFLIGHT_NO_COMMAND] = DIAG_L1024,
	[PREFLIGHT_NO_REPOSITORY] = DIAG_L1025, [PREFLIGHT_PARAMETER] = DIAG_L1026, [PREFLIGHT_NO_CONTROLLER] = DIAG_L1027,
	[PREFLIGHT_NOT_TAKEN] = DIAG_L1028,
};

/* ---- from a template to the step ---- */

/* The task of some DAG that uses the template; NULL if none does. */
static const char *
task_of(const struct value *workflow, const char *template)
{
	const struct value *templates = value_get(value_get(workflow, "spec"), "templates");

	for (size_t i = 0; templates && templates->kind == VALUE_LIST && i < templates->list.n; i++) {
		const struct value *tasks = value_get(value_get(templates->list.items[i], "dag"), "tasks");

		for (size_t t = 0; tasks && tasks->kind == VALUE_LIST && t < tasks->list.n; t++) {
			const char *used = value_text(value_get(tasks->list.items[t], "template"));

			if (used && !strcmp(used, template))
				return value_text(value_get(tasks->list.items[t], "name"));
		}
	}
	return NULL;
}

static bool
is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static char
lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* Tasks are named after steps, in lower case and with `-` for other characters. */
static bool
is_task_of(const char *step, const char *task)
{
	for (;;) {
		while (*step && !is_plain(lower(*step)))
			step++;
		while (*task && !is_plain(*task))
			task++;
		if (!*step || lower(*step) != *task)
			return *step == *task;
		step++;
		task++;
	}
}

static const struct plan_step *
step_of(const struct plan *plan, const struct value *workflow, const char *template)
{
	const char *task = template ? task_of(workflow, template) : NULL;

	for (size_t i = 0; task && i < plan->n_steps; i++)
		if (is_task_of(plan->steps[i].name, task))
			return &plan->steps[i];
	return NULL;
}

/* ---- findings ---- */

static void
add_finding(struct diags *diags, const struct cluster_check *request, const struct value *workflow,
	    const struct preflight_finding *finding)
{
	const struct plan_step *step = step_of(request->plan, workflow, finding->template);
	struct diag *d = diags_add(diags, codes[finding->kind], step ? step->name_span : request->span, "%s", finding->what);

	if (step)
		diag_primary(diags, d, "for this step");
	if (finding->why)
		diag_note(diags, d, "%s", finding->why);
	if (finding->how && *finding->how)
		diag_help(diags, d, "%s", finding->how);
}

static void
summarize(const struct cluster_check *request, const struct kubeconfig *config, const struct preflight *preflight, bool warned,
	  struct buf *ret)
{
	const char *namespace_ = request->cluster->namespace_ ? request->cluster->namespace_ : config->namespace_;

	buf_printf(ret, "%s on %s (%s%s%s, namespace %s): %s would stop it\n", request->plan->name, request->cluster->name, config->server,
		preflight->version ? ", Kubernetes " : "", preflight->version ? preflight->version : "", namespace_,
		warned ? "nothing that is certain" : "nothing");
}

static int
check_there(const struct cluster_check *request, const struct kubeconfig *config, const struct value *workflow, struct diags *diags,
	    struct buf *ret_summary)
{
	const struct exec_plugin_limits limits = { .stop = request->stop, .context = request->context };
	struct http *http = http_curl_new();
	struct kube *kube = kube_new(config, http, &limits);
	struct preflight preflight;
	bool stopped = false;

	preflight_run(&preflight, kube, request->cluster->namespace_, workflow);
	for (size_t i = 0; i < preflight.findings.n; i++) {
		if (preflight.findings.items[i].kind == PREFLIGHT_STOPPED)
			stopped = true;
		else
			add_finding(diags, request, workflow, &preflight.findings.items[i]);
	}
	if (!stopped && !diags->n_errors)
		summarize(request, config, &preflight, diags->n_warnings, ret_summary);
	preflight_release(&preflight);
	kube_free(kube);
	http_free(http);
	return stopped ? -1 : 0;
}

int
cluster_check(const struct cluster_check *request, struct diags *diags, struct buf *ret_summary)
{
	const struct cluster *cluster = request->cluster;
	const struct kubeconfig_request where = { .path = cluster->kubeconfig, .context = cluster->context, .in_cluster = cluster->in_cluster };
	struct target_report report;
	struct kubeconfig config;
	struct arena *arena = arena_new();
	struct error err = { "" };
	const struct value *workflow = target_compile(arena, request->plan, TARGET_ARGO, diags, &report);
	struct diag *d;
	int rc = 0;

	if (kubeconfig_load(&config, &where, &err)) {
		d = diags_add(diags, DIAG_L1002, request->span, "the cluster `%s` cannot be used: %s", cluster->name, err.text);
		if (!cluster->in_cluster)
			diag_help(diags, d, "`kubectl config get-contexts` lists the contexts, and `lateen doctor` says which kubeconfig is read");
	} else if (workflow) {
		rc = check_there(request, &config, workflow, diags, ret_summary);
	}
	kubeconfig_release(&config);
	arena_free(arena);
	return rc;
}
