#include "config.h"

#include "dsl/component_yaml.h"

#include <string.h>

#include "dsl/component_yaml_load.h"

static const char *const document_keys[] = { "name", "description", "metadata", "inputs", "outputs", "implementation",
					     "version" };
static const char *const metadata_keys[] = { "annotations", "labels" };
static const char *const implementation_keys[] = { "container", "graph" };

/* ---- metadata ---- */

static const struct expr *
text_expr(struct loading *l, const char *text, struct span span)
{
	struct expr *expr = arena_new_struct(l->arena, struct expr);

	expr->kind = EXPR_VALUE;
	expr->type = &TYPE_OF_STRING;
	expr->span = span;
	expr->value = value_string(l->arena, text);
	return expr;
}

static const struct setting_pair *
load_pairs(struct loading *l, const struct yaml_node *node, const char *what, size_t *ret_n)
{
	struct setting_pair *pairs;

	*ret_n = 0;
	if (!loading_has(node) || !loading_is(l, node, VALUE_DICT, what))
		return NULL;
	pairs = arena_alloc(l->arena, node->n * sizeof *pairs);
	for (size_t i = 0; i < node->n; i++) {
		const char *text = loading_scalar_text(l, node->items[i]);

		if (!text) {
			loading_is(l, node->items[i], VALUE_STRING, arena_printf(l->arena, "`%.100s`", node->value->dict.keys[i]));
			continue;
		}
		pairs[*ret_n].key = node->value->dict.keys[i];
		pairs[(*ret_n)++].value = text_expr(l, text, node->items[i]->span);
	}
	return pairs;
}

/* What a volatile component does depends on more than its inputs: its outcome is never taken from a cache. */
static void
note_volatile(struct loading *l)
{
	const struct component *component = l->component;
	struct settings *settings;

	for (size_t i = 0; i < component->n_annotations; i++) {
		if (strcmp(component->annotations[i].key, "volatile_component") ||
		    strcmp(value_text(component->annotations[i].value->value), "true"))
			continue;
		settings = arena_new_struct(l->arena, struct settings);
		settings->cache = CACHE_OFF;
		l->component->settings = settings;
	}
}

static void
load_metadata(struct loading *l, const struct yaml_node *metadata)
{
	struct component *component = l->component;

	if (!loading_has(metadata) || !loading_is(l, metadata, VALUE_DICT, "`metadata`"))
		return;
	loading_check_keys(l, metadata, metadata_keys, ARRAY_LEN(metadata_keys), "`metadata`");
	component->annotations = load_pairs(l, yaml_get(metadata, "annotations"), "`annotations`", &component->n_annotations);
	component->labels = load_pairs(l, yaml_get(metadata, "labels"), "`labels`", &component->n_labels);
	note_volatile(l);
}

/* ---- what is no component of the first form ---- */

static void
list_names(struct buf *ret, const struct yaml_node *definitions, const char *kind)
{
	const struct yaml_node *ports = yaml_get(definitions, kind);

	if (!ports || ports->value->kind != VALUE_DICT)
		return;
	for (size_t i = 0; i < ports->n; i++)
		buf_printf(ret, "%s`%.100s`", ret->len ? ", " : "", ports->value->dict.keys[i]);
}

/* "inputs: `a`, `b`" as a note, from the specification's root. */
static void
note_ports(struct loading *l, struct diag *diag, const struct yaml_node *root, const char *key, const char *label)
{
	CLEANUP(buf_release) struct buf names = { .max = 1000 };

	list_names(&names, yaml_get(root, key), "parameters");
	list_names(&names, yaml_get(root, key), "artifacts");
	if (names.len)
		diag_note(l->diags, diag, "%s: %s", label, buf_text(&names));
}

/* A specification of Kubeflow Pipelines 2: says what it holds. */
static void
report_v2(struct loading *l, const struct yaml_node *document)
{
	const struct yaml_node *info = yaml_get(document, "pipelineInfo"), *root = yaml_get(document, "root");
	const struct yaml_node *name = yaml_get(info, "name");
	struct span span = info ? info->span : document->span;
	struct diag *diag;

	diag = diags_add(l->diags, DIAG_L0513, span, "`%.100s` is a component of Kubeflow Pipelines 2",
		name && value_text(name->value) ? value_text(name->value) : l->component->name);
	diag_primary(l->diags, diag, "a compiled specification, not a component file");
	note_ports(l, diag, root, "inputDefinitions", "inputs");
	note_ports(l, diag, root, "outputDefinitions", "outputs");
	diag_help(l->diags, diag, "use the component file of the first form, or declare the component with its image and arguments");
}

static bool
is_v2(const struct yaml_node *document)
{
	return yaml_get(document, "pipelineInfo") || yaml_get(document, "deploymentSpec");
}

static void
report_no_component(struct loading *l, const struct yaml_node *document)
{
	const struct yaml_node *kind = yaml_get(document, "kind");
	struct diag *diag;

	if (document->value->kind != VALUE_DICT) {
		diags_add(l->diags, DIAG_L0502, document->span, "a component file is a map, not %s",
			loading_kind_name(document->value->kind));
		return;
	}
	diag = diags_add(l->diags, DIAG_L0502, document->n ? document->keys[0] : document->span, "the file has no `implementation`");
	if (kind && value_text(kind->value))
		diag_note(l->diags, diag, "it is a Kubernetes object of kind `%.100s`", value_text(kind->value));
	else
		loading_check_keys(l, document, document_keys, ARRAY_LEN(document_keys), "a component file");
}

/* ---- the document ---- */

static void
load_implementation(struct loading *l, const struct yaml_node *implementation)
{
	const struct yaml_node *container, *graph;

	if (!loading_is(l, implementation, VALUE_DICT, "`implementation`"))
		return;
	loading_check_keys(l, implementation, implementation_keys, ARRAY_LEN(implementation_keys), "`implementation`");
	container = yaml_get(implementation, "container");
	graph = yaml_get(implementation, "graph");
	l->component->kind = loading_has(container) ? COMPONENT_CONTAINER : COMPONENT_GRAPH;
	if (loading_has(container))
		loading_container(l, container);
	else if (loading_has(graph))
		loading_graph(l, graph);
	else
		diags_add(l->diags, DIAG_L0502, implementation->span, "`implementation` holds neither `container` nor `graph`");
}

static void
load_document(struct loading *l, const struct yaml_node *document)
{
	struct component *component = l->component;
	const struct yaml_node *name = yaml_get(document, "name"), *doc = yaml_get(document, "description");

	loading_check_keys(l, document, document_keys, ARRAY_LEN(document_keys), "a component file");
	component->spec = document->value;
	component->span = loading_has(name) ? name->span : document->span;
	if (loading_has(name))
		component->display = loading_text(l, name, "`name`");
	if (loading_has(doc))
		component->doc = loading_text(l, doc, "`description`");
	load_metadata(l, yaml_get(document, "metadata"));
	loading_ports(l, document);
	load_implementation(l, yaml_get(document, "implementation"));
	loading_settle_ports(l);
}

static const struct yaml_node *
read_document(struct loading *l, struct source *source)
{
	struct yaml yaml;
	struct yaml_problem problem;
	struct diag *diag;

	if (yaml_read(l->arena, source, &yaml, &problem)) {
		diag = diags_add(l->diags, DIAG_L0501, problem.span, "%s", problem.error.text);
		if (problem.other.source)
			diag_label(l->diags, diag, problem.other, "the first");
		return NULL;
	}
	if (!yaml.n) {
		diags_add(l->diags, DIAG_L0502, (struct span){ source, 0, 0 }, "the file is empty");
		return NULL;
	}
	if (is_v2(yaml.documents[0])) {
		report_v2(l, yaml.documents[0]);
		return NULL;
	}
	if (yaml.n > 1) {
		diags_add(l->diags, DIAG_L0502, yaml.documents[1]->span, "a component file holds one document, this one has %zu",
			yaml.n);
		return NULL;
	}
	if (!loading_has(yaml_get(yaml.documents[0], "implementation"))) {
		report_no_component(l, yaml.documents[0]);
		return NULL;
	}
	return yaml.documents[0];
}

const struct component *
component_from_yaml(struct unit *unit, const char *name, const char *url, struct diags *diags)
{
	struct component *component = arena_new_struct(unit->arena, struct component);
	struct loading l = { .arena = unit->arena, .diags = diags, .component = component,
			     .errors = diags->n_errors };
	const struct yaml_node *document;

	component->name = arena_strdup(unit->arena, name);
	component->url = url ? arena_strdup(unit->arena, url) : NULL;
	component->file = unit->source;
	document = read_document(&l, unit->source);
	if (document)
		load_document(&l, document);
	return document && l.errors == diags->n_errors ? component : NULL;
}
