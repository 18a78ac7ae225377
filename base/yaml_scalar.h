/* What a YAML 1.1 scalar means, as PyYAML's safe loader has it (yaml/resolver.py, yaml/constructor.py). */
#ifndef BASE_YAML_SCALAR_H
#define BASE_YAML_SCALAR_H

#include <stddef.h>

#include "base/arena.h"
#include "base/value.h"

/* The kind of a plain scalar: null, Boolean, Integer, Float or String. */
enum value_kind yaml_scalar_kind(const char *text, size_t len);
/* The text read as that kind; NULL when it is none. Text has a NUL behind it and none within. */
const struct value *yaml_scalar_value(struct arena *arena, enum value_kind kind, const char *text, size_t len);

#endif
