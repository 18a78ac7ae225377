#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "dsl/component_yaml.h"
#include "dsl/component_yaml_load.h"

static const char *const input_keys[] = { "name", "type", "description", "default", "optional", "annotations" };
static const char *const output_keys[] = { "name", "type", "description", "annotations" };

/* ---- names ---- */

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_identifier(const char *name)
{
	if (!is_letter(*name) && *name != '_')
		return false;
	for (; *name; name++)
		if (!is_letter(*name) && !is_digit(*name) && *name != '_')
			return false;
	return true;
}

const char *
component_yaml_id(struct arena *arena, const char *name)
{
	char *id = arena_alloc(arena, strlen(name) + 2);
	size_t n = 0;

	if (is_identifier(name))
		return arena_strdup(arena, name);
	for (; *name; name++) {
		if (!is_letter(*name) && !is_digit(*name)) {
			if (n && id[n - 1] != '_')
				id[n++] = '_';
			continue;
		}
		if (!n && is_digit(*name))
			id[n++] = 'n';
		id[n++] = is_letter(*name) ? (char)(*name | 0x20) : *name;
	}
	while (n && id[n - 1] == '_')
		n--;
	id[n] = '\0';
	return id;
}

/* A name without any letter of an identifier still needs one. */
static const char *
id_of(struct loading *l, const char *name, bool output, size_t index)
{
	const char *id = component_yaml_id(l->arena, name);

	return *id ? id : arena_printf(l->arena, "%s_%zu", output ? "output" : "input", index + 1);
}

/* Both by name and by id every port is the only one. `taken`: names and ids to ports. */
static void
check_collision(struct loading *l, struct map *taken, struct port *port)
{
	const struct port *other = map_get(taken, port->name);
	struct diag *diag;

	if (!other)
		other = map_get(taken, port->id);
	if (!other) {
		map_set(taken, port->name, port);
		map_set(taken, port->id, port);
		return;
	}
	if (!strcmp(other->name, port->name))
		diag = diags_add(l->diags, DIAG_L0508, port->span, "`%.100s` is declared twice", port->name);
	else
		diag = diags_add(l->diags, DIAG_L0508, port->span, "`%.100s` and `%.100s` are both reached as `%.100s`", other->name,
			port->name, port->id);
	diag_label(l->diags, diag, other->span, "the first");
}

/* ---- types and defaults ---- */

static const struct type *
load_type(struct loading *l, const struct yaml_node *node)
{
	if (!loading_has(node))
		return &TYPE_OF_ANY;
	if (node->value->kind != VALUE_STRING && node->value->kind != VALUE_DICT) {
		loading_is(l, node, VALUE_STRING, "a type");
		return &TYPE_OF_ANY;
	}
	if (node->value->kind == VALUE_DICT && node->n != 1) {
		diags_add(l->diags, DIAG_L0503, node->span, "a type with attributes is a map with one key, its name");
		return &TYPE_OF_ANY;
	}
	return type_from_yaml(l->arena, node->value);
}

static const struct value *
parse_number(struct arena *arena, const char *text, enum type_kind kind)
{
	char *end;

	errno = 0;
	if (kind == TYPE_INTEGER) {
		long long integer = strtoll(text, &end, 10);

		return *text && !*end && !errno ? value_integer(arena, integer) : NULL;
	}
	if (kind == TYPE_FLOAT && *text) {
		double number = strtod(text, &end);

		return !*end && !errno ? value_float(arena, number) : NULL;
	}
	return NULL;
}

/* A text as the value of the type that it stands for, or NULL. */
static const struct value *
parse_default(struct loading *l, const char *text, const struct type *type)
{
	struct error err;
	const struct value *value;

	switch (type->kind) {
	case TYPE_INTEGER:
	case TYPE_FLOAT:
		return parse_number(l->arena, text, type->kind);
	case TYPE_BOOLEAN:
		if (!strcmp(text, "true") || !strcmp(text, "false"))
			return value_boolean(*text == 't');
		return NULL;
	case TYPE_LIST:
	case TYPE_DICT:
		value = value_read_json(l->arena, text, strlen(text), &err);
		return value && value->kind == (type->kind == TYPE_LIST ? VALUE_LIST : VALUE_DICT) ? value : NULL;
	default:
		return NULL;
	}
}

static bool
is_written_as(const struct value *value, const char *text)
{
	CLEANUP(buf_release) struct buf plain = { 0 };

	value_write_plain(&plain, value);
	return !strcmp(buf_text(&plain), text);
}

/* The SDK hands a text on letter by letter, except that it reads the numbers of optional inputs. */
static const struct value *
typed_default(struct loading *l, const struct yaml_node *node, const struct port *port)
{
	const char *text = value_text(node->value);
	const struct value *typed;
	struct diag *diag;

	if (!text)
		return node->value;
	typed = parse_default(l, text, port->type);
	if (typed && (is_written_as(typed, text) || (port->optional && type_is_number(port->type))))
		return typed;
	if (!typed && type_is_number(port->type)) {
		diag = diags_add(l->diags, DIAG_L0511, node->span, "the default of `%.100s` is not of its type", port->name);
		diag_primary(l->diags, diag, "not %s", port->type->kind == TYPE_INTEGER ? "an Integer" : "a Float");
	}
	return node->value;
}

static void
load_default(struct loading *l, const struct yaml_node *node, struct port *port)
{
	if (!loading_has(node))
		return;
	if (port->type->kind == TYPE_SECRET)
		diags_add(l->diags, DIAG_L0515, node->span, "the secret `%.100s` has a default that everyone can read", port->name);
	else
		port->fallback = typed_default(l, node, port);
}

/* ---- ports ---- */

static const char *
load_name(struct loading *l, const struct yaml_node *node, const char *what)
{
	const struct yaml_node *name = yaml_get(node, "name");
	const char *text;

	if (!loading_has(name)) {
		diags_add(l->diags, DIAG_L0505, node->span, "%s has no `name`", what);
		return NULL;
	}
	text = loading_text(l, name, "a name");
	if (text && !*text) {
		diags_add(l->diags, DIAG_L0505, name->span, "the name of %s is empty", what);
		return NULL;
	}
	return text;
}

static bool
load_port(struct loading *l, const struct yaml_node *node, bool output, size_t index, struct port *port)
{
	const char *what = output ? "an output" : "an input";
	const struct yaml_node *doc, *optional;

	if (!loading_is(l, node, VALUE_DICT, what))
		return false;
	loading_check_keys(l, node, output ? output_keys : input_keys,
		output ? ARRAY_LEN(output_keys) : ARRAY_LEN(input_keys), what);
	port->name = load_name(l, node, what);
	if (!port->name)
		return false;
	port->id = id_of(l, port->name, output, index);
	port->span = yaml_get(node, "name")->span;
	port->type = load_type(l, yaml_get(node, "type"));
	doc = yaml_get(node, "description");
	if (loading_has(doc))
		port->doc = loading_text(l, doc, "`description`");
	optional = yaml_get(node, "optional");
	if (!output && loading_has(optional) && loading_is(l, optional, VALUE_BOOLEAN, "`optional`"))
		port->optional = optional->value->boolean;
	if (!output)
		load_default(l, yaml_get(node, "default"), port);
	return true;
}

static struct port *
load_list(struct loading *l, const struct yaml_node *list, bool output, size_t *ret_n)
{
	struct port *ports;
	struct map taken = { 0 };

	*ret_n = 0;
	if (!loading_has(list) || !loading_is(l, list, VALUE_LIST, output ? "`outputs`" : "`inputs`"))
		return NULL;
	if (list->n > COMPONENT_PORTS_MAX) {
		diags_add(l->diags, DIAG_L0503, list->span, "a component has at most %d inputs and as many outputs",
			COMPONENT_PORTS_MAX);
		return NULL;
	}
	ports = arena_alloc(l->arena, list->n * sizeof *ports);
	for (size_t i = 0; i < list->n; i++) {
		struct port *port = &ports[*ret_n];

		*port = (struct port){ 0 };
		if (!load_port(l, list->items[i], output, i, port))
			continue;
		check_collision(l, &taken, port);
		++*ret_n;
	}
	map_release(&taken);
	return ports;
}

void
loading_ports(struct loading *l, const struct yaml_node *document)
{
	struct component *component = l->component;

	component->inputs = l->inputs = load_list(l, yaml_get(document, "inputs"), false, &component->n_inputs);
	component->outputs = l->outputs = load_list(l, yaml_get(document, "outputs"), true, &component->n_outputs);
	l->by_value = arena_alloc(l->arena, component->n_inputs);
	l->by_path = arena_alloc(l->arena, component->n_inputs);
	l->written = arena_alloc(l->arena, component->n_outputs * sizeof *l->written);
}

size_t
loading_find_port(struct loading *l, bool output, const char *name, struct span span)
{
	const struct port *ports = output ? l->outputs : l->inputs;
	size_t n = output ? l->component->n_outputs : l->component->n_inputs;
	const char *what = output ? "output" : "input";
	CLEANUP(freep) const char **names = NULL;
	struct diag *diag;

	for (size_t i = 0; i < n; i++)
		if (!strcmp(ports[i].name, name))
			return i;
	diag = diags_add(l->diags, DIAG_L0507, span, "no %s named `%.100s`", what, name);
	/* Looking for near names is dear, and past the ceiling nobody would see them. */
	if (l->diags->n >= DIAGS_MAX)
		return SIZE_MAX;
	names = xcalloc(n, sizeof *names);
	for (size_t i = 0; i < n; i++)
		names[i] = ports[i].name;
	diag_near(l->diags, diag, what, span, name, names, n);
	return SIZE_MAX;
}

/* ---- what the placeholders say about the ports ---- */

/* A type whose values Kubeflow passes as text: Lateen's own, their aliases, and Kubeflow's other names for them. */
static bool
is_value_type(const struct type *type)
{
	static const struct type *const values[] = { &TYPE_OF_STRING, &TYPE_OF_INTEGER, &TYPE_OF_FLOAT, &TYPE_OF_BOOLEAN,
						     &TYPE_OF_LIST, &TYPE_OF_DICT };
	const struct type *known = type_predeclared(type->name);

	if (known)
		type = known;
	if (type->kind == TYPE_ANY)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		if (type->kind == values[i]->kind || type_fits(type, values[i]) == TYPE_FITS)
			return true;
	return false;
}

void
loading_settle_ports(struct loading *l)
{
	for (size_t i = 0; i < l->component->n_inputs; i++)
		l->inputs[i].passing = l->by_path[i] && !l->by_value[i] ? PASS_FILE : PASS_VALUE;
	for (size_t i = 0; i < l->component->n_outputs; i++) {
		struct port *port = &l->outputs[i];

		port->passing = is_value_type(port->type) ? PASS_VALUE : PASS_FILE;
		port->produced = port->produced || l->written[i].source || l->executor;
		/* After an error it may be the placeholder that was wrong. */
		if (!port->produced && l->errors == l->diags->n_errors)
			diags_add(l->diags, DIAG_L0510, port->span, "nothing says where the output `%.100s` is written", port->name);
	}
}
