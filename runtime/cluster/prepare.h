/* What a cluster needs before its first run, as a list: what is there, what is missing, and with `apply` what was made. What only a
 * cloud's own tool or a person can do (a cluster, pools of nodes, a bucket, the text of a secret) is on the list with the command.
 *
 * What is made bears the label `lateen.dev/made-by: prepare`, and nothing that is there is changed. Rights are the least with which
 * the executor of that version of Argo can work. No secret's text is asked for or looked at. */
#ifndef RUNTIME_CLUSTER_PREPARE_H
#define RUNTIME_CLUSTER_PREPARE_H

#include "runtime/cluster/kube.h"

#define PREPARE_LABEL "lateen.dev/made-by"
#define PREPARE_LABEL_VALUE "prepare"
#define PREPARE_ACCOUNT "pipeline-runner" /* Kubeflow's name for it */
#define PREPARE_ROLE "lateen-runner" /* of the Role and the RoleBinding */
#define PREPARE_DRIVER_URL                                                                                                     \
	"https://raw.githubusercontent.com/GoogleCloudPlatform/container-engine-accelerators/master/nvidia-driver-installer/cos/" \
	"daemonset-preloaded.yaml"

enum { PREPARE_DRIVER_MAX = 256 * 1024 }; /* bytes of that file */

enum prepare_state {
	PREPARE_THERE, /* nothing is to be done */
	PREPARE_MISSING, /* `apply` would make it */
	PREPARE_MADE,
	PREPARE_YOURS, /* it cannot be made from here: `command` says how */
	PREPARE_UNSEEN, /* it could not be looked at: `note` says why, `help` how that is mended */
	PREPARE_FAILED, /* it was to be made and could not be: as above */
};

struct prepare_item {
	enum prepare_state state;
	const char *what; /* "the namespace `ml`" */
	const char *note; /* what was seen, or why it is needed; or NULL */
	const char *help; /* the next thing to try; or NULL */
	const char *command; /* to be typed, with \n between several; words in capitals are to be filled in; or NULL */
	const struct value *manifest; /* the object that was or would be made; or NULL */
};

struct prepare_request {
	struct kube *kube;
	const char *namespace_; /* NULL or "": the kubeconfig's */
	const char *account; /* the service account that runs work as; NULL: PREPARE_ACCOUNT */
	const struct value *workflow; /* a compiled pipeline whose Secrets are looked for; or NULL */
	bool apply;
};

struct prepare {
	struct arena *arena; /* of all that follows */
	VEC(struct prepare_item) items;
	size_t n_asked; /* questions that were sent */
};

/* The list. -1 with *ret_failure set when the cluster cannot be reached or the user wants an end; the list then holds what can be
 * said without it. Release it in either case. */
int prepare_run(struct prepare *ret, const struct prepare_request *request, struct api_failure *ret_failure);
void prepare_release(struct prepare *prepare);
const char *prepare_state_name(enum prepare_state state); /* "there", "missing", "made", "yours to do", "not looked at", "failed" */

/* The parts of a context that gcloud wrote, "gke_PROJECT_LOCATION_NAME"; false for any other. Texts are the arena's. */
struct prepare_gke {
	const char *project, *location, *name;
	const char *region; /* the location, or the region that the zone lies in */
};

bool prepare_read_gke(struct arena *arena, const char *context, struct prepare_gke *ret);

#endif
