#include "config.h"

#include "dsl/component_json.h"

#include <stdint.h>
#include <string.h>

/* A Dict while it grows. */
struct dict {
	struct arena *arena;
	const char **keys;
	const struct value **items;
	size_t n, cap_keys, cap_items;
};

static void
put(struct dict *dict, const char *key, const struct value *item)
{
	vec_reserve((void **)&dict->keys, &dict->cap_keys, dict->n + 1, sizeof *dict->keys);
	vec_reserve((void **)&dict->items, &dict->cap_items, dict->n + 1, sizeof *dict->items);
	dict->keys[dict->n] = key;
	dict->items[dict->n++] = item;
}

static const struct value *
text_or_null(struct arena *arena, const char *text)
{
	return text ? value_string(arena, text) : &VALUE_OF_NULL;
}

static void
put_text(struct dict *dict, const char *key, const char *text)
{
	put(dict, key, text_or_null(dict->arena, text));
}

static void
put_text_if(struct dict *dict, const char *key, const char *text)
{
	if (text)
		put_text(dict, key, text);
}

static const struct value *
settle(struct dict *dict)
{
	const struct value *value = value_dict(dict->arena, dict->keys, dict->items, dict->n);

	freep(&dict->keys);
	freep(&dict->items);
	return value;
}

const char *
component_json_fact(enum fact fact)
{
	switch (fact) {
	case FACT_RUN_ID:
		return "run.id";
	case FACT_RUN_NAME:
		return "run.name";
	case FACT_RUN_NAMESPACE:
		return "run.namespace";
	case FACT_RUN_STATUS:
		return "run.status";
	case FACT_STEP_NAME:
		return "step.name";
	case FACT_STEP_ATTEMPT:
		return "step.attempt";
	}
	BUG("fact %d", (int)fact);
}

/* ---- ports ---- */

/* The document's entry for the port, or NULL. */
static const struct value *
in_document(const struct component *component, const char *list, const char *name)
{
	const struct value *ports = value_get(component->spec, list);

	for (size_t i = 0; ports && ports->kind == VALUE_LIST && i < ports->list.n; i++) {
		const char *other = value_text(value_get(ports->list.items[i], "name"));

		if (other && !strcmp(other, name))
			return ports->list.items[i];
	}
	return NULL;
}

static const struct value *
type_value(struct arena *arena, const struct component *component, const struct value *entry, const struct type *type)
{
	const struct value *written = value_get(entry, "type");

	if (component->spec)
		return written ? written : &VALUE_OF_NULL;
	return type->kind == TYPE_ANY ? &VALUE_OF_NULL : value_string(arena, type->name);
}

static void
put_port(struct dict *dict, const struct component *component, const struct value *entry, const struct port *port)
{
	put_text(dict, "name", port->name);
	put_text(dict, "id", port->id);
	put(dict, "type", type_value(dict->arena, component, entry, port->type));
	put_text(dict, "passing", port->passing == PASS_FILE ? "file" : "value");
}

static const struct value *
input_value(struct arena *arena, const struct component *component, const struct port *port)
{
	struct dict dict = { .arena = arena };
	const struct value *entry = in_document(component, "inputs", port->name);
	const struct value *fallback = entry ? value_get(entry, "default") : port->fallback;

	put_port(&dict, component, entry, port);
	put(&dict, "optional", value_boolean(port->optional));
	if (fallback)
		put(&dict, "default", fallback);
	put_text_if(&dict, "description", port->doc);
	return settle(&dict);
}

static const struct value *
output_value(struct arena *arena, const struct component *component, const struct port *port)
{
	struct dict dict = { .arena = arena };

	put_port(&dict, component, in_document(component, "outputs", port->name), port);
	put_text_if(&dict, "path", port->path);
	put(&dict, "produced", value_boolean(port->produced));
	put_text_if(&dict, "description", port->doc);
	return settle(&dict);
}

static const struct value *
ports_value(struct arena *arena, const struct component *component, const struct port *ports, size_t n,
	    const struct value *(*one)(struct arena *, const struct component *, const struct port *))
{
	CLEANUP(freep) const struct value **items = xcalloc(n ? n : 1, sizeof *items);

	for (size_t i = 0; i < n; i++)
		items[i] = one(arena, component, &ports[i]);
	return value_list(arena, items, n);
}

/* ---- parts ---- */

static const struct value *part_value(struct arena *arena, const struct component *component, const struct part *part);

static const struct value *
parts_value(struct arena *arena, const struct component *component, const struct part *parts, size_t n)
{
	CLEANUP(freep) const struct value **items = xcalloc(n ? n : 1, sizeof *items);

	for (size_t i = 0; i < n; i++)
		items[i] = part_value(arena, component, &parts[i]);
	return value_list(arena, items, n);
}

static const struct value *
placeholder(struct arena *arena, const char *key, const struct value *item)
{
	return value_dict(arena, &key, &item, 1);
}

static const struct value *
choice_value(struct arena *arena, const struct component *component, const struct part *part)
{
	struct dict dict = { .arena = arena };

	put(&dict, "cond", part_value(arena, component, part->condition));
	put(&dict, "then", parts_value(arena, component, part->parts, part->n_parts));
	if (part->n_else_parts)
		put(&dict, "else", parts_value(arena, component, part->else_parts, part->n_else_parts));
	return placeholder(arena, "if", settle(&dict));
}

static const char *
port_key(const struct component *component, const struct part *part)
{
	switch (part->kind) {
	case PART_INPUT:
		return component->inputs[part->index].passing == PASS_FILE ? "inputPath" : "inputValue";
	case PART_INPUT_PATH:
		return "inputPath";
	case PART_INPUT_URI:
		return "inputUri";
	case PART_IS_PRESENT:
		return "isPresent";
	case PART_OUTPUT_PATH:
		return "outputPath";
	case PART_OUTPUT_URI:
		return "outputUri";
	default:
		return NULL;
	}
}

static const struct value *
part_value(struct arena *arena, const struct component *component, const struct part *part)
{
	const char *key = port_key(component, part);
	bool output = part->kind == PART_OUTPUT_PATH || part->kind == PART_OUTPUT_URI;

	if (key)
		return placeholder(arena, key,
			value_string(arena, (output ? component->outputs : component->inputs)[part->index].name));
	switch (part->kind) {
	case PART_CONCAT:
		return placeholder(arena, "concat", parts_value(arena, component, part->parts, part->n_parts));
	case PART_IF:
		return choice_value(arena, component, part);
	case PART_FACT:
		return placeholder(arena, "fact", value_string(arena, component_json_fact(part->fact)));
	default:
		return value_string(arena, part->text);
	}
}

/* The list as the document has it, else from the parts. */
static const struct value *
arguments_value(struct arena *arena, const struct component *component, const char *key, const struct part *parts, size_t n)
{
	const struct value *container = value_get(value_get(component->spec, "implementation"), "container");
	const struct value *list = value_get(container, key);

	if (component->spec)
		return list && list->kind == VALUE_LIST ? list : value_list(arena, NULL, 0);
	return parts_value(arena, component, parts, n);
}

/* ---- the rest ---- */

static const struct value *
env_value(struct arena *arena, const struct component *component)
{
	struct dict dict = { .arena = arena };

	for (size_t i = 0; i < component->n_env; i++)
		put(&dict, component->env[i].name, part_value(arena, component, &component->env[i].value));
	return settle(&dict);
}

static const struct value *
pairs_value(struct arena *arena, const struct setting_pair *pairs, size_t n)
{
	struct dict dict = { .arena = arena };

	for (size_t i = 0; i < n; i++)
		put(&dict, pairs[i].key, pairs[i].value->kind == EXPR_VALUE ? pairs[i].value->value : &VALUE_OF_NULL);
	return settle(&dict);
}

static const struct value *
task_names(struct arena *arena, const struct component *component)
{
	const struct value *graph = value_get(value_get(component->spec, "implementation"), "graph");
	const struct value *tasks = value_get(graph, "tasks");
	size_t n = tasks && tasks->kind == VALUE_DICT ? tasks->dict.n : 0;
	CLEANUP(freep) const struct value **names = xcalloc(n ? n : 1, sizeof *names);

	for (size_t i = 0; i < n; i++)
		names[i] = value_string(arena, tasks->dict.keys[i]);
	return value_list(arena, names, n);
}

static const char *
kind_name(enum component_kind kind)
{
	switch (kind) {
	case COMPONENT_CONTAINER:
		return "container";
	case COMPONENT_PROCESS:
		return "process";
	case COMPONENT_MANIFEST:
		return "manifest";
	case COMPONENT_GRAPH:
		return "graph";
	}
	BUG("component kind %d", (int)kind);
}

const struct value *
component_json(struct arena *arena, const struct component *c)
{
	struct dict dict = { .arena = arena };
	char digest[SHA256_HEX];

	put_text(&dict, "name", c->spec ? c->display : c->name);
	put_text(&dict, "kind", kind_name(c->kind));
	put_text(&dict, "image", c->image);
	put_text_if(&dict, "description", c->doc);
	put(&dict, "inputs", ports_value(arena, c, c->inputs, c->n_inputs, input_value));
	put(&dict, "outputs", ports_value(arena, c, c->outputs, c->n_outputs, output_value));
	put(&dict, "command", arguments_value(arena, c, "command", c->command, c->n_command));
	put(&dict, "args", arguments_value(arena, c, "args", c->args, c->n_args));
	put_text_if(&dict, "script", c->script);
	put(&dict, "env", env_value(arena, c));
	put(&dict, "labels", pairs_value(arena, c->labels, c->n_labels));
	put(&dict, "annotations", pairs_value(arena, c->annotations, c->n_annotations));
	if (c->kind == COMPONENT_GRAPH)
		put(&dict, "tasks", task_names(arena, c));
	if (component_digest(c, digest))
		put_text(&dict, "digest", arena_strdup(arena, digest));
	put_text_if(&dict, "url", c->url);
	return settle(&dict);
}
