/* The YAML reader: whatever comes, it ends, stays within its ceilings, and every span lies in the text. */
#include "config.h"

#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_span(const struct source *source, struct span span)
{
	if (span.source != source || span.start > span.end || span.end > source->len)
		BUG("a span from %u to %u in %zu bytes", span.start, span.end, source->len);
}

/* Without following aliases into what they share: that is seen where it stands. */
static void
check_node(const struct source *source, const struct yaml_node *node, uint32_t start)
{
	check_span(source, node->span);
	if (node->span.start < start)
		return;
	for (size_t i = 0; i < node->n; i++) {
		if (node->keys)
			check_span(source, node->keys[i]);
		check_node(source, node->items[i], node->span.start);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct source *source = source_new("x.yaml", (const char *)data, size);
	CLEANUP(buf_release) struct buf json = { 0 };
	struct yaml yaml;
	struct yaml_problem problem;

	if (yaml_read(arena, source, &yaml, &problem)) {
		check_span(source, problem.span);
		if (!problem.error.text[0])
			BUG("a problem without words");
	} else {
		for (size_t i = 0; i < yaml.n; i++) {
			check_node(source, yaml.documents[i], 0);
			value_write_json(&json, yaml.documents[i]->value);
		}
	}
	source_unref(source);
	arena_free(arena);
	return 0;
}
