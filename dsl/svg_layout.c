#include "config.h"

#include "dsl/svg_parts.h"

#include <string.h>

bool
svg_is_crowded(const struct graph *graph)
{
	return graph->n_nodes - 1 > SVG_NODES_MAX;
}

bool
svg_is_loop(const struct graph_node *node)
{
	return node->group_kind == GROUP_FOR || node->group_kind == GROUP_WHILE;
}

static double
width_of(const char *text, double size, enum text_face face)
{
	return text ? graph_text_width(text, strlen(text), size, face) : 0;
}

static double
clamp(double value, double least, double most)
{
	return value < least ? least : value > most ? most : value;
}

static double
badges_width(const struct graph_node *node)
{
	double width = 0;

	for (size_t i = 0; i < node->n_badges; i++)
		width += width_of(node->badges[i], BADGE_SIZE, TEXT_PLAIN) + 2 * BADGE_PAD + (i ? BADGE_APART : 0);
	return width;
}

static void
size_box(const struct graph_node *node, struct layout_node *box)
{
	double label = width_of(node->label, LABEL_SIZE, TEXT_BOLD) + STATE_ROOM;
	double sublabel = width_of(node->sublabel, SUBLABEL_SIZE, TEXT_PLAIN), badges = badges_width(node);
	double text = label > sublabel ? label : sublabel;

	text = text > badges ? text : badges;
	box->width = (int32_t)clamp(TEXT_LEFT + text + TEXT_RIGHT + 1, BOX_LEAST, BOX_MOST);
	box->height = node->n_badges ? BOX_HEIGHT_BADGES : BOX_HEIGHT;
}

static void
size_title(const struct graph_node *node, struct layout_node *box)
{
	double text = width_of(node->label, TITLE_SIZE, TEXT_MONO);

	box->width = (int32_t)(TITLE_LEFT + clamp(text, 0, TITLE_MOST) + TITLE_RIGHT) + 1 + (svg_is_loop(node) ? TITLE_ITEMS_ROOM : 0);
	box->height = TITLE_HEIGHT;
}

static void
size_header(const struct graph *graph, struct layout_node *box)
{
	double name = width_of(graph->nodes[0].label, NAME_SIZE, TEXT_BOLD) + HEADER_STATE_ROOM;
	double display = width_of(graph->plan->display, DISPLAY_SIZE, TEXT_PLAIN) + HEADER_STATE_ROOM;

	box->width = (int32_t)clamp(name > display ? name : display, 0, HEADER_MOST);
	box->height = HEADER_HEIGHT;
}

struct layout *
svg_layout(struct arena *arena, const struct graph *graph)
{
	struct layout *layout = arena_new_struct(arena, struct layout);

	layout->n_nodes = (uint32_t)graph->n_nodes;
	layout->n_edges = (uint32_t)graph->n_edges;
	layout->nodes = arena_alloc(arena, graph->n_nodes * sizeof *layout->nodes);
	layout->edges = arena_alloc(arena, graph->n_edges * sizeof *layout->edges);
	for (size_t i = 0; i < graph->n_nodes; i++) {
		const struct graph_node *node = &graph->nodes[i];
		struct layout_node *box = &layout->nodes[i];

		box->group = node->kind == GRAPH_GROUP;
		box->parent = (uint32_t)node->parent;
		if (!i)
			size_header(graph, box);
		else if (box->group)
			size_title(node, box);
		else
			size_box(node, box);
	}
	for (size_t i = 0; i < graph->n_edges; i++) {
		layout->edges[i].from = (uint32_t)graph->edges[i].from;
		layout->edges[i].to = (uint32_t)graph->edges[i].to;
	}
	layout_run(arena, layout);
	return layout;
}
