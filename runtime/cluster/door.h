/* A way into a cluster that runs workflows. Three implementations with one meaning: the Kubernetes API (door_kube.c), the Argo
 * server (door_argo.c), the Kubeflow Pipelines API (door_kfp.c). Who holds a door need not know which.
 *
 * Calls that return int wait for their answer, can be stopped by the user (the limits given to the door), have deadlines, and on
 * failure return -1 with *ret_failure set: what happened, the next thing to try. Watches and logs never block: they live on the
 * door's `http`, and whoever calls its `poll` carries them on. What a door cannot do is a failure that says so and which door can. */
#ifndef RUNTIME_CLUSTER_DOOR_H
#define RUNTIME_CLUSTER_DOOR_H

#include "base/arena.h"
#include "base/value.h"
#include "runtime/cluster/kube.h"
#include "runtime/cluster/workflow.h"

enum door_kind { DOOR_KUBE, DOOR_ARGO, DOOR_KFP };

#define DOOR_TOKEN_LABEL "lateen.dev/run" /* of our workflows: the run's id, a UUID; the same on pods */

/* A run on the cluster. Texts live in the caller's arena. */
struct door_run {
	const char *id; /* KFP: the run's id; else the Workflow's uid */
	const char *name; /* of the Workflow object; KFP: "" until it is known */
	const char *display; /* the name that people gave it, or NULL */
	const char *namespace_;
	const char *token; /* our id of it, or NULL: others started it */
	enum phase phase;
	int64_t created_ms;
};

/* What is submitted. The same token twice is one run: the door looks for it before it sends a second time. */
struct door_submission {
	const struct value *workflow; /* of target_compile; without a name of its own */
	const char *name; /* of the Workflow, chosen by the client: a DNS label of at most 63; KFP: the run's name */
	const char *token;
	const char *const (*args)[2]; /* parameters by name and text, over the workflow's own */
	size_t n_args;
	const char *experiment; /* KFP: made if it is not there; NULL: Default. Elsewhere a label */
	const char *pipeline_version; /* KFP: run that uploaded version instead of the workflow; or NULL */
};

struct door_list {
	const char *name; /* only the one of this name (or id); NULL: all */
	const char *token; /* only the one of this token; NULL: all */
	size_t max;
};

enum door_control { DOOR_STOP, DOOR_TERMINATE, DOOR_SUSPEND, DOOR_RESUME, DOOR_DELETE };

/* A recurring run. */
struct door_schedule {
	const char *name;
	const char *cron; /* five fields */
	const char *timezone; /* or NULL */
	int64_t concurrency; /* at most so many at once */
	bool catch_up;
};

/* Who is told of a watch. */
struct door_watcher {
	/* The model has taken over a new state. */
	void (*changed)(void *context, const size_t *places, size_t n, bool head);
	/* The connection is lost (failure) or there again (NULL); the watch goes on by itself in either case. */
	void (*reached)(void *context, const struct api_failure *failure);
	/* It cannot go on: the right was taken away, the server is another. The last call. */
	void (*failed)(void *context, const struct api_failure *failure);
	void *context;
};

struct door_watch;
struct door_log;

/* Who is told of a log. */
struct door_log_listener {
	void (*came)(void *context, const char *bytes, size_t n);
	void (*ended)(void *context, const struct api_failure *failure); /* NULL: it is whole. The last call */
	void *context;
};

struct door_log_request {
	struct door_run run;
	const char *node; /* the Pod node's id */
	const char *pod; /* its name if known, or NULL */
	const char *container; /* "main" */
	bool follow;
	const char *since; /* RFC 3339: only what came after; or NULL */
	size_t have; /* bytes of it that the caller has: of a log without times they are left out */
	bool timestamps; /* each line begins with its time, RFC 3339 and a blank, where its server knows it (an archived log has none) */
};

struct door;

struct door_ops {
	enum door_kind kind;
	void (*free)(struct door *door);
	/* "v3.7.18", "2.17.0": what is there; and whether it is what it should be. */
	int (*probe)(struct door *door, struct arena *arena, const char **ret_version, struct api_failure *ret_failure);
	int (*submit)(struct door *door, const struct door_submission *submission, struct arena *arena, struct door_run *ret,
		      struct api_failure *ret_failure);
	int (*list)(struct door *door, const struct door_list *which, struct arena *arena, struct door_run **ret, size_t *ret_n,
		    struct api_failure *ret_failure);
	int (*control)(struct door *door, const struct door_run *run, enum door_control what, struct api_failure *ret_failure);
	/* Runs again what failed; with `from`, that step (a task's display name) and all after it, too. */
	int (*retry)(struct door *door, const struct door_run *run, const char *from, struct api_failure *ret_failure);
	/* The whole object, a Dict in the arena. */
	const struct value *(*object)(struct door *door, const struct door_run *run, struct arena *arena, struct api_failure *ret_failure);
	/* *ret_id: of the pipeline version, or the name of the WorkflowTemplate. */
	int (*upload)(struct door *door, const char *name, const struct value *workflow, struct arena *arena, const char **ret_id,
		      struct api_failure *ret_failure);
	int (*schedule)(struct door *door, const struct door_submission *submission, const struct door_schedule *schedule,
			struct arena *arena, const char **ret_id, struct api_failure *ret_failure);
	/* The page of the run in the server's own pages; NULL: there is none that we know. */
	const char *(*page)(struct door *door, const struct door_run *run, struct arena *arena);
	/* One artifact's bytes; the node's id and the output's name. -1 also when it is longer than max. */
	int (*artifact)(struct door *door, const struct door_run *run, const char *node, const char *name, size_t max, struct buf *ret,
			struct api_failure *ret_failure);
	struct door_watch *(*watch)(struct door *door, const struct door_run *run, struct workflow_model *model,
				    const struct door_watcher *watcher);
	void (*unwatch)(struct door *door, struct door_watch *watch); /* NULL is fine */
	struct door_log *(*log)(struct door *door, const struct door_log_request *request, const struct door_log_listener *listener);
	void (*unlog)(struct door *door, struct door_log *log); /* NULL is fine */
};

/* What all doors have; implementations begin with it. */
struct door {
	const struct door_ops *ops;
	struct http *http; /* borrowed; its poll carries watches and logs on */
	struct kube *kube; /* of DOOR_KUBE, and beside the others where a kubeconfig is known: pods, events, nodes; or NULL; borrowed */
	const char *namespace_; /* where runs live; "" where the server has no notion of it */
};

void door_free(struct door *door); /* NULL is fine */

/* Borrow http and kube. Never NULL. */
struct door *door_kube_new(struct http *http, struct kube *kube, const char *namespace_);
/* The Argo server whose pages show the runs, for `page`; only of a door of door_kube_new. */
void door_kube_set_page(struct door *door, const char *url);

#endif
