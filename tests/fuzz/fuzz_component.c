/* Component files: whatever comes, it is a component or problems that point into it; a component can be shown, and its
 * arguments resolved with all inputs given and with none. */
#include "config.h"

#include <stdint.h>

#include "base/arena.h"
#include "dsl/component_card.h"
#include "dsl/component_json.h"
#include "dsl/component_yaml.h"
#include "dsl/resolve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
given(void *context, size_t input)
{
	(void)input;
	return *(const bool *)context;
}

static const char *
text(void *context, size_t input)
{
	(void)context;
	return input % 2 ? "true" : NULL;
}

static void
try_resolve(struct arena *arena, const struct component *component, bool all)
{
	struct resolve_inputs inputs = { given, text, &all };
	struct resolved resolved;
	struct span span;
	struct error err;

	(void)resolve_component(arena, component, &inputs, &resolved, &span, &err);
}

static void
use(struct arena *arena, const struct component *component)
{
	CLEANUP(buf_release) struct buf shown = { 0 };

	try_resolve(arena, component, true);
	try_resolve(arena, component, false);
	value_write_json(&shown, component_json(arena, component));
	component_write_bundle(&shown, component);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source *source = source_new("x.yaml", (const char *)data, size);
	struct unit *unit = unit_new(source);
	const struct component *component;
	struct diags diags;

	diags_init(&diags);
	component = component_from_yaml(unit, "thing", NULL, &diags);
	if (!component && !diags.n_errors)
		BUG("neither a component nor a problem");
	for (size_t i = 0; i < diags.n; i++)
		if (diags.items[i]->span.start > diags.items[i]->span.end || diags.items[i]->span.end > size)
			BUG("a problem outside the text");
	if (component)
		use(unit->arena, component);
	diags_release(&diags);
	unit_unref(unit);
	source_unref(source);
	return 0;
}
