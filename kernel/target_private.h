/* What the parts of kernel/target*.c share. Not for others. */
#ifndef KERNEL_TARGET_PRIVATE_H
#define KERNEL_TARGET_PRIVATE_H

#include "kernel/target.h"

/* One door on its way to being opened. */
struct target_opening {
	struct target_door *ret;
	const struct target_request *request;
	struct diags *diags;
	struct cluster *cluster; /* ours: `auto` becomes what it found */
};

/* Puts what is there in place of `auto`, and says why in ret->chosen. -1 with a diagnostic added. */
int target_find(struct target_opening *opening);
/* Opens ret->kube by the cluster's kubeconfig fields. -1 with a diagnostic added. */
int target_open_kube(struct target_opening *opening);
/* With ret->kube open: what runs there, of `kind auto`; UNSET: neither. Does not complain, but of not being reached (-1). */
int target_probe_kind(struct target_opening *opening, enum cluster_kind *ret);
/* Is there the service of Kubeflow Pipelines in the namespace? */
bool target_has_kfp(struct target_opening *opening, const char *namespace_);

#endif
