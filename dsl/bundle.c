#include "config.h"

#include "dsl/bundle.h"

#include <stdint.h>
#include <string.h>

#include "base/value.h"
#include "dsl/graph_json.h"
#include "dsl/graph_text.h"
#include "dsl/svg.h"
#include "dsl/tree.h"

enum {
	ROWS_MAX = 1000,
	WIDE = 2400, /* pixels; a wider picture is made to fit the page */
	LONG_REASON = 40, /* bytes */
};

static void
put_base64(struct buf *buf, const char *bytes, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < len; i += 3) {
		uint32_t three = 0;
		char *four = buf_space(buf, 4);

		for (size_t k = 0; k < 3; k++)
			three = three << 8 | (i + k < len ? (unsigned char)bytes[i + k] : 0);
		if (!four)
			return;
		for (size_t k = 0; k < 4; k++)
			four[k] = i + k > len ? '=' : digits[three >> (18 - 6 * k) & 63];
		buf_commit(buf, 4);
	}
}

/* ---- HTML ---- */

/* User text, isolated from the direction of what is around it. */
static void
put_bdi(struct buf *buf, const char *text)
{
	buf_puts(buf, "<bdi>");
	graph_text_escape(buf, text, strlen(text));
	buf_puts(buf, "</bdi>");
}

static void
put_cell(struct buf *buf, const char *text)
{
	buf_puts(buf, "<td style=\"text-align:left\">");
	if (text)
		put_bdi(buf, text);
	buf_puts(buf, "</td>");
}

static void
put_badges_cell(struct buf *buf, const struct graph_node *node)
{
	buf_puts(buf, "<td style=\"text-align:left\">");
	for (size_t i = 0; i < node->n_badges; i++) {
		buf_puts(buf, i ? ", " : "");
		put_bdi(buf, node->badges[i]);
	}
	buf_puts(buf, "</td>");
}

/* Where a step stands: the heads of the groups around it. */
static void
put_group_cell(struct buf *buf, const struct graph *graph, const struct graph_node *node)
{
	size_t chain[PLAN_GROUP_DEPTH_MAX + 2], n = 0;

	for (size_t i = node->parent; i && n < sizeof chain / sizeof *chain; i = graph->nodes[i].parent)
		chain[n++] = i;
	buf_puts(buf, "<td style=\"text-align:left\">");
	while (n--) {
		put_bdi(buf, graph->nodes[chain[n]].label);
		buf_puts(buf, n ? "; " : "");
	}
	buf_puts(buf, "</td>");
}

static void
put_state_cells(struct buf *buf, const struct graph_state *state)
{
	buf_printf(buf, "<td style=\"text-align:left\">%s</td><td>", graph_phase_name(state->phase));
	if (state->seconds > 0)
		graph_text_duration(buf, state->seconds);
	buf_puts(buf, "</td><td>");
	if (state->total)
		buf_printf(buf, "%zu/%zu", state->done, state->total);
	else if (state->attempts)
		buf_printf(buf, "%u", state->attempts);
	buf_puts(buf, "</td>");
	put_cell(buf, state->message);
}

static void
put_row(struct buf *buf, const struct graph *graph, const struct graph_node *node)
{
	buf_puts(buf, "<tr><th scope=\"row\" style=\"text-align:left\">");
	put_bdi(buf, node->label);
	buf_puts(buf, "</th>");
	put_cell(buf, node->sublabel);
	put_badges_cell(buf, node);
	put_group_cell(buf, graph, node);
	if (graph->has_run)
		put_state_cells(buf, &node->state);
	buf_puts(buf, "</tr>");
}

static void
put_table(struct buf *buf, const struct graph *graph)
{
	size_t rows = 0, left_out = 0;

	buf_puts(buf, "<table><caption>Steps of ");
	put_bdi(buf, graph->nodes[0].label);
	if (graph->has_run && graph->run_id) {
		buf_puts(buf, " in run ");
		put_bdi(buf, graph->run_id);
	}
	buf_puts(buf, "</caption><thead><tr><th scope=\"col\">step</th><th scope=\"col\">runs</th><th scope=\"col\">settings</th>"
		      "<th scope=\"col\">inside</th>");
	if (graph->has_run)
		buf_puts(buf, "<th scope=\"col\">phase</th><th scope=\"col\">time</th><th scope=\"col\">attempts or items</th>"
			      "<th scope=\"col\">message</th>");
	buf_puts(buf, "</tr></thead><tbody>");
	for (size_t i = 1; i < graph->n_nodes; i++) {
		if (graph->nodes[i].kind == GRAPH_GROUP)
			continue;
		if (++rows > ROWS_MAX)
			left_out++;
		else
			put_row(buf, graph, &graph->nodes[i]);
	}
	buf_puts(buf, "</tbody></table>");
	if (left_out)
		buf_printf(buf, "<p>and %zu more</p>", left_out);
}

/* In an attribute: what isolates must not be cleaned away a second time. */
static void
put_alt(struct buf *buf, const struct graph *graph)
{
	struct buf words = { 0 };

	svg_describe(&words, graph);
	for (size_t i = 0; i < words.len; i++) {
		if (strchr("&<>\"'", words.data[i]))
			graph_text_escape(buf, words.data + i, 1);
		else
			buf_putc(buf, words.data[i]);
	}
	buf_release(&words);
}

/* The picture has room for the first words of a reason only; what is short, such as that a pod is getting ready, passes by itself, and
 * is not worth that all below moves. */
static bool
tells_why_it_waits(const struct graph *graph)
{
	for (size_t i = 1; graph->has_run && i < graph->n_nodes; i++)
		if (graph->nodes[i].state.phase == GRAPH_PENDING && graph->nodes[i].state.message &&
			strlen(graph->nodes[i].state.message) >= LONG_REASON)
			return true;
	return false;
}

static void
put_html(struct buf *buf, const struct graph *graph, const struct layout *layout, const struct buf *svg)
{
	buf_puts(buf, "<div style=\"overflow-x:auto\"><img alt=\"");
	put_alt(buf, graph);
	buf_printf(buf, "\" style=\"max-width:%s\" src=\"data:image/svg+xml;base64,", layout->width > WIDE ? "100%" : "none");
	put_base64(buf, buf_text(svg), svg->len);
	buf_printf(buf, "\"></div><details%s><summary>%zu %s</summary>", tells_why_it_waits(graph) ? " open" : "", graph->plan->n_steps,
		graph->plan->n_steps == 1 ? "step" : "steps");
	put_table(buf, graph);
	buf_puts(buf, "</details>");
}

void
bundle_write_html(struct buf *buf, const struct graph *graph, const struct layout *layout)
{
	struct buf svg = { 0 };

	svg_write(&svg, graph, layout, SVG_AUTO);
	put_html(buf, graph, layout, &svg);
	buf_release(&svg);
}

/* ---- the bundle ---- */

void
bundle_write_graph(struct buf *buf, const struct graph *graph, const struct layout *layout)
{
	struct buf svg = { 0 }, html = { 0 }, text = { 0 };

	svg_write(&svg, graph, layout, SVG_AUTO);
	put_html(&html, graph, layout, &svg);
	tree_write(&text, graph, 0);
	buf_puts(buf, "{\"" GRAPH_JSON_MIME "\":");
	graph_json_write(buf, graph, layout);
	buf_puts(buf, ",\"text/html\":");
	value_write_json_string(buf, buf_text(&html), html.len);
	buf_puts(buf, ",\"text/plain\":");
	value_write_json_string(buf, buf_text(&text), text.len);
	if (svg.len <= BUNDLE_SVG_MAX) {
		buf_puts(buf, ",\"image/svg+xml\":");
		value_write_json_string(buf, buf_text(&svg), svg.len);
	}
	buf_putc(buf, '}');
	buf_release(&svg);
	buf_release(&html);
	buf_release(&text);
}

void
bundle_write(struct buf *buf, const struct plan *plan, const struct graph_run *run)
{
	struct arena *arena = arena_new();
	struct graph *graph = graph_fold(arena, graph_new(arena, plan, run), SVG_NODES_MAX);

	bundle_write_graph(buf, graph, svg_layout(arena, graph));
	arena_free(arena);
}
