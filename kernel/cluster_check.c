#include "config.h"

#include "kernel/cluster_check.h"

#include <string.h>

#include "dsl/target.h"
#include "kernel/target.h"
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

/* The first step that the template is for. */
static const struct plan_step *
step_of(const struct plan *plan, const struct target_report *report, const char *template)
{
	for (size_t i = 0; template && i < plan->n_steps; i++)
		if (report->steps[i].template && strcmp(report->steps[i].template, template) == 0)
			return &plan->steps[i];
	return NULL;
}

/* ---- findings ---- */

static void
add_finding(struct diags *diags, const struct cluster_check *request, const struct target_report *report,
	    const struct preflight_finding *finding)
{
	const struct plan_step *step = step_of(request->plan, report, finding->template);
	struct diag *d = diags_add(diags, codes[finding->kind], step ? step->name_span : request->span, "%s", finding->what);

	if (step)
		diag_primary(diags, d, "for this step");
	if (finding->why)
		diag_note(diags, d, "%s", finding->why);
	if (finding->how && *finding->how)
		diag_help(diags, d, "%s", finding->how);
}

static void
summarize(const struct cluster_check *request, const struct target_door *target, const char *namespace_, const char *version, bool warned,
	  struct buf *ret)
{
	const struct cluster *cluster = target->cluster;
	const char *server = cluster->kfp ? cluster->kfp : cluster->argo ? cluster->argo : target->config->server;

	if (target->chosen)
		buf_printf(ret, "%s: %s\n", cluster->name, target->chosen);
	buf_printf(ret, "%s on %s (%s%s%s%s%s): %s would stop it\n", request->plan->name, cluster->name, server, version && *version ? ", " : "",
		version ? version : "", *namespace_ ? ", namespace " : "", namespace_, warned ? "nothing that is certain" : "nothing");
}

/* Whatever the server can say of it, and Kubernetes beside it. Returns -1 when the user stopped it. */
static int
look(const struct cluster_check *request, const struct target_door *target, const char *namespace_, const struct value *workflow,
     const struct target_report *report, struct diags *diags, const char **ret_version)
{
	bool kube = target->door->ops->kind == DOOR_KUBE, stopped = false;
	struct preflight preflight;

	if (kube)
		preflight_run(&preflight, target->kube, namespace_, workflow);
	else
		preflight_door(&preflight, target->door, workflow);
	for (size_t i = 0; i < preflight.findings.n; i++) {
		const struct preflight_finding *finding = &preflight.findings.items[i];

		if (finding->kind == PREFLIGHT_STOPPED)
			stopped = true;
		else if (finding->kind != PREFLIGHT_INSECURE) /* said when the way in was opened */
			add_finding(diags, request, report, finding);
	}
	if (preflight.version)
		*ret_version = arena_printf(target->arena, "%s%s", kube ? "Kubernetes " : "", preflight.version);
	preflight_release(&preflight);
	return stopped ? -1 : 0;
}

static void
note_unseen(const struct cluster_check *request, const struct target_door *target, struct diags *diags)
{
	struct diag *d = diags_add(diags, DIAG_L1008, request->span, "whether service accounts, Secrets and nodes are there was not looked at on `%s`",
		target->cluster->name);

	diag_help(diags, d, "its server does not tell: give the cluster `context \"…\"` or `kubeconfig \"…\"` beside the address");
}

static int
check_there(const struct cluster_check *request, const struct target_door *target, struct diags *diags, struct buf *ret_summary)
{
	bool kfp = target->door->ops->kind == DOOR_KFP;
	const char *namespace_ = *target->door->namespace_ ? target->door->namespace_ : target->cluster->namespace_ ? target->cluster->namespace_ :
				 kfp && target->kube ? "kubeflow" : "";
	const char *version = NULL;
	struct target_report report;
	const struct value *workflow = target_compile(target->arena, request->plan, kfp ? TARGET_KFP : TARGET_ARGO, diags, &report);
	int rc;

	if (!workflow)
		return 0;
	rc = look(request, target, namespace_, workflow, &report, diags, &version);
	if (rc == 0 && !target->kube && !diags->n_errors)
		note_unseen(request, target, diags);
	if (rc == 0 && !diags->n_errors)
		summarize(request, target, namespace_, version, diags->n_warnings, ret_summary);
	return rc;
}

int
cluster_check(const struct cluster_check *request, struct diags *diags, struct buf *ret_summary)
{
	const struct target_request where = { .cluster = request->cluster, .span = request->span, .stop = request->stop,
					      .context = request->context };
	struct target_door target;
	size_t errors = diags->n_errors;
	int rc = 0;

	if (target_open(&target, &where, diags) == 0)
		rc = check_there(request, &target, diags, ret_summary);
	else if (diags->n_errors == errors)
		rc = -1;
	target_close(&target);
	return rc;
}
