/* Lays out a graph for tests and measurements.
 *
 *     layout_tool list                 names of the fixtures, one a line
 *     layout_tool NAME                 the layout of one as JSON
 *     layout_tool NAME --time [N]      milliseconds of processor time that the fastest of N (3) layouts took */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "dsl/layout.h"
#include "tests/dsl/graph_fixtures.h"

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int
measure(const char *name, int times)
{
	double best = 1e18;

	for (int i = 0; i < times; i++) {
		struct arena *arena = arena_new();
		struct layout *layout = graph_fixture(arena, name);
		double start = now();

		layout_run(arena, layout);
		best = now() - start < best ? now() - start : best;
		arena_free(arena);
	}
	printf("%.3f\n", best);
	return 0;
}

static void
print_edge(const struct layout *layout, const struct layout_edge *edge)
{
	printf("{\"from\":%u,\"to\":%u,\"lines\":[", (unsigned)edge->from, (unsigned)edge->to);
	for (uint32_t i = 0; i < edge->n_lines; i++)
		printf("%s%u", i ? "," : "", (unsigned)edge->lines[i]);
	printf("]}");
	(void)layout;
}

static void
print_json(const struct layout *layout)
{
	printf("{\"width\":%d,\"height\":%d,\"nodes\":[", layout->width, layout->height);
	for (uint32_t i = 0; i < layout->n_nodes; i++) {
		const struct layout_node *n = &layout->nodes[i];

		printf("%s\n{\"group\":%s,\"parent\":%u,\"width\":%d,\"height\":%d,\"x\":%d,\"y\":%d,\"w\":%d,\"h\":%d,\"title_x\":%d}",
			i ? "," : "", n->group ? "true" : "false", (unsigned)n->parent, n->width, n->height, n->x, n->y, n->w, n->h,
			n->title_x);
	}
	printf("],\n\"edges\":[");
	for (uint32_t i = 0; i < layout->n_edges; i++) {
		printf("%s\n", i ? "," : "");
		print_edge(layout, &layout->edges[i]);
	}
	printf("],\n\"lines\":[");
	for (uint32_t i = 0; i < layout->n_lines; i++) {
		printf("%s\n[", i ? "," : "");
		for (uint32_t k = 0; k < layout->lines[i].n; k++)
			printf("%s[%d,%d]", k ? "," : "", layout->lines[i].points[k].x, layout->lines[i].points[k].y);
		printf("]");
	}
	printf("]}\n");
}

int
main(int argc, char **argv)
{
	struct arena *arena = arena_new();
	struct layout *layout = argc > 1 ? graph_fixture(arena, argv[1]) : NULL;
	int status = 0;

	if (argc == 2 && !strcmp(argv[1], "list")) {
		for (int i = 0; i < GRAPH_FIXTURES; i++)
			puts(graph_fixture_names[i]);
	} else if (!layout) {
		fprintf(stderr, "usage: layout_tool list | NAME [--time [N]]\n");
		status = 2;
	} else if (argc > 2 && !strcmp(argv[2], "--time")) {
		status = measure(argv[1], argc > 3 ? (int)strtol(argv[3], NULL, 10) : 3);
	} else {
		layout_run(arena, layout);
		print_json(layout);
	}
	arena_free(arena);
	return status;
}
