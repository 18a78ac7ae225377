#include "config.h"

#include "runtime/cluster/package_read.h"

#include <string.h>

#include "base/yaml.h"
#include "base/value.h"

static const char *
text_of(const struct value *dict, const char *key)
{
	const char *text = value_text(value_get(dict, key));

	return text ? text : "";
}

/* An Argo Workflow, and nothing that only looks like one. */
static const struct value *
check(const char *name, const struct yaml *yaml, struct error *err)
{
	const struct value *root = yaml->n ? yaml->documents[0]->value : NULL, *templates;

	if (root && value_get(root, "pipelineInfo")) {
		error_set(err, "`%.300s` is a pipeline of Kubeflow's second kind (IR), which is not run here: compile it by the SDK 1.8, or write it anew", name);
		return NULL;
	}
	if (yaml->n != 1 || strncmp(text_of(root, "apiVersion"), "argoproj.io/", 12) != 0 || strcmp(text_of(root, "kind"), "Workflow") != 0) {
		error_set(err, "`%.300s` is no Argo Workflow%s", name, yaml->n > 1 ? ": there are several documents in it" : "");
		return NULL;
	}
	templates = value_get(value_get(root, "spec"), "templates");
	if (value_count(templates))
		return root;
	error_set(err, "the workflow in `%.300s` has no templates", name);
	return NULL;
}

static const struct value *
parse(struct arena *arena, const char *name, const char *text, size_t n, struct error *err)
{
	struct source *source;
	const struct value *workflow = NULL;
	struct yaml_problem problem;
	struct yaml yaml;

	if (n > SOURCE_MAX) {
		error_set(err, "the pipeline in `%.300s` is longer than %d bytes", name, (int)SOURCE_MAX);
		return NULL;
	}
	source = source_new(name, text, n);
	if (yaml_read(arena, source, &yaml, &problem))
		error_set(err, "`%.300s` cannot be read: %s (line %u)", name, problem.error.text,
			problem.span.source ? source_place(source, problem.span.start).line : 0);
	else
		workflow = check(name, &yaml, err);
	if (workflow)
		workflow = value_clone(arena, workflow);
	source_unref(source);
	return workflow;
}

const struct value *
package_read(struct arena *arena, const char *name, const char *bytes, size_t n, struct error *err)
{
	struct buf text = { .max = PACKAGE_BYTES_MAX };
	const struct value *workflow = NULL;
	int rc = package_unpack(bytes, n, &text, err);

	if (rc < 0)
		error_prefix(err, "`%.300s`", name);
	else if (rc)
		workflow = parse(arena, name, bytes, n, err);
	else
		workflow = parse(arena, name, buf_text(&text), text.len, err);
	buf_release(&text);
	return workflow;
}
