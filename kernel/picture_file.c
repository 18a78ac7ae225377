#include "config.h"

#include "kernel/picture_file.h"

#include <string.h>

#include "dsl/graph.h"
#include "dsl/graph_json.h"
#include "dsl/svg.h"
#include "dsl/tree.h"

static void
write_svg(struct buf *buf, struct arena *arena, struct graph *graph)
{
	graph = graph_fold(arena, graph, SVG_NODES_MAX);
	svg_write(buf, graph, svg_layout(arena, graph), SVG_AUTO);
}

static bool
ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && !strcmp(text + n - m, end);
}

int
picture_write(struct buf *buf, const struct plan *plan, const char *path, bool colour, struct error *err)
{
	struct arena *arena = arena_new();
	struct graph *graph = graph_new(arena, plan, NULL);
	int rc = 0;

	if (ends_with(path, ".svg"))
		write_svg(buf, arena, graph);
	else if (ends_with(path, ".json"))
		graph_json_write(buf, graph, svg_layout(arena, graph));
	else if (ends_with(path, ".txt") || !strcmp(path, "-"))
		tree_write(buf, graph, colour && !strcmp(path, "-") ? TREE_COLOUR : 0);
	else
		rc = error_set(err, "cannot tell what `%s` is to be: it should end in .svg, .json or .txt", path);
	arena_free(arena);
	return rc;
}
