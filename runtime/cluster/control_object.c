/* What becomes of a Workflow object: let go on, copied, deleted. Nothing here asks a server. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "runtime/cluster/control_private.h"
#include "runtime/cluster/edit.h"
#include "runtime/cluster/nodes.h"

/* ---- resumed ---- */

static bool
is_waiting(const struct value *node)
{
	const char *type = value_text(value_get(node, "type")), *phase = value_text(value_get(node, "phase"));

	return type && phase && !strcmp(type, "Suspend") && !strcmp(phase, "Running");
}

/* What nobody has supplied takes its default. */
static const struct value *
supply(struct arena *arena, const struct value *node, const char **ret_missing)
{
	const struct value *parameters = value_get(value_get(node, "outputs"), "parameters");
	const struct value **items = arena_alloc(arena, (value_count(parameters) + 1) * sizeof *items);
	bool changed = false;

	for (size_t i = 0; i < value_count(parameters); i++) {
		const struct value *from = value_get(value_item(parameters, i), "valueFrom"), *otherwise = value_get(from, "default");

		items[i] = value_item(parameters, i);
		if (!value_get(from, "supplied"))
			continue;
		if (!otherwise) {
			*ret_missing = value_text(value_get(items[i], "name"));
			return NULL;
		}
		items[i] = edit_set(arena, edit_set(arena, items[i], "value", otherwise), "valueFrom", NULL);
		changed = true;
	}
	return changed ? edit_set_in(arena, node, "outputs", "parameters", value_list(arena, items, value_count(parameters))) : node;
}

const struct value *
control_resumed(struct arena *arena, const struct value *workflow, int64_t now_ms, struct api_failure *ret_failure)
{
	const struct value *suspended = value_get(value_get(workflow, "spec"), "suspend"), *now = control_time(arena, now_ms);
	const struct value *nodes = nodes_of(arena, workflow, ret_failure);
	const char *name = edit_text_in(workflow, "metadata", "name"), *missing = "";
	bool waits = suspended && suspended->kind == VALUE_BOOLEAN && suspended->boolean;
	const struct value **items;
	size_t n = 0;

	if (!nodes)
		return NULL;
	items = arena_alloc(arena, (nodes->dict.n + 1) * sizeof *items);
	for (size_t i = 0; i < nodes->dict.n; i++) {
		const struct value *node = nodes->dict.items[i];

		items[i] = node;
		if (!is_waiting(node))
			continue;
		node = supply(arena, node, &missing);
		if (!node) {
			control_fail(ret_failure, "supply it on the Argo server's page of the run, or by `argo node set`",
				"the run `%.200s` waits for the value of `%.100s`, which has no default", name, missing ? missing : "");
			return NULL;
		}
		node = edit_set(arena, node, "phase", value_string(arena, "Succeeded"));
		items[i] = edit_set(arena, node, "finishedAt", now);
		n++;
	}
	if (!n && !waits) {
		control_fail(ret_failure, "only a run that is suspended can be resumed", "the run `%.200s` is not suspended", name ? name : "");
		return NULL;
	}
	workflow = edit_set_in(arena, workflow, "spec", "suspend", NULL);
	return n ? nodes_put(arena, workflow, value_dict(arena, nodes->dict.keys, items, nodes->dict.n)) : workflow;
}

/* ---- cloned ---- */

/* Set by Argo, by us or by the server that took the run; not by people. */
static bool
is_foreign(const char *key)
{
	static const char *const prefixes[] = { "workflows.argoproj.io/", "lateen.dev/", "pipeline/", "kubectl.kubernetes.io/" };

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		if (!strncmp(key, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

static const struct value *
kept(struct arena *arena, const struct value *dict, const char *more, const char *value)
{
	size_t max = dict && dict->kind == VALUE_DICT ? dict->dict.n : 0, n = 0;
	const char **keys = arena_alloc(arena, (max + 1) * sizeof *keys);
	const struct value **items = arena_alloc(arena, (max + 1) * sizeof *items);

	for (size_t i = 0; i < max; i++)
		if (!is_foreign(dict->dict.keys[i])) {
			keys[n] = dict->dict.keys[i];
			items[n++] = dict->dict.items[i];
		}
	if (more && value) {
		keys[n] = more;
		items[n++] = value_string(arena, value);
	}
	return n ? value_dict(arena, keys, items, n) : NULL;
}

/* "gh-summ-" of "gh-summ-x7k2p". */
static const char *
prefix_of(struct arena *arena, const struct value *workflow)
{
	const char *prefix = edit_text_in(workflow, "metadata", "generateName"), *name = edit_text_in(workflow, "metadata", "name");
	const char *dash = name ? strrchr(name, '-') : NULL;

	if (prefix)
		return prefix;
	if (dash && dash > name && strlen(dash) == 6)
		return arena_strndup(arena, name, (size_t)(dash - name) + 1);
	return arena_printf(arena, "%s-", name ? name : "run");
}

static int
check_args(const struct value *spec, const char *const (*args)[2], size_t n_args, struct api_failure *ret_failure)
{
	const struct value *parameters = value_get(value_get(spec, "arguments"), "parameters");

	for (size_t i = 0; i < n_args; i++) {
		bool known = false;

		for (size_t p = 0; p < value_count(parameters) && !known; p++) {
			const char *name = value_text(value_get(value_item(parameters, p), "name"));

			known = name && !strcmp(name, args[i][0]);
		}
		if (!known)
			return control_fail(ret_failure, "its parameters stand in `spec.arguments.parameters` of its object",
				"the run has no parameter `%.100s`", args[i][0]);
	}
	return 0;
}

int
control_clone(struct arena *arena, const struct value *workflow, const char *const (*args)[2], size_t n_args,
	      struct door_submission *ret, struct api_failure *ret_failure)
{
	static const char *const of_the_run[] = { "shutdown", "suspend" };
	const struct value *metadata = value_get(workflow, "metadata"), *spec = value_get(workflow, "spec");
	const struct value *deadline = value_get(spec, "activeDeadlineSeconds");

	*ret = (struct door_submission){ .args = args, .n_args = n_args };
	if (!spec || spec->kind != VALUE_DICT || !value_count(value_get(spec, "templates")))
		return control_fail(ret_failure, "start the pipeline itself", "the run does not say what it ran: it names a template of the cluster");
	if (check_args(spec, args, n_args, ret_failure))
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(of_the_run); i++)
		spec = edit_set(arena, spec, of_the_run[i], NULL);
	if (deadline && deadline->kind == VALUE_INTEGER && !deadline->integer)
		spec = edit_set(arena, spec, "activeDeadlineSeconds", NULL);
	metadata = edit_dict(arena, "generateName", value_string(arena, prefix_of(arena, workflow)), "labels",
		kept(arena, value_get(metadata, "labels"), "workflows.argoproj.io/resubmitted-from-workflow", value_text(value_get(metadata, "name"))),
		"annotations", kept(arena, value_get(metadata, "annotations"), NULL, NULL), NULL);
	ret->workflow = edit_dict(arena, "apiVersion", value_string(arena, "argoproj.io/v1alpha1"), "kind", value_string(arena, "Workflow"),
		"metadata", metadata, "spec", spec, NULL);
	return 0;
}

/* ---- deleted ---- */

static bool
keeps_artifacts(const struct value *workflow)
{
	const char *strategy = edit_text_in(value_get(workflow, "spec"), "artifactGC", "strategy");

	return !strategy || !strcmp(strategy, "Never") || !*strategy;
}

static const char *const stores[] = { "s3", "gcs", "oss", "azure", "hdfs", "artifactory" };

/* The bucket of the run's repository, which its files' places do not repeat. */
static const char *
usual_bucket(const struct value *workflow)
{
	const struct value *status = value_get(workflow, "status");
	const struct value *repository = value_get(value_get(status, "artifactRepositoryRef"), "artifactRepository");
	const char *bucket = NULL;

	for (size_t i = 0; i < ARRAY_LEN(stores) && !bucket; i++)
		bucket = edit_text_in(repository, stores[i], "bucket");
	return bucket;
}

/* The place of the first file that the run has put somewhere: "bucket `b`". */
static const char *
bucket_of(struct arena *arena, const struct value *workflow, const struct value *nodes, size_t *ret_n)
{
	const char *first = NULL;

	for (size_t i = 0; i < nodes->dict.n; i++) {
		const struct value *artifacts = value_get(value_get(nodes->dict.items[i], "outputs"), "artifacts");

		for (size_t a = 0; a < value_count(artifacts); a++)
			for (size_t s = 0; s < ARRAY_LEN(stores); s++) {
				const struct value *place = value_get(value_item(artifacts, a), stores[s]);
				const char *bucket = value_get(place, "bucket") ? value_text(value_get(place, "bucket")) : usual_bucket(workflow);

				if (!place)
					continue;
				++*ret_n;
				if (!first)
					first = bucket ? arena_printf(arena, "the bucket `%s`", api_plain(arena, bucket, 200)) : "the artifact repository";
			}
	}
	return first ? first : "the artifact repository";
}

/* Objects that steps made for themselves: Argo's `resource` templates that do not make the run their owner. */
static size_t
count_made(const struct value *workflow)
{
	const struct value *templates = value_get(value_get(workflow, "spec"), "templates");
	size_t n = 0;

	for (size_t i = 0; i < value_count(templates); i++) {
		const struct value *resource = value_get(value_item(templates, i), "resource"), *owned = value_get(resource, "setOwnerReference");
		const char *action = value_text(value_get(resource, "action"));

		n += action && (!strcmp(action, "create") || !strcmp(action, "apply")) && !(owned && owned->kind == VALUE_BOOLEAN && owned->boolean);
	}
	return n;
}

const char *const *
control_remains(struct arena *arena, const struct value *workflow, size_t *ret_n)
{
	struct api_failure ignored;
	const struct value *nodes = nodes_of(arena, workflow, &ignored);
	const char **lines = arena_alloc(arena, 3 * sizeof *lines), *place = "";
	size_t n_files = 0, n_made = count_made(workflow), n = 0;

	if (nodes && keeps_artifacts(workflow))
		place = bucket_of(arena, workflow, nodes, &n_files);
	if (n_files)
		lines[n++] = arena_printf(arena, "%zu file%s in %s, until its own rules remove %s", n_files, n_files == 1 ? "" : "s", place,
			n_files == 1 ? "it" : "them");
	if (n_made)
		lines[n++] = arena_printf(arena, "what %zu of its steps created on the cluster as objects of their own", n_made);
	if (!nodes)
		lines[n++] = "perhaps files in the artifact repository: the run's nodes cannot be read here";
	*ret_n = n;
	return lines;
}
