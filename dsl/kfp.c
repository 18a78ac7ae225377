#include "config.h"

#include "dsl/argo.h"

#include <string.h>

#define PREFIX "pipelines.kubeflow.org/"

const char *
kfp_page_artifact(const char *output)
{
	static const char *const pages[] = { "mlpipeline-ui-metadata", "mlpipeline-metrics" };
	char name[64] = "";
	size_t n = 0;

	/* "MLPipeline UI metadata", "mlpipeline_metrics" … are the same to the SDK. */
	for (; output[n] && n + 1 < sizeof name; n++)
		name[n] = (char)(output[n] >= 'A' && output[n] <= 'Z' ? output[n] + 32 : strchr(" _", output[n]) ? '-' : output[n]);
	for (size_t i = 0; i < ARRAY_LEN(pages); i++)
		if (!strcmp(name, pages[i]) && !output[n])
			return pages[i];
	return NULL;
}

/* Python's JSON, whose `{{` (in a text only) Argo must not see. */
static const char *
annotation_json(struct arena *arena, const struct value *value)
{
	CLEANUP(buf_release) struct buf json = { 0 };
	CLEANUP(buf_release) struct buf buf = { 0 };

	value_write_json_python(&json, value);
	for (const char *p = buf_text(&json); *p; p++) {
		buf_putc(&buf, *p);
		for (; p[0] == '{' && p[1] == '{'; p++)
			buf_puts(&buf, "\\u007b");
	}
	return arena_strndup(arena, buf_text(&buf), buf.len);
}

static const struct value *
port_row(struct arena *arena, const struct port *port)
{
	struct object row = { .arena = arena };
	const struct value *type = NULL;

	object_put_text(&row, "name", port->name);
	if (port->type->structure)
		type = argo_nest(arena, port->type->name, port->type->structure);
	else if (*port->type->name)
		type = value_string(arena, port->type->name);
	object_put(&row, "type", type);
	return object_take(&row);
}

static const struct value *
port_rows(struct arena *arena, const struct port *ports, size_t n)
{
	struct rows rows = { .arena = arena };

	for (size_t i = 0; i < n; i++)
		rows_add(&rows, port_row(arena, &ports[i]));
	return rows_take(&rows);
}

/* What Kubeflow's pages and its metadata writer read of a component: its name, its ports and their types. The rest of a
 * component.yaml, which the SDK puts here too, is most of the size of what it compiles. */
static const char *
component_spec(struct arena *arena, const struct component *component)
{
	struct object spec = { .arena = arena };

	object_put_text(&spec, "name", component->display ? component->display : component->name);
	object_put(&spec, "inputs", port_rows(arena, component->inputs, component->n_inputs));
	object_put(&spec, "outputs", port_rows(arena, component->outputs, component->n_outputs));
	return annotation_json(arena, object_take(&spec));
}

static const char *
component_ref(struct arena *arena, const struct component *component)
{
	struct object ref = { .arena = arena };
	char digest[SHA256_HEX];

	if (!component_digest(component, digest))
		return NULL;
	object_put_text(&ref, "digest", arena_strdup(arena, digest));
	object_put_text(&ref, "url", component->url);
	return annotation_json(arena, object_take(&ref));
}

/* {input: tag}, which the metadata writer shows as what the step was given. */
static const char *
arguments(struct argo_pod *pod)
{
	struct arena *arena = pod->argo->arena;
	struct object object = { .arena = arena };
	CLEANUP(buf_release) struct buf buf = { 0 };
	const struct value *value;

	for (size_t i = 0; i < pod->slots.n; i++) {
		const struct argo_slot *slot = &pod->slots.items[i];

		if (slot->kind == SLOT_VALUE)
			object_put_text(&object, pod->step->component->inputs[slot->index].name,
					arena_printf(arena, "{{inputs.parameters.%s}}", slot->name));
	}
	value = object_take(&object);
	if (!value)
		return NULL;
	value_write_json_python(&buf, value);
	return arena_strndup(arena, buf_text(&buf), buf.len);
}

void
kfp_pod_annotations(struct argo_pod *pod, struct object *ret)
{
	struct arena *arena = pod->argo->arena;
	const struct settings *settings = pod->step->settings;

	object_put_text(ret, PREFIX "component_spec", component_spec(arena, pod->step->component));
	object_put_text(ret, PREFIX "component_ref", component_ref(arena, pod->step->component));
	object_put_text(ret, PREFIX "arguments.parameters", arguments(pod));
	object_put_text(ret, PREFIX "task_display_name", settings->display);
	/* The cache of Kubeflow's v1 pipelines replays nothing on Argo 3.4 and later, and a second run then fails. */
	if (settings->cache == CACHE_UNSET || settings->cache == CACHE_OFF)
		object_put_text(ret, PREFIX "max_cache_staleness", "P0D");
	else if (settings->cache == CACHE_FOR)
		object_put_text(ret, PREFIX "max_cache_staleness", arena_printf(arena, "PT%lldS", (long long)settings->cache_seconds));
}

static const struct value *
param_row(struct argo *argo, size_t index)
{
	const struct plan_param *param = &argo->plan->params[index];
	struct object row = { .arena = argo->arena };
	CLEANUP(buf_release) struct buf text = { 0 };

	object_put_text(&row, "name", argo->params[index]);
	if (param->fallback) {
		value_write_plain(&text, param->fallback);
		object_put_text(&row, "default", buf_text(&text));
		object_put(&row, "optional", &VALUE_OF_TRUE);
	}
	if (*param->type->name)
		object_put_text(&row, "type", param->type->name);
	object_put_text(&row, "description", param->doc);
	return object_take(&row);
}

const struct value *
kfp_workflow_annotations(struct argo *argo)
{
	const struct plan *plan = argo->plan;
	struct object spec = { .arena = argo->arena };
	struct rows inputs = { .arena = argo->arena };

	for (size_t i = 0; i < plan->n_params; i++)
		if (plan->params[i].type->kind != TYPE_SECRET)
			rows_add(&inputs, param_row(argo, i));
	object_put_text(&spec, "description", plan->doc);
	object_put(&spec, "inputs", rows_take(&inputs));
	object_put_text(&spec, "name", plan->display ? plan->display : plan->name);
	return argo_nest(argo->arena, PREFIX "pipeline_spec",
			 value_string(argo->arena, annotation_json(argo->arena, object_take(&spec))));
}
