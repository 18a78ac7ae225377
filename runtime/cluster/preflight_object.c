/* What can be said of the object without asking anybody: its size, its parameters. */
#include "config.h"

#include <string.h>

#include "base/value.h"
#include "runtime/cluster/preflight_private.h"

enum { LARGE = PREFLIGHT_OBJECT_MAX / 10 * 8 };

void
flight_check_size(struct flight *flight)
{
	struct buf text = { 0 };
	struct preflight_finding *f;

	value_write_json(&text, flight->workflow);
	if (text.len > LARGE) {
		f = flight_add(flight, text.len > PREFLIGHT_OBJECT_MAX ? PREFLIGHT_TOO_LARGE : PREFLIGHT_LARGE, text.len > PREFLIGHT_OBJECT_MAX ?
			flight_print(flight, "the workflow is too large: %zu KiB as JSON, and Argo takes %d KiB", text.len / 1024, PREFLIGHT_OBJECT_MAX / 1024) :
			flight_print(flight, "the workflow is large: %zu KiB of the %d KiB that Argo takes", text.len / 1024, PREFLIGHT_OBJECT_MAX / 1024),
			"let steps that differ in values only be one component, and many of them a `for`; a long script can lie in the image");
		f->why = "the status of its steps counts too, and grows as it runs";
	}
	buf_release(&text);
}

/* ---- parameters ---- */

static bool
is_declared(const struct value *parameters, const char *name, size_t len)
{
	for (size_t i = 0; i < value_count(parameters); i++) {
		const char *other = value_text(value_get(value_item(parameters, i), "name"));

		if (other && strlen(other) == len && !strncmp(other, name, len))
			return true;
	}
	return false;
}

static void
look_for_uses(struct flight *flight, const char *text, const struct value *parameters, const char *template)
{
	static const char prefix[] = "{{workflow.parameters.";
	const char *at = text;

	while ((at = strstr(at, prefix))) {
		size_t len;

		at += sizeof prefix - 1;
		len = strcspn(at, "}");
		if (at[len] != '}' || is_declared(parameters, at, len))
			continue;
		flight_add(flight, PREFLIGHT_PARAMETER, flight_print(flight, "the workflow uses the parameter `%.*s`, and declares none of that name",
			(int)(len < 100 ? len : 100), at), "declare it in `spec.arguments.parameters`, or correct its name")->template = template;
	}
}

/* Values nest at most VALUE_DEPTH_MAX deep. */
static void
walk(struct flight *flight, const struct value *value, const struct value *parameters, const char *template)
{
	if (value_text(value))
		look_for_uses(flight, value_text(value), parameters, template);
	for (size_t i = 0; i < value_count(value); i++)
		walk(flight, value_item(value, i), parameters, template);
	for (size_t i = 0; value->kind == VALUE_DICT && i < value->dict.n; i++)
		walk(flight, value->dict.items[i], parameters, template);
}

void
flight_check_parameters(struct flight *flight)
{
	const struct value *spec = value_get(flight->workflow, "spec"), *templates = value_get(spec, "templates");
	const struct value *parameters = value_get(value_get(spec, "arguments"), "parameters");

	/* Of a template of the cluster the parameters are there. */
	if (value_get(spec, "workflowTemplateRef"))
		return;
	for (size_t i = 0; i < value_count(parameters); i++) {
		const struct value *p = value_item(parameters, i);
		const char *name = value_text(value_get(p, "name"));

		if (name && !value_get(p, "value") && !value_get(p, "valueFrom"))
			flight_add(flight, PREFLIGHT_PARAMETER, flight_print(flight, "the parameter `%s` has no value", api_plain(flight->arena, name, 100)),
				"give it one: `P(NAME: …)`, or a default");
	}
	for (size_t i = 0; i < value_count(templates); i++)
		walk(flight, value_item(templates, i), parameters, value_text(value_get(value_item(templates, i), "name")));
}
