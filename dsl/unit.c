#include "config.h"

#include <stdlib.h>

#include "dsl/ast.h"

struct unit *
unit_new(struct source *source)
{
	struct unit *unit = xcalloc(1, sizeof(*unit));

	unit->refs = 1;
	unit->arena = arena_new();
	unit->source = source_ref(source);
	return unit;
}

struct unit *
unit_ref(struct unit *unit)
{
	__atomic_add_fetch(&unit->refs, 1, __ATOMIC_RELAXED);
	return unit;
}

void
unit_unref(struct unit *unit)
{
	if (!unit || __atomic_sub_fetch(&unit->refs, 1, __ATOMIC_ACQ_REL))
		return;
	arena_free(unit->arena);
	source_unref(unit->source);
	free(unit);
}
