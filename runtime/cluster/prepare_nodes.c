/* Nodes with GPUs and nodes that may be taken away (preemptible, spot): what is there, and the commands of the cloud's tool for the
 * rest. Labels and taints are Google's; https://cloud.google.com/kubernetes-engine/docs/how-to/gpus says how GPUs come there. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/yaml.h"
#include "runtime/cluster/edit.h"
#include "runtime/cluster/prepare_private.h"

enum { PAGE = 200, PAGES_MAX = 100 };

struct pools {
	size_t nodes, accelerated, with_gpus, preemptible, tainted;
	int64_t gpus;
	const char *untainted; /* the pool of the first preemptible node without the taint */
};

static bool
is_label(const struct value *labels, const char *key, const char *text)
{
	const char *value = value_text(value_get(labels, key));

	return value && (!text || !strcmp(value, text));
}

static bool
has_taint(const struct value *node)
{
	const struct value *taints = value_get(value_get(node, "spec"), "taints");

	for (size_t i = 0; i < value_count(taints); i++) {
		const char *key = value_text(value_get(value_item(taints, i), "key"));

		if (key && (!strcmp(key, "preemptible") || !strcmp(key, "cloud.google.com/gke-preemptible") || !strcmp(key, "cloud.google.com/gke-spot")))
			return true;
	}
	return false;
}

static void
count_node(struct preparing *p, const struct value *node, struct pools *pools)
{
	const struct value *labels = value_get(value_get(node, "metadata"), "labels");
	const char *gpus = value_text(value_get(value_get(value_get(node, "status"), "allocatable"), "nvidia.com/gpu"));
	const char *pool = value_text(value_get(labels, "cloud.google.com/gke-nodepool"));
	int64_t n = gpus ? strtoll(gpus, NULL, 10) : 0;

	pools->nodes++;
	pools->accelerated += is_label(labels, "cloud.google.com/gke-accelerator", NULL);
	pools->with_gpus += n > 0;
	pools->gpus += n > 0 ? n : 0;
	if (!is_label(labels, "cloud.google.com/gke-preemptible", "true") && !is_label(labels, "cloud.google.com/gke-spot", "true"))
		return;
	pools->preemptible++;
	if (has_taint(node))
		pools->tainted++;
	else if (!pools->untainted)
		pools->untainted = pool && !pool[strspn(pool, "abcdefghijklmnopqrstuvwxyz0123456789-")] ? arena_strdup(p->arena, pool) : "POOL";
}

static bool
count_nodes(struct preparing *p, struct pools *pools)
{
	const struct api_right right = { "list", "", "nodes", NULL };
	const char *token = NULL;

	for (unsigned i = 0; i < PAGES_MAX; i++) {
		const struct value *page = prepare_ask(p, "GET", arena_printf(p->arena, "/api/v1/nodes?limit=%d%s%s", (int)PAGE, token ? "&continue=" : "",
			token ? token : ""), NULL, &right);
		const struct value *items = value_get(page, "items");

		if (!page)
			return false;
		for (size_t n = 0; n < value_count(items); n++)
			count_node(p, value_item(items, n), pools);
		token = edit_text_in(page, "metadata", "continue");
		if (!token || !*token)
			return true;
		token = api_escaped(p->arena, token);
	}
	return true;
}

/* ---- the driver ---- */

/* Google's own manifest, from where its documents say. */
static const struct value *
fetch_driver(struct preparing *p)
{
	const struct http_request request = { .method = "GET", .url = PREPARE_DRIVER_URL, .max = PREPARE_DRIVER_MAX };
	struct http *http = kube_api(p->kube)->http;
	struct http_reply reply = { 0 };
	struct error err = { "" };
	struct yaml_problem problem = { 0 };
	struct source *source;
	struct yaml yaml = { 0 };
	const struct value *value = NULL;

	p->ret->n_asked++;
	if (http->exchange(http, &request, &reply, &err) != HTTP_ANSWERED || reply.status != 200) {
		api_refuse(p->failure, API_UNREACHABLE, "its manifest cannot be fetched: %s", *err.text ? err.text : "it is not where it was");
	} else {
		source = source_new("daemonset.yaml", buf_text(&reply.body), reply.body.len);
		if (yaml_read(p->arena, source, &yaml, &problem) || yaml.n != 1)
			api_refuse(p->failure, API_WRONG_SERVER, "its manifest cannot be read: %s", *problem.error.text ? problem.error.text : "it is another file");
		else
			value = yaml.documents[0]->value;
		source_unref(source);
	}
	http_reply_release(&reply);
	return value;
}

static void
make_driver(struct preparing *p, struct prepare_item *item)
{
	const struct value *manifest = fetch_driver(p);
	const char *kind = value_text(value_get(manifest, "kind")), *name = edit_text_in(manifest, "metadata", "name");
	const char *namespace_ = edit_text_in(manifest, "metadata", "namespace");
	const struct prepare_object object = { "/apis/apps/v1", "daemonsets", "kube-system", "nvidia-driver-installer" };

	if (!manifest) {
		prepare_blame(p, item, PREPARE_FAILED);
		return;
	}
	/* Nothing else that may stand there is made on anyone's cluster. */
	if (!kind || strcmp(kind, "DaemonSet") != 0 || !name || strcmp(name, object.name) != 0 || !namespace_ || strcmp(namespace_, "kube-system") != 0) {
		api_refuse(p->failure, API_WRONG_SERVER, "what is at the manifest's address is not the driver's daemon set");
		prepare_blame(p, item, PREPARE_FAILED);
		return;
	}
	item->manifest = edit_set(p->arena, manifest, "metadata", edit_set_in(p->arena, value_get(manifest, "metadata"), "labels", PREPARE_LABEL,
		value_string(p->arena, PREPARE_LABEL_VALUE)));
	prepare_make(p, item, &object);
}

static void
check_driver(struct preparing *p, const struct pools *pools)
{
	const struct prepare_object object = { "/apis/apps/v1", "daemonsets", "kube-system", "nvidia-driver-installer" };
	struct prepare_item *item = prepare_add(p, PREPARE_THERE, "the GPU driver");
	size_t without = pools->accelerated > pools->with_gpus ? pools->accelerated - pools->with_gpus : 0;

	if (!without) {
		item->note = "the nodes with accelerators offer GPUs";
		return;
	}
	if (prepare_is_there(p, &object)) {
		item->note = "its daemon set is there, but nodes with accelerators offer no GPUs yet: it may take minutes, "
			     "`kubectl get pods -n kube-system -l k8s-app=nvidia-driver-installer` shows how far it is";
		return;
	}
	if (p->failure->kind != API_NOT_FOUND) {
		prepare_blame(p, item, PREPARE_UNSEEN);
		return;
	}
	item->state = PREPARE_MISSING;
	item->note = arena_printf(p->arena, "%zu node%s with accelerators offer%s no GPUs: the driver is not installed", without,
		without == 1 ? "" : "s", without == 1 ? "s" : "");
	item->command = "kubectl apply -f " PREPARE_DRIVER_URL;
	if (p->request->apply)
		make_driver(p, item);
}

/* ---- pools ---- */

static const char OTHER_CLOUD[] = "make it with your cloud's own tool; its name and place are not in the kubeconfig's context";

static void
check_gpus(struct preparing *p, const struct pools *pools)
{
	struct prepare_item *item = prepare_add(p, PREPARE_THERE, "nodes with GPUs, for steps that ask for them");

	if (pools->accelerated || pools->with_gpus) {
		size_t n = pools->accelerated > pools->with_gpus ? pools->accelerated : pools->with_gpus;

		item->note = arena_printf(p->arena, "%zu of %zu, with %lld GPUs on offer", n, pools->nodes, (long long)pools->gpus);
		if (pools->accelerated)
			check_driver(p, pools);
		return;
	}
	item->state = PREPARE_YOURS;
	item->note = "there is none now; a pool that can shrink to nothing shows none until it is asked for";
	if (p->is_gke)
		item->command = arena_printf(p->arena, "gcloud container node-pools create gpu-pool --project=%s --location=%s --cluster=%s \\\n"
			"  --accelerator=type=nvidia-tesla-t4,count=1,gpu-driver-version=default --machine-type=n1-standard-8 \\\n"
			"  --enable-autoscaling --min-nodes=0 --max-nodes=1 --num-nodes=0 --scopes=cloud-platform", p->gke.project, p->gke.location, p->gke.name);
	else
		item->help = OTHER_CLOUD;
}

static void
check_preemptible(struct preparing *p, const struct pools *pools)
{
	struct prepare_item *item = prepare_add(p, PREPARE_THERE, "cheap nodes that may be taken away (preemptible, spot)");

	if (!pools->preemptible) {
		item->state = PREPARE_YOURS;
		item->note = "they are a choice; steps go there with `preemptible`, and need `retry`. The taint keeps all others away";
		if (p->is_gke)
			item->command = arena_printf(p->arena, "gcloud container node-pools create preemptible-pool --project=%s --location=%s --cluster=%s \\\n"
				"  --preemptible --node-taints=preemptible=true:NoSchedule --machine-type=n1-standard-8 \\\n"
				"  --accelerator=type=nvidia-tesla-t4,count=1,gpu-driver-version=default \\\n"
				"  --enable-autoscaling --min-nodes=0 --max-nodes=4 --num-nodes=0 --scopes=cloud-platform", p->gke.project, p->gke.location, p->gke.name);
		else
			item->help = OTHER_CLOUD;
		return;
	}
	if (!pools->untainted) {
		item->note = arena_printf(p->arena, "%zu of %zu, with the taint", pools->preemptible, pools->nodes);
		return;
	}
	item->state = PREPARE_YOURS;
	item->note = arena_printf(p->arena, "%zu of %zu, of which %zu have no taint: any step may land there, also one that cannot be tried again",
		pools->preemptible, pools->nodes, pools->preemptible - pools->tainted);
	item->command = arena_printf(p->arena, "gcloud container node-pools update %s --project=%s --location=%s --cluster=%s \\\n"
		"  --node-taints=preemptible=true:NoSchedule", pools->untainted, p->gke.project, p->gke.location, p->gke.name);
}

void
prepare_nodes(struct preparing *p)
{
	struct pools pools = { 0 };

	if (p->stopped)
		return;
	if (!count_nodes(p, &pools)) {
		prepare_blame(p, prepare_add(p, PREPARE_UNSEEN, "the cluster's nodes"), PREPARE_UNSEEN);
		return;
	}
	check_gpus(p, &pools);
	check_preemptible(p, &pools);
}

/* ---- what is outside of the cluster ---- */

void
prepare_cloud(struct preparing *p, bool reached)
{
	struct prepare_item *item;

	if (!p->is_gke)
		return;
	if (!reached) {
		item = prepare_add(p, PREPARE_YOURS, arena_printf(p->arena, "the cluster `%s`", p->gke.name));
		item->note = "it does not answer: start it, or make it";
		item->command = arena_printf(p->arena, "gcloud container clusters create %s --project=%s --location=%s \\\n"
			"  --machine-type=n1-standard-8 --num-nodes=2 --enable-autoscaling --min-nodes=1 --max-nodes=4 --scopes=cloud-platform\n"
			"gcloud container clusters get-credentials %s --project=%s --location=%s", p->gke.name, p->gke.project, p->gke.location, p->gke.name,
			p->gke.project, p->gke.location);
	}
	item = prepare_add(p, PREPARE_YOURS, "a machine for notebooks");
	item->note = "only if you want one beside the cluster";
	item->command = arena_printf(p->arena, "gcloud workbench instances create NAME --project=%s --location=%s --machine-type=n1-standard-4", p->gke.project,
		strcmp(p->gke.region, p->gke.location) != 0 ? p->gke.location : arena_printf(p->arena, "%s-a", p->gke.region));
}
