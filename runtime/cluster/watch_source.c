/* Where lists and watches are. */
#include "config.h"

#include <string.h>

#include "runtime/cluster/watch.h"

static void
add_parameter(struct buf *buf, const char *name, const char *value)
{
	if (!value)
		return;
	buf_printf(buf, "%c%s=", strchr(buf_text(buf), '?') ? '&' : '?', name);
	api_write_escaped(buf, value);
}

static const char *
settle(struct arena *arena, struct buf *buf)
{
	const char *ret = arena_strdup(arena, buf_text(buf));

	buf_release(buf);
	return ret;
}

/* "the workflow `x` in the namespace `y`", "the pods with a=b in the namespace `y`" */
static const char *
describe(struct arena *arena, const char *namespace_, const char *resource, const char *selector)
{
	static const char by_name[] = "metadata.name=";
	size_t n = strlen(resource);

	if (selector && n && !strncmp(selector, by_name, sizeof by_name - 1))
		return arena_printf(arena, "the %.*s `%s` in the namespace `%s`", (int)n - 1, resource, selector + sizeof by_name - 1, namespace_);
	return arena_printf(arena, "the %s%s%s in the namespace `%s`", resource, selector ? " with " : "", selector ? selector : "", namespace_);
}

struct watch_source
watch_source_kube(struct arena *arena, const char *group, const char *namespace_, const char *resource, const char *field_selector,
		  const char *label_selector)
{
	const char *slash = strrchr(group, '/'), *selector = field_selector ? field_selector : label_selector;
	bool core = !strncmp(group, "/api/", 5);
	struct watch_source ret = { .right = { "list", core ? "" : arena_strndup(arena, group + 6, (size_t)(slash - group - 6)), resource,
		namespace_ } };
	struct buf path = { 0 };

	buf_printf(&path, "%s/namespaces/", group);
	api_write_escaped(&path, namespace_);
	buf_printf(&path, "/%s", resource);
	add_parameter(&path, "fieldSelector", field_selector);
	add_parameter(&path, "labelSelector", label_selector);
	ret.list = arena_strdup(arena, buf_text(&path));
	add_parameter(&path, "watch", "true");
	add_parameter(&path, "allowWatchBookmarks", "true");
	add_parameter(&path, "resourceVersion", "");
	ret.watch = settle(arena, &path);
	ret.what = describe(arena, namespace_, resource, selector);
	return ret;
}

struct watch_source
watch_source_argo(struct arena *arena, const char *namespace_, const char *name)
{
	const char *selector = arena_printf(arena, "metadata.name=%s", name), *escaped = api_escaped(arena, namespace_);
	struct watch_source ret = { .events = true, .right = { "list", "argoproj.io", "workflows", namespace_ } };
	struct buf path = { 0 };

	buf_printf(&path, "/api/v1/workflows/%s", escaped);
	add_parameter(&path, "listOptions.fieldSelector", selector);
	ret.list = settle(arena, &path);
	buf_printf(&path, "/api/v1/workflow-events/%s", escaped);
	add_parameter(&path, "listOptions.fieldSelector", selector);
	add_parameter(&path, "listOptions.resourceVersion", "");
	ret.watch = settle(arena, &path);
	ret.what = arena_printf(arena, "the workflow `%s` in the namespace `%s`", name, namespace_);
	return ret;
}
