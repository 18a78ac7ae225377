/* Types of values and files, and what fits what (docs/language.md §3).
 *
 * Types are immutable; predeclared ones are constants, others live in the arena of the unit that declared them. */
#ifndef DSL_TYPE_H
#define DSL_TYPE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/value.h"

enum type_kind {
	TYPE_ANY, /* untyped, as in a component.yaml without a type: fits all and all fit it */
	TYPE_STRING, TYPE_INTEGER, TYPE_FLOAT, TYPE_BOOLEAN, TYPE_LIST, TYPE_DICT,
	TYPE_ARTIFACT, /* by file: Artifact Dataset Model Metrics Markdown HTML, told apart by name */
	TYPE_SECRET, /* a reference, never text */
	TYPE_OPAQUE, /* any other type name of a component.yaml; equal to the type of the same name and structure */
	TYPE_NULL, /* of the literal `null` */
};

struct type {
	enum type_kind kind; /* an alias has its base's kind */
	const char *name; /* "Integer", "GCSPath", "UI metadata"; "" for TYPE_ANY */
	const struct type *base; /* of an alias; NULL otherwise */
	const struct value *structure; /* a component.yaml type that is a map: its attributes; NULL otherwise */
	const struct type *item; /* of a List whose items' type is known; NULL otherwise */
};

extern const struct type TYPE_OF_ANY, TYPE_OF_STRING, TYPE_OF_INTEGER, TYPE_OF_FLOAT, TYPE_OF_BOOLEAN, TYPE_OF_LIST, TYPE_OF_DICT,
	TYPE_OF_ARTIFACT, TYPE_OF_SECRET, TYPE_OF_NULL;

/* A predeclared type (String … Dict, Artifact Dataset Model Metrics Markdown HTML, Secret, GCSPath, URI), or NULL. */
const struct type *type_predeclared(const char *name);
/* The names of all predeclared types; ends with NULL. */
const char *const *type_predeclared_names(void);
/* Kubeflow's type of a component.yaml: a name, a map with one name, or nothing. Lives in the arena. */
const struct type *type_from_yaml(struct arena *arena, const struct value *type);

bool type_is_file(const struct type *type);
bool type_is_number(const struct type *type);

enum type_fit { TYPE_FITS, TYPE_MISFITS, TYPE_IF_LITERAL /* fits only when the value is a string literal */ };

/* May a value of type `from` be given where `to` is wanted? */
enum type_fit type_fits(const struct type *from, const struct type *to);
const struct type *type_of_value(const struct value *value);
/* "Integer", "GCSPath (String)", "List of Integer", "any". */
void type_write(struct buf *buf, const struct type *type);

#endif
