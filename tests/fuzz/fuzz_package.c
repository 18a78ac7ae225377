/* A pipeline's package from any bytes: what is taken is a Workflow with templates. */
#include "config.h"

#include <stdint.h>
#include <string.h>

#include "base/value.h"
#include "runtime/cluster/package_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct error err = { "" };
	const struct value *workflow = package_read(arena, "x", (const char *)data, size, &err);

	if (workflow && !value_count(value_get(value_get(workflow, "spec"), "templates")))
		BUG("a workflow without templates");
	if (!workflow && !*err.text)
		BUG("no workflow, and nothing said");
	arena_free(arena);
	return 0;
}
