#include "config.h"

#include "runtime/cluster/retry.h"

#include <stdio.h>
#include <string.h>

#include "runtime/cluster/control_private.h"
#include "runtime/cluster/edit.h"
#include "runtime/cluster/nodes.h"
#include "runtime/cluster/retry_private.h"

enum { POD_PREFIX_MAX = 242, NAMES_TOLD = 8 };

/* ---- pods ---- */

/* FNV-1a, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint32_t
hash_of(const char *text)
{
	uint32_t hash = 2166136261u;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619u;
	return hash;
}

const char *
retry_pod_name(struct arena *arena, const struct value *workflow, const struct value *node)
{
	const char *name = edit_text_in(workflow, "metadata", "name"), *type = value_text(value_get(node, "type"));
	const char *format = edit_text_in(value_get(workflow, "metadata"), "annotations", "workflows.argoproj.io/pod-name-format");
	const char *id = value_text(value_get(node, "id")), *full = value_text(value_get(node, "name"));
	const char *template = edit_text_in(node, "templateRef", "template");
	const char *prefix;

	if (!name || !id || !full || !type || strcmp(type, "Pod") != 0)
		return NULL;
	if (format && !strcmp(format, "v1"))
		return id;
	if (!strcmp(name, full))
		return name;
	if (!template)
		template = value_text(value_get(node, "templateName"));
	prefix = template && *template ? arena_printf(arena, "%s-%s", name, template) : name;
	return arena_printf(arena, "%.*s-%u", (int)POD_PREFIX_MAX, prefix, hash_of(full));
}

/* ---- may it be ---- */

static int
judge_phase(const struct value *workflow, const char *from, struct api_failure *ret_failure)
{
	const char *phase = edit_text_in(workflow, "status", "phase"), *name = edit_text_in(workflow, "metadata", "name");

	if (!name || !*name)
		return control_fail(ret_failure, "look at it: `kubectl get workflows`", "what the cluster has under the run's name is no workflow");
	if (phase && (!strcmp(phase, "Failed") || !strcmp(phase, "Error") || (!strcmp(phase, "Succeeded") && from)))
		return 0;
	if (phase && !strcmp(phase, "Succeeded"))
		return control_fail(ret_failure, "name the step to begin at: `retry … from STEP`; or start it anew",
			"the run `%.200s` has succeeded: there is nothing to try again", name);
	return control_fail(ret_failure, "wait for its end, or `stop` it first", "the run `%.200s` has not ended: it is %.40s", name,
		phase && *phase ? phase : "Pending");
}

static bool
is_named(const struct retry_node *node, const char *from)
{
	const char *display = value_text(value_get(node->value, "displayName"));

	return (display && !strcmp(display, from)) || !strcmp(node->id, from);
}

static bool
is_worth_telling(const struct retry_graph *graph, size_t at)
{
	const struct retry_node *node = &graph->nodes[at];
	const char *display = value_text(value_get(node->value, "displayName"));

	/* Attempts and rounds of loops are told by what they are of. */
	if (!display || !*display || *display == '[' || strchr(display, '(') || node->exit || node == graph->root)
		return false;
	for (size_t i = 0; i < at; i++)
		if (is_named(&graph->nodes[i], display))
			return false;
	return true;
}

static int
fail_unknown(const struct retry_graph *graph, const char *from, struct api_failure *ret)
{
	struct buf names = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < graph->n && n < NAMES_TOLD; i++)
		if (is_worth_telling(graph, i))
			buf_printf(&names, "%s`%.100s`", n++ ? ", " : "", value_text(value_get(graph->nodes[i].value, "displayName")));
	control_fail(ret, "", "the run `%.200s` has no step `%.100s`", graph->workflow, from);
	snprintf(ret->help, API_TEXT_MAX, "it has %s%s", n ? buf_text(&names) : "none at all", n == NAMES_TOLD ? " and more" : "");
	buf_release(&names);
	return -1;
}

static int
mark_wanted(struct retry_graph *graph, const char *from, struct api_failure *ret_failure)
{
	size_t found = 0;

	for (size_t i = 0; from && i < graph->n; i++)
		if (!graph->nodes[i].exit && is_named(&graph->nodes[i], from)) {
			graph->nodes[i].wanted = true;
			found++;
		}
	return found || !from ? 0 : fail_unknown(graph, from, ret_failure);
}

/* ---- the new object ---- */

static const struct value *
without_gone(const struct retry_graph *graph, const struct value *ids)
{
	const struct value **items = arena_alloc(graph->arena, (value_count(ids) + 1) * sizeof *items);
	size_t n = 0;

	for (size_t i = 0; i < value_count(ids); i++) {
		const char *id = value_text(value_item(ids, i));
		const struct retry_node *node = id ? map_get(&graph->by_id, id) : NULL;

		if (!node || !node->gone)
			items[n++] = value_item(ids, i);
	}
	return n == value_count(ids) ? ids : n ? value_list(graph->arena, items, n) : NULL;
}

/* What somebody was to supply is to be supplied again. */
static const struct value *
reset_supplied(struct arena *arena, const struct value *node)
{
	const struct value *outputs = value_get(node, "outputs"), *parameters = value_get(outputs, "parameters");
	const struct value *empty = value_dict(arena, NULL, NULL, 0);
	const struct value **items = arena_alloc(arena, (value_count(parameters) + 1) * sizeof *items);
	const char *type = value_text(value_get(node, "type"));

	if (!type || strcmp(type, "Suspend") != 0 || !value_count(parameters))
		return node;
	for (size_t i = 0; i < value_count(parameters); i++)
		items[i] = edit_dict(arena, "name", value_get(value_item(parameters, i), "name"), "valueFrom",
			edit_dict(arena, "supplied", empty, NULL), NULL);
	return edit_set_in(arena, node, "outputs", "parameters", value_list(arena, items, value_count(parameters)));
}

static const struct value *
renewed(const struct retry_graph *graph, const struct retry_node *node, const struct value *now)
{
	struct arena *arena = graph->arena;
	const struct value *value = node->value;
	const char *phase = value_text(value_get(value, "phase"));

	if (node->reset) {
		value = reset_supplied(arena, value);
		if (!phase || strcmp(phase, "Skipped") != 0)
			value = edit_set(arena, value, "phase", value_string(arena, "Running"));
		value = edit_set(arena, value, "message", NULL);
		value = edit_set(arena, value, "startedAt", now);
		value = edit_set(arena, value, "finishedAt", &VALUE_OF_NULL);
	}
	if (value_get(value, "children"))
		value = edit_set(arena, value, "children", without_gone(graph, value_get(value, "children")));
	if (value_get(value, "outboundNodes"))
		value = edit_set(arena, value, "outboundNodes", without_gone(graph, value_get(value, "outboundNodes")));
	return value;
}

static const struct value *
nodes_left(const struct retry_graph *graph, const struct value *now)
{
	const char **keys = arena_alloc(graph->arena, (graph->n + 1) * sizeof *keys);
	const struct value **items = arena_alloc(graph->arena, (graph->n + 1) * sizeof *items);
	size_t n = 0;

	for (size_t i = 0; i < graph->n; i++) {
		const struct retry_node *node = &graph->nodes[i];

		if (node->gone || node->exit)
			continue;
		keys[n] = node->id;
		items[n++] = renewed(graph, node, now);
	}
	return value_dict(graph->arena, keys, items, n);
}

static void
collect_pods(const struct retry_graph *graph, const struct value *workflow, struct retry *ret)
{
	const char **pods = arena_alloc(graph->arena, (graph->n + 1) * sizeof *pods);

	for (size_t i = 0; i < graph->n; i++) {
		const struct retry_node *node = &graph->nodes[i];
		const char *pod = node->gone || node->exit ? retry_pod_name(graph->arena, workflow, node->value) : NULL;

		if (pod)
			pods[ret->n_pods++] = pod;
	}
	ret->pods = pods;
}

/* The condition Completed is False; the others stay. */
static const struct value *
conditions_of(struct arena *arena, const struct value *old)
{
	const struct value **items = arena_alloc(arena, (value_count(old) + 1) * sizeof *items);
	size_t n = 0;

	for (size_t i = 0; i < value_count(old); i++) {
		const char *type = value_text(value_get(value_item(old, i), "type"));

		if (!type || strcmp(type, "Completed") != 0)
			items[n++] = value_item(old, i);
	}
	items[n++] = edit_texts(arena, "type", "Completed", "status", "False", NULL);
	return value_list(arena, items, n);
}

static const struct value *
begun_again(struct arena *arena, const struct value *workflow, const struct value *now)
{
	static const char *const labels[] = { "workflows.argoproj.io/completed", "workflows.argoproj.io/workflow-archiving-status" };
	static const char phase_label[] = "workflows.argoproj.io/phase";
	const struct value *running = value_string(arena, "Running");
	const struct value *metadata = value_get(workflow, "metadata"), *status = value_get(workflow, "status");
	const struct value *deadline = value_get(value_get(workflow, "spec"), "activeDeadlineSeconds");

	for (size_t i = 0; i < ARRAY_LEN(labels); i++)
		metadata = edit_set_in(arena, metadata, "labels", labels[i], NULL);
	/* The controller writes it only when it changes the phase itself. */
	if (edit_text_in(metadata, "labels", phase_label))
		metadata = edit_set_in(arena, metadata, "labels", phase_label, running);
	status = edit_set(arena, status, "phase", running);
	status = edit_set(arena, status, "message", NULL);
	status = edit_set(arena, status, "startedAt", now);
	status = edit_set(arena, status, "finishedAt", &VALUE_OF_NULL);
	status = edit_set(arena, status, "persistentVolumeClaims", NULL);
	status = edit_set(arena, status, "conditions", conditions_of(arena, value_get(status, "conditions")));
	status = edit_set_in(arena, status, "storedWorkflowTemplateSpec", "shutdown", NULL);
	workflow = edit_set(arena, workflow, "metadata", metadata);
	workflow = edit_set(arena, workflow, "status", status);
	workflow = edit_set_in(arena, workflow, "spec", "shutdown", NULL);
	/* Kubeflow Pipelines ends a run by setting its deadline to nothing. */
	if (deadline && deadline->kind == VALUE_INTEGER && !deadline->integer)
		workflow = edit_set_in(arena, workflow, "spec", "activeDeadlineSeconds", NULL);
	return workflow;
}

static int
mark_all(struct retry_graph *graph, const char *from, struct api_failure *ret_failure)
{
	if (mark_wanted(graph, from, ret_failure))
		return -1;
	if (retry_graph_mark(graph))
		return control_fail(ret_failure, "start it anew", "the run's status on the cluster is damaged: its nodes go in circles");
	return 0;
}

int
retry_formulate(struct arena *arena, const struct value *workflow, const char *from, int64_t now_ms, struct retry *ret,
		struct api_failure *ret_failure)
{
	const struct value *now = control_time(arena, now_ms), *nodes;
	struct retry_graph graph = { 0 };
	int rc;

	*ret = (struct retry){ 0 };
	if (judge_phase(workflow, from, ret_failure) || !(nodes = nodes_of(arena, workflow, ret_failure)))
		return -1;
	if (retry_graph_build(&graph, arena, edit_text_in(workflow, "metadata", "name"), nodes))
		rc = control_fail(ret_failure, "start it anew", "the run's status on the cluster is damaged: its nodes do not hang together");
	else
		rc = mark_all(&graph, from, ret_failure);
	if (!rc) {
		collect_pods(&graph, workflow, ret);
		ret->workflow = nodes_put(arena, begun_again(arena, workflow, now), nodes_left(&graph, now));
	}
	retry_graph_release(&graph);
	return rc;
}
