/* All that would stop a workflow on a cluster, found without starting it: is the cluster there, has it Argo, may we create
 * workflows, does the API server take this one (a strict dry run), are the things it names there, could its pods be placed.
 *
 * It changes nothing: what is sent is dry runs, reviews and reads. What may not be looked at is a finding of its own, not silence.
 * Of a Secret only the names of its keys are looked at; its answer is wiped. */
#ifndef RUNTIME_CLUSTER_PREFLIGHT_H
#define RUNTIME_CLUSTER_PREFLIGHT_H

#include "runtime/cluster/kube.h"

enum preflight_kind {
	PREFLIGHT_UNREACHABLE,
	PREFLIGHT_DENIED, /* 401, 403 on what a run needs */
	PREFLIGHT_NO_ARGO, /* no Argo Workflows there, or no Kubernetes */
	PREFLIGHT_REFUSED, /* by the dry run */
	PREFLIGHT_MISSING, /* namespace, service account, secret, config map, key */
	PREFLIGHT_NO_NODE, /* no node could take it now; more may come by themselves */
	PREFLIGHT_UNSEEN, /* could not be looked at */
	PREFLIGHT_INSECURE, /* the kubeconfig does not ask for the server's certificate */
	PREFLIGHT_STOPPED, /* by the user */
};

enum { PREFLIGHT_FINDINGS_MAX = 100, PREFLIGHT_NODES_PAGE = 200, PREFLIGHT_NODES_MAX = 20000 };

struct preflight_finding {
	enum preflight_kind kind;
	const char *template; /* of the workflow, where it is about one; else NULL */
	const char *what, *why, *how; /* one sentence each; why may be NULL */
};

struct preflight {
	struct arena *arena; /* of all that follows */
	VEC(struct preflight_finding) findings;
	const char *version; /* of the API server: "v1.35.4"; NULL if it did not say */
	size_t n_checked; /* questions that were answered */
};

/* The workflow is the object that would be created. An empty namespace means the kubeconfig's. Release it. */
void preflight_run(struct preflight *ret, struct kube *kube, const char *namespace_, const struct value *workflow);
void preflight_release(struct preflight *preflight);

#endif
