#include "config.h"

#include "dsl/type.h"

#include <string.h>

const struct type TYPE_OF_ANY = { .kind = TYPE_ANY, .name = "" };
const struct type TYPE_OF_STRING = { .kind = TYPE_STRING, .name = "String" };
const struct type TYPE_OF_INTEGER = { .kind = TYPE_INTEGER, .name = "Integer" };
const struct type TYPE_OF_FLOAT = { .kind = TYPE_FLOAT, .name = "Float" };
const struct type TYPE_OF_BOOLEAN = { .kind = TYPE_BOOLEAN, .name = "Boolean" };
const struct type TYPE_OF_LIST = { .kind = TYPE_LIST, .name = "List" };
const struct type TYPE_OF_DICT = { .kind = TYPE_DICT, .name = "Dict" };
const struct type TYPE_OF_ARTIFACT = { .kind = TYPE_ARTIFACT, .name = "Artifact" };
const struct type TYPE_OF_SECRET = { .kind = TYPE_SECRET, .name = "Secret" };
const struct type TYPE_OF_NULL = { .kind = TYPE_NULL, .name = "null" };

static const struct type dataset = { .kind = TYPE_ARTIFACT, .name = "Dataset" };
static const struct type model = { .kind = TYPE_ARTIFACT, .name = "Model" };
static const struct type metrics = { .kind = TYPE_ARTIFACT, .name = "Metrics" };
static const struct type markdown = { .kind = TYPE_ARTIFACT, .name = "Markdown" };
static const struct type html = { .kind = TYPE_ARTIFACT, .name = "HTML" };
static const struct type gcs_path = { .kind = TYPE_STRING, .name = "GCSPath", .base = &TYPE_OF_STRING };
static const struct type uri = { .kind = TYPE_STRING, .name = "URI", .base = &TYPE_OF_STRING };

static const struct type *const predeclared[] = {
	&TYPE_OF_STRING, &TYPE_OF_INTEGER, &TYPE_OF_FLOAT, &TYPE_OF_BOOLEAN, &TYPE_OF_LIST, &TYPE_OF_DICT,
	&TYPE_OF_ARTIFACT, &dataset, &model, &metrics, &markdown, &html, &TYPE_OF_SECRET, &gcs_path, &uri,
};

static const char *const predeclared_names[] = {
	"String", "Integer", "Float", "Boolean", "List", "Dict", "Artifact", "Dataset", "Model", "Metrics", "Markdown",
	"HTML", "Secret", "GCSPath", "URI", NULL,
};

const struct type *
type_predeclared(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(predeclared); i++)
		if (!strcmp(predeclared[i]->name, name))
			return predeclared[i];
	return NULL;
}

const char *const *
type_predeclared_names(void)
{
	return predeclared_names;
}

/* An alias is Lateen's notion: in a component.yaml its name is a type like any other, which its base does not fit and
 * which does not fit its base. */
static const struct type *
opaque(struct arena *arena, const char *name, const struct value *structure)
{
	const struct type *known = structure ? NULL : type_predeclared(name);
	struct type *t;

	if (known && !known->base)
		return known;
	t = arena_new_struct(arena, struct type);
	t->kind = TYPE_OPAQUE;
	t->name = arena_strdup(arena, name);
	t->structure = structure;
	return t;
}

const struct type *
type_from_yaml(struct arena *arena, const struct value *type)
{
	const struct value *structure;

	if (!type || type->kind == VALUE_NULL)
		return &TYPE_OF_ANY;
	if (type->kind == VALUE_STRING)
		return *type->string.text ? opaque(arena, type->string.text, NULL) : &TYPE_OF_ANY;
	if (type->kind == VALUE_DICT && type->dict.n == 1) {
		structure = type->dict.items[0];
		if (structure->kind == VALUE_NULL || (structure->kind == VALUE_DICT && !structure->dict.n))
			structure = NULL;
		return opaque(arena, type->dict.keys[0], structure ? value_clone(arena, structure) : NULL);
	}
	return &TYPE_OF_ANY;
}

bool
type_is_file(const struct type *type)
{
	return type->kind == TYPE_ARTIFACT;
}

bool
type_is_number(const struct type *type)
{
	return type->kind == TYPE_INTEGER || type->kind == TYPE_FLOAT;
}

/* Names that Kubeflow's own components use for what Lateen has under another name. */
static enum type_kind
kind_of_foreign(const char *name)
{
	static const struct {
		const char *name;
		enum type_kind kind;
	} names[] = {
		{ "Bool", TYPE_BOOLEAN }, { "JsonArray", TYPE_LIST }, { "JsonObject", TYPE_DICT },
		{ "bool", TYPE_BOOLEAN }, { "dict", TYPE_DICT }, { "float", TYPE_FLOAT }, { "int", TYPE_INTEGER },
		{ "list", TYPE_LIST }, { "str", TYPE_STRING },
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!strcmp(names[i].name, name))
			return names[i].kind;
	return TYPE_OPAQUE;
}

/* Every attribute of the producer's type is there, and equal, in the consumer's: Kubeflow's rule. */
static bool
structure_fits(const struct value *from, const struct value *to)
{
	if (!from)
		return true;
	if (!to)
		return false;
	if (from->kind != VALUE_DICT || to->kind != VALUE_DICT)
		return value_equal(from, to);
	for (size_t i = 0; i < from->dict.n; i++) {
		const struct value *other = value_get(to, from->dict.keys[i]);

		if (!other || !value_equal(from->dict.items[i], other))
			return false;
	}
	return true;
}

static bool
same_name(const struct type *a, const struct type *b)
{
	return !strcmp(a->name, b->name);
}

static enum type_fit
opaque_fits(const struct type *from, const struct type *to)
{
	enum type_kind foreign;

	if (same_name(from, to))
		return structure_fits(from->structure, to->structure) ? TYPE_FITS : TYPE_MISFITS;
	if (to->kind == TYPE_OPAQUE && from->kind != TYPE_OPAQUE) {
		foreign = kind_of_foreign(to->name);
		if (foreign == from->kind)
			return TYPE_FITS;
		/* The text is what Kubeflow hands over anyway; only the author knows whether it is meant. */
		return from->kind == TYPE_STRING && !from->base ? TYPE_IF_LITERAL : TYPE_MISFITS;
	}
	if (from->kind == TYPE_OPAQUE && to->kind != TYPE_OPAQUE && !to->base)
		return kind_of_foreign(from->name) == to->kind ? TYPE_FITS : TYPE_MISFITS;
	return TYPE_MISFITS;
}

static enum type_fit
file_fits(const struct type *from, const struct type *to)
{
	for (const struct type *t = from; t; t = t->base)
		if (same_name(t, to))
			return TYPE_FITS;
	return !strcmp(to->name, "Artifact") ? TYPE_FITS : TYPE_MISFITS;
}

static enum type_fit
value_fits(const struct type *from, const struct type *to)
{
	for (const struct type *t = from; t; t = t->base)
		if (t->kind == to->kind && same_name(t, to))
			return TYPE_FITS;
	if (to->base)
		return !from->base && (from->kind == to->kind || (from->kind == TYPE_INTEGER && to->kind == TYPE_FLOAT)) ?
			TYPE_IF_LITERAL : TYPE_MISFITS;
	return from->kind == TYPE_INTEGER && to->kind == TYPE_FLOAT ? TYPE_FITS : TYPE_MISFITS;
}

enum type_fit
type_fits(const struct type *from, const struct type *to)
{
	if (from->kind == TYPE_SECRET || to->kind == TYPE_SECRET)
		return from->kind == to->kind ? TYPE_FITS : TYPE_MISFITS;
	if (from->kind == TYPE_ANY || to->kind == TYPE_ANY)
		return TYPE_FITS;
	if (from->kind == TYPE_OPAQUE || to->kind == TYPE_OPAQUE)
		return opaque_fits(from, to);
	if (from->kind == TYPE_ARTIFACT && to->kind == TYPE_ARTIFACT)
		return file_fits(from, to);
	return value_fits(from, to);
}

static const struct type *
item_type(const struct value *list)
{
	const struct type *item = NULL;

	for (size_t i = 0; i < list->list.n; i++) {
		const struct type *t = type_of_value(list->list.items[i]);

		if (item && item != t && type_is_number(item) && type_is_number(t))
			t = &TYPE_OF_FLOAT;
		else if (item && item != t)
			return NULL;
		item = t;
	}
	return item;
}

/* Lists whose items have one of the simple types get a constant of their own, so that no memory is needed here. */
static const struct type *
type_of_list(const struct value *list)
{
	static const struct type lists[] = {
		{ .kind = TYPE_LIST, .name = "List", .item = &TYPE_OF_STRING },
		{ .kind = TYPE_LIST, .name = "List", .item = &TYPE_OF_INTEGER },
		{ .kind = TYPE_LIST, .name = "List", .item = &TYPE_OF_FLOAT },
		{ .kind = TYPE_LIST, .name = "List", .item = &TYPE_OF_BOOLEAN },
		{ .kind = TYPE_LIST, .name = "List", .item = &TYPE_OF_DICT },
	};
	const struct type *item = item_type(list);

	for (size_t i = 0; item && i < ARRAY_LEN(lists); i++)
		if (lists[i].item == item)
			return &lists[i];
	return &TYPE_OF_LIST;
}

const struct type *
type_of_value(const struct value *value)
{
	switch (value->kind) {
	case VALUE_NULL:
		return &TYPE_OF_NULL;
	case VALUE_BOOLEAN:
		return &TYPE_OF_BOOLEAN;
	case VALUE_INTEGER:
		return &TYPE_OF_INTEGER;
	case VALUE_FLOAT:
		return &TYPE_OF_FLOAT;
	case VALUE_STRING:
		return &TYPE_OF_STRING;
	case VALUE_LIST:
		return type_of_list(value);
	case VALUE_DICT:
		return &TYPE_OF_DICT;
	}
	BUG("value of kind %d", (int)value->kind);
}

void
type_write(struct buf *buf, const struct type *type)
{
	if (type->kind == TYPE_ANY) {
		buf_puts(buf, "any");
		return;
	}
	buf_puts(buf, type->name);
	if (type->base)
		buf_printf(buf, " (%s)", type->base->name);
	if (type->structure) {
		buf_putc(buf, ' ');
		value_write_json(buf, type->structure);
	}
	if (type->kind == TYPE_LIST && type->item) {
		buf_puts(buf, " of ");
		type_write(buf, type->item);
	}
}
