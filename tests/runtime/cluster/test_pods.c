/* The pods of a workflow that wait, over recorded replies. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cluster/kube.h"
#include "runtime/cluster/pods.h"
#include "tests/runtime/cluster/recorded.h"
#include "tests/tap.h"

#define PODS "/api/v1/namespaces/ml/pods?labelSelector=workflows.argoproj.io%2Fworkflow%3Dw"
#define EVENTS "/api/v1/namespaces/ml/events?limit=100&fieldSelector=involvedObject.uid%3Du1"
#define POD(type, phase, version) "{\"type\":\"" type "\",\"object\":{\"kind\":\"Pod\",\"metadata\":{\"name\":\"w-x-1\",\"uid\":\"u1\",\"resourceVersion\":" \
	"\"" version "\",\"annotations\":{\"workflows.argoproj.io/node-id\":\"w-1\"}},\"status\":{\"phase\":\"" phase "\"}}}\n"

static void
waits(void *context, const char *node, const struct value *pod, const struct value *const *events, size_t n)
{
	buf_printf(context, "%s %s", node, pod ? value_text(value_get(value_get(pod, "status"), "phase")) : "no longer");
	for (size_t i = 0; i < n; i++)
		buf_printf(context, " %s", value_text(value_get(events[i], "message")));
	buf_putc(context, '\n');
}

static void
failed(void *context, const struct api_failure *failure)
{
	buf_printf(context, "failed: %s\n", failure->what);
}

static void
try_pods(const char *text, long milliseconds, const char *found, const char *want, const char *why)
{
	const struct exec_plugin_limits limits = { 0 };
	struct kubeconfig config = { .arena = arena_new(), .context = "prod", .from = "~/.kube/config", .server = "https://10.0.0.1:6443",
		.namespace_ = "ml", .token = "t" };
	struct recorded recorded;
	struct buf got = { 0 };
	const struct pods_listener listener = { waits, failed, &got };
	struct kube *kube;
	struct pods *pods;
	const char *name;
	int64_t until;

	recorded_init(&recorded, text);
	recorded.any_order = true;
	kube = kube_new(&config, &recorded.http, &limits);
	pods = pods_new(kube_api(kube), "ml", "w", &listener);
	until = recorded.now + milliseconds;
	for (int i = 0; i < 200 && recorded.now < until; i++)
		recorded.http.poll(&recorded.http, -1, until - recorded.now);
	is_str(buf_text(&got), want, "%s", why);
	name = pods_find(pods, "w-1");
	is_str(name ? name : "none", found, "%s: the pod of the node", why);
	pods_free(pods);
	kube_free(kube);
	recorded_release(&recorded);
	arena_free(config.arena);
	buf_release(&got);
}

#define LISTED "> GET " PODS "\n< 200 application/json\n{\"items\":[],\"metadata\":{\"resourceVersion\":\"1\"}}\n" \
	"> GET " PODS "&watch=true&allowWatchBookmarks=true&resourceVersion=1\n< 200 application/json\n"

static void
test_waiting(void)
{
	try_pods(LISTED POD("ADDED", "Pending", "2") "@wait 8000\n" POD("MODIFIED", "Running", "3") "@hold\n"
		 "> GET " EVENTS "\n< 200 application/json\n{\"items\":[{\"message\":\"late\",\"lastTimestamp\":\"2026-01-02T00:00:09Z\"},"
		 "{\"message\":\"early\",\"eventTime\":\"2026-01-02T00:00:01.000000Z\"}]}\n", 30000, "w-x-1",
		 "w-1 Pending\nw-1 Pending early late\nw-1 no longer\n", "a pod that waits, and then runs");
	try_pods(LISTED POD("ADDED", "Pending", "2") "@wait 1000\n" POD("MODIFIED", "Running", "3") POD("DELETED", "Running", "4") "@hold\n", 30000, "none",
		 "w-1 Pending\nw-1 no longer\n", "one that waits for a moment is not asked about");
	try_pods(LISTED POD("ADDED", "Pending", "2") "@wait 1000\n" POD("DELETED", "Pending", "4") "@hold\n", 30000, "none", "w-1 Pending\nw-1 no longer\n",
		 "one that is deleted");
}

static void
test_trouble(void)
{
	try_pods(LISTED POD("ADDED", "Pending", "2") "@hold\n> GET " EVENTS "\n< 403 application/json\n{\"kind\":\"Status\",\"message\":\"User \\\"u\\\" cannot list\"}\n",
		 60000, "w-x-1", "w-1 Pending\n", "events that may not be seen are not asked for again");
	try_pods("> GET " PODS "\n< 403 application/json\n{\"kind\":\"Status\",\"message\":\"User \\\"u\\\" cannot list pods\"}\n", 60000, "none",
		 "failed: you may not `list` pods in the namespace `ml` (403)\n", "pods that may not be seen");
	try_pods(LISTED "{\"type\":\"ADDED\",\"object\":{\"kind\":\"Pod\",\"metadata\":{\"name\":\"other\",\"uid\":\"u2\"}}}\n@hold\n", 30000, "none", "",
		 "a pod without a node");
}

static void
test_names(void)
{
	struct workflow_node node = { .name = "failure.bad(0)", .template = "bad" };
	struct arena *arena = arena_new();
	char long_name[400];

	is_str(pods_name(arena, "failure", &node), "failure-bad-2007626227", "the name of a pod");
	node = (struct workflow_node){ .name = "hello", .template = "main" };
	is_str(pods_name(arena, "hello", &node), "hello", "of a workflow that is one pod");
	memset(long_name, 'x', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	node = (struct workflow_node){ .name = "n", .template = long_name };
	ok(strlen(pods_name(arena, "w", &node)) <= 253, "a long one is cut");
	arena_free(arena);
}

int
main(void)
{
	test_waiting();
	test_trouble();
	test_names();
	return done_testing();
}
