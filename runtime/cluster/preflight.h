/* All that would stop a workflow on a cluster, found without starting it: is the cluster there, has it Argo, may we create
 * workflows, does the API server take this one (a strict dry run), is it too large, are the things it names there, does the namespace
 * allow what it asks for, could its pods be placed, would anything take it up.
 *
 * It changes nothing: what is sent is dry runs, reviews and reads. What may not be looked at is a finding of its own, not silence.
 * Of a Secret only the names of its keys are looked at; its answer is wiped.
 *
 * Over the Kubernetes API it takes three round trips, however much the workflow names: the first question by itself, all others at
 * once (PREFLIGHT_AT_ONCE of them on the way), and one more where the cluster has more than PREFLIGHT_NODES_PAGE nodes (for each
 * further page) or shows no controller. */
#ifndef RUNTIME_CLUSTER_PREFLIGHT_H
#define RUNTIME_CLUSTER_PREFLIGHT_H

#include "runtime/cluster/door.h"

enum preflight_kind {
	PREFLIGHT_UNREACHABLE,
	PREFLIGHT_DENIED, /* 401, 403 on what a run needs */
	PREFLIGHT_NO_ARGO, /* no Argo Workflows there, or no Kubernetes */
	PREFLIGHT_REFUSED, /* by the dry run */
	PREFLIGHT_MISSING, /* namespace, service account, secret, config map, key, claim, storage class */
	PREFLIGHT_NO_NODE, /* no node could take it now; more may come by themselves */
	PREFLIGHT_UNSEEN, /* could not be looked at */
	PREFLIGHT_INSECURE, /* the kubeconfig does not ask for the server's certificate */
	PREFLIGHT_STOPPED, /* by the user */
	PREFLIGHT_TOO_LARGE, /* the object; Argo or etcd takes none such */
	PREFLIGHT_LARGE, /* it is near that, and grows as it runs */
	PREFLIGHT_NOT_ALLOWED, /* a quota or limit range of the namespace never lets such a pod in */
	PREFLIGHT_FULL, /* the quota is used up for now */
	PREFLIGHT_NO_COMMAND, /* only the image says what it runs, and Argo must ask its registry */
	PREFLIGHT_NO_REPOSITORY, /* files are passed on, and no artifact repository is configured that we know */
	PREFLIGHT_PARAMETER, /* it is used and not declared, or has no value */
	PREFLIGHT_NO_CONTROLLER, /* nothing seems to take up workflows */
	PREFLIGHT_NOT_TAKEN, /* Kubeflow takes no such pipelines, or no parameters that long */
};

enum {
	PREFLIGHT_FINDINGS_MAX = 100, PREFLIGHT_NODES_PAGE = 200, PREFLIGHT_NODES_MAX = 20000,
	PREFLIGHT_AT_ONCE = 12, /* questions that are on the way at the same time */
	PREFLIGHT_OBJECT_MAX = 1024 * 1024, /* bytes of an object as JSON; Argo's MAX_WORKFLOW_SIZE, which counts the status too */
	PREFLIGHT_IDLE = 60, /* seconds that a workflow may stay untouched before nothing seems to take it up */
};

struct preflight_finding {
	enum preflight_kind kind;
	const char *template; /* of the workflow, where it is about one; else NULL */
	const char *what, *why, *how; /* one sentence each; why may be NULL */
};

struct preflight {
	struct arena *arena; /* of all that follows */
	VEC(struct preflight_finding) findings;
	const char *version; /* of the server: "v1.35.4"; NULL if it did not say */
	size_t n_checked; /* questions that were answered */
};

/* The workflow is the object that would be created. An empty namespace means the kubeconfig's. Release it. */
void preflight_run(struct preflight *ret, struct kube *kube, const char *namespace_, const struct value *workflow);
/* The same through a door: what can be asked of that kind of server, and of the Kubernetes API beside it where it is known. */
void preflight_door(struct preflight *ret, struct door *door, const struct value *workflow);
void preflight_release(struct preflight *preflight);

#endif
