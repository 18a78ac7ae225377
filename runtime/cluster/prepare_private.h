/* What the parts of prepare and cleanup share; nobody else includes it. */
#ifndef RUNTIME_CLUSTER_PREPARE_PRIVATE_H
#define RUNTIME_CLUSTER_PREPARE_PRIVATE_H

#include "runtime/cluster/prepare.h"

struct preparing {
	struct prepare *ret;
	struct arena *arena; /* the list's */
	const struct prepare_request *request;
	struct kube *kube;
	const char *namespace_, *account;
	struct prepare_gke gke; /* its texts are placeholders where it is none */
	bool is_gke;
	bool no_namespace; /* it is not there, and is not made */
	bool task_results; /* this Argo's pods report by workflowtaskresults */
	struct api_failure *failure; /* of the question asked last */
	bool stopped;
};

/* An object of Kubernetes. */
struct prepare_object {
	const char *group; /* "/api/v1", "/apis/rbac.authorization.k8s.io/v1" */
	const char *plural, *namespace_, *name; /* namespace NULL: none */
};

struct prepare_item *prepare_add(struct preparing *p, enum prepare_state state, const char *what);
/* The item is UNSEEN or FAILED for what the last question came to. */
void prepare_blame(struct preparing *p, struct prepare_item *item, enum prepare_state state);
const char *prepare_path(struct arena *arena, const struct prepare_object *object, bool with_name);
/* NULL with p->failure set. */
const struct value *prepare_get(struct preparing *p, const struct prepare_object *object);
/* The same without what the object holds: a Secret's text does not come here. False with p->failure set. */
bool prepare_is_there(struct preparing *p, const struct prepare_object *object);
const struct value *prepare_ask(struct preparing *p, const char *method, const char *path, const struct value *body,
				const struct api_right *right);
/* Makes the item's manifest; its state is then MADE, THERE or FAILED. */
void prepare_make(struct preparing *p, struct prepare_item *item, const struct prepare_object *object);
/* An item for an object that is there, or is missing and made if it may be. */
void prepare_want(struct preparing *p, const struct prepare_object *object, const char *what, const struct value *manifest,
		  const char *command);
/* apiVersion, kind, metadata with our label, and the rest of `more`. */
const struct value *prepare_manifest(struct arena *arena, const char *version, const char *kind, const char *name, const char *namespace_,
				     const struct value *more);

/* prepare_rights.c, prepare_store.c, prepare_nodes.c */
void prepare_rights(struct preparing *p);
void prepare_secrets(struct preparing *p);
void prepare_bucket(struct preparing *p);
void prepare_nodes(struct preparing *p);
void prepare_cloud(struct preparing *p, bool reached);

#endif
