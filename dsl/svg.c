#include "config.h"

#include "dsl/svg.h"

#include <string.h>

#include "dsl/svg_parts.h"

enum { FAILURES_NAMED = 5 };

/* ---- in words ---- */

static void
describe_count(struct buf *buf, size_t n, const char *one, const char *many)
{
	buf_printf(buf, "%zu %s", n, n == 1 ? one : many);
}

static void
describe_failures(struct buf *buf, const struct graph *graph)
{
	size_t failed = graph->phases[GRAPH_FAILED] + graph->phases[GRAPH_ERROR], named = 0;

	if (!failed)
		return;
	buf_puts(buf, " Failed:");
	for (size_t i = 1; i < graph->n_nodes && named < FAILURES_NAMED; i++) {
		const struct graph_node *node = &graph->nodes[i];

		if (node->kind != GRAPH_STEP || !graph_phase_failed(node->state.phase))
			continue;
		buf_puts(buf, named++ ? ", " : " ");
		graph_text_isolate(buf, node->label);
		if (node->state.message) {
			buf_puts(buf, " (");
			graph_text_isolate(buf, node->state.message);
			buf_puts(buf, ")");
		}
	}
	if (named && failed > named)
		buf_printf(buf, " and %zu more", failed - named);
	else if (!named)
		buf_printf(buf, " %zu", failed);
	buf_puts(buf, ".");
}

void
svg_describe(struct buf *buf, const struct graph *graph)
{
	size_t groups = 0;
	const char *apart = " Steps: ";

	for (size_t i = 1; i < graph->n_nodes; i++)
		groups += graph->nodes[i].kind != GRAPH_STEP;
	buf_puts(buf, "Pipeline ");
	graph_text_isolate(buf, graph->nodes[0].label);
	if (graph->plan->display) {
		buf_puts(buf, " (");
		graph_text_isolate(buf, graph->plan->display);
		buf_puts(buf, ")");
	}
	buf_puts(buf, ": ");
	describe_count(buf, graph->plan->n_steps, "step", "steps");
	if (groups) {
		buf_puts(buf, " and ");
		describe_count(buf, groups, "branch or loop", "branches or loops");
	}
	buf_puts(buf, ".");
	if (!graph->has_run)
		return;
	buf_printf(buf, " The run is %s.", graph_phase_name(graph->run_phase));
	for (int phase = 0; phase < GRAPH_PHASE_MAX; phase++) {
		if (!graph->phases[phase])
			continue;
		buf_printf(buf, "%s%zu %s", apart, graph->phases[phase], graph_phase_name((enum graph_phase)phase));
		apart = ", ";
	}
	buf_puts(buf, ".");
	describe_failures(buf, graph);
}

/* ---- the document ---- */

static void
put_run(struct buf *buf, const struct graph *graph, int right)
{
	size_t ended = graph->plan->n_steps - graph->phases[GRAPH_PENDING] - graph->phases[GRAPH_RUNNING];
	struct buf text = { 0 };

	buf_printf(&text, "%s · %zu of %zu", graph_phase_name(graph->run_phase), ended, graph->plan->n_steps);
	if (graph->run_seconds > 0) {
		buf_puts(&text, " · ");
		graph_text_duration(&text, graph->run_seconds);
	}
	buf_printf(buf, "<text class=\"lt-time\" x=\"%d\" y=\"29\">%s</text>", right - 24, buf_text(&text));
	buf_printf(buf, "<use href=\"#lt-g%s\" x=\"%d\" y=\"25\"/>", graph_phase_name(graph->run_phase), right - 8);
	buf_release(&text);
}

static void
put_header(struct buf *buf, const struct graph *graph, const struct layout *layout)
{
	const char *display = graph->plan->display;
	double room = layout->width - 20 - (graph->has_run ? HEADER_STATE_ROOM : 20);
	struct svg_text name = { "lt-name", 20, display ? 27 : 32, room, NAME_SIZE, TEXT_BOLD };
	struct svg_text below = { "lt-sub lt-display", 20, 45, room, DISPLAY_SIZE, TEXT_PLAIN };

	svg_put_text(buf, &name, graph->nodes[0].label);
	if (display)
		svg_put_text(buf, &below, display);
	if (graph->has_run)
		put_run(buf, graph, layout->width - 20);
}

static void
put_head(struct buf *buf, const struct graph *graph, const struct layout *layout, enum svg_theme theme)
{
	int width = layout->width + 2 * MARGIN, height = layout->height + 2 * MARGIN;
	struct buf words = { 0 };

	svg_describe(&words, graph);
	buf_printf(buf, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"%d %d %d %d\" class=\"lt\" role=\"img\">", width,
		height, -MARGIN, -MARGIN, width, height);
	buf_puts(buf, "<title>");
	graph_text_escape(buf, graph->nodes[0].label, strlen(graph->nodes[0].label));
	buf_puts(buf, "</title><desc>");
	/* Already cleaned; what it isolates stays so. */
	for (size_t i = 0; i < words.len; i++) {
		if (words.data[i] == '&' || words.data[i] == '<' || words.data[i] == '>')
			graph_text_escape(buf, words.data + i, 1);
		else
			buf_putc(buf, words.data[i]);
	}
	buf_puts(buf, "</desc>");
	buf_release(&words);
	svg_style(buf, theme);
	svg_defs(buf, graph);
	buf_printf(buf, "<rect class=\"lt-page\" width=\"%d\" height=\"%d\" rx=\"14\"/>", layout->width, layout->height);
}

static void
put_crowd(struct buf *buf, const struct graph *graph, const struct layout *layout)
{
	buf_puts(buf, "<g class=\"lt-far\">");
	svg_edges(buf, graph, layout);
	svg_plain_boxes(buf, graph, layout);
	buf_puts(buf, "</g>");
}

static void
put_parts(struct buf *buf, const struct graph *graph, const struct layout *layout)
{
	for (size_t i = 1; i < graph->n_nodes; i++)
		if (layout->nodes[i].group)
			svg_group(buf, graph, i, &layout->nodes[i]);
	svg_edges(buf, graph, layout);
	for (size_t i = 1; i < graph->n_nodes; i++)
		if (!layout->nodes[i].group)
			svg_box(buf, graph, i, &layout->nodes[i]);
}

void
svg_write(struct buf *buf, const struct graph *graph, const struct layout *layout, enum svg_theme theme)
{
	put_head(buf, graph, layout, theme);
	put_header(buf, graph, layout);
	if (svg_is_crowded(graph))
		put_crowd(buf, graph, layout);
	else
		put_parts(buf, graph, layout);
	buf_puts(buf, "</svg>\n");
}
