#include "config.h"

#include "dsl/svg_parts.h"

#include <string.h>

enum { LABEL_Y = 24, LABEL_ALONE_Y = 33, SUBLABEL_Y = 42, BADGE_Y = 53, BADGE_HEIGHT = 17, GLYPH_X = 29, MARK_X = 7, MARK_WIDTH = 6 };

void
svg_put_text(struct buf *buf, const struct svg_text *style, const char *text)
{
	size_t len = strlen(text), fit = graph_text_fit(text, len, style->room, style->size, style->face);

	buf_printf(buf, "<text class=\"%s\" x=\"%.6g\" y=\"%.6g\"><tspan>", style->class, style->x, style->y);
	graph_text_escape(buf, text, fit);
	if (fit < len)
		buf_puts(buf, "…");
	buf_puts(buf, "</tspan></text>");
}

/* "3m 12s", with attempts or items in front where they tell something and `all` is wanted. */
static void
state_text(struct buf *buf, const struct graph_state *state, bool all)
{
	const char *apart = "";

	if (all && state->total > 0) {
		buf_printf(buf, "%zu/%zu", state->done, state->total);
		apart = " · ";
	} else if (all && state->attempts > 1) {
		buf_printf(buf, "×%u", state->attempts);
		apart = " · ";
	}
	if (state->seconds > 0) {
		buf_puts(buf, apart);
		graph_text_duration(buf, state->seconds);
	}
}

/* ---- what a pointer sees ---- */

static void
put_title(struct buf *buf, const struct graph *graph, const struct graph_node *node)
{
	buf_puts(buf, "<title>");
	graph_text_escape(buf, node->label, strlen(node->label));
	if (node->sublabel) {
		buf_puts(buf, " — ");
		graph_text_escape(buf, node->sublabel, strlen(node->sublabel));
	}
	for (size_t i = 0; i < node->n_badges; i++) {
		buf_puts(buf, i ? ", " : "; ");
		graph_text_escape(buf, node->badges[i], strlen(node->badges[i]));
	}
	if (graph->has_run) {
		buf_printf(buf, "; %s", graph_phase_name(node->state.phase));
		if (node->state.attempts > 1)
			buf_printf(buf, " after %u attempts", node->state.attempts);
		if (node->state.message) {
			buf_puts(buf, ": ");
			graph_text_escape(buf, node->state.message, strlen(node->state.message));
		}
	}
	buf_puts(buf, "</title>");
}

/* ---- boxes ---- */

static const char *
glyph_of(const struct graph *graph, const struct graph_node *node)
{
	if (graph->has_run)
		return graph_phase_name(node->state.phase);
	if (node->kind == GRAPH_FOLDED)
		return "folded";
	return graph->plan->steps[node->index].component->kind == COMPONENT_PROCESS ? "process" : "container";
}

/* The upright mark at the left, in the phase's colour and pattern. */
static void
put_mark(struct buf *buf, const struct graph_node *node, const struct layout_node *box)
{
	const char *phase = graph_phase_name(node->state.phase);
	int x = box->x + MARK_X, y = box->y + 9, height = box->h - 18;

	buf_printf(buf, "<rect class=\"lt-%s lt-flat\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"3\"%s/>", phase, x, y, MARK_WIDTH,
		height, node->state.phase == GRAPH_PENDING ? " opacity=\".35\"" : "");
	if (node->state.phase == GRAPH_PENDING || node->state.phase == GRAPH_SUCCEEDED)
		return;
	buf_printf(buf, "<rect fill=\"url(#lt-p%s)\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"3\"/>", phase, x, y, MARK_WIDTH,
		height);
}

static void
put_frame(struct buf *buf, const struct graph *graph, const struct graph_node *node, const struct layout_node *box)
{
	enum graph_phase phase = node->state.phase;

	buf_printf(buf, "<rect class=\"lt-shade\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"10\"/>", box->x, box->y + 2, box->w,
		box->h);
	if (node->kind == GRAPH_FOLDED)
		buf_printf(buf, "<rect class=\"lt-box\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"9\"/>", box->x + 4, box->y + 4,
			box->w - 4, box->h);
	buf_printf(buf, "<rect class=\"lt-box\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"9\"/>", box->x, box->y, box->w, box->h);
	if (!graph->has_run)
		return;
	if (graph_phase_failed(phase) || phase == GRAPH_RUNNING)
		buf_printf(buf, "<rect class=\"lt-%s lt-frame\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"9\"/>",
			graph_phase_name(phase), box->x, box->y, box->w, box->h);
	put_mark(buf, node, box);
}

static void
put_badges(struct buf *buf, const struct graph_node *node, const struct layout_node *box)
{
	double x = box->x + TEXT_LEFT, end = box->x + box->w - TEXT_RIGHT;

	for (size_t i = 0; i < node->n_badges; i++) {
		const char *text = node->badges[i];
		double width = graph_text_width(text, strlen(text), BADGE_SIZE, TEXT_PLAIN) + 2 * BADGE_PAD;
		struct svg_text style = { "lt-badgetext", x + BADGE_PAD, box->y + BADGE_Y + 12, width, BADGE_SIZE, TEXT_PLAIN };

		if (x + width > end + 1)
			return;
		buf_printf(buf, "<rect class=\"lt-badge\" x=\"%.6g\" y=\"%d\" width=\"%.6g\" height=\"%d\" rx=\"8\"/>", x, box->y + BADGE_Y,
			width, BADGE_HEIGHT);
		svg_put_text(buf, &style, text);
		x += width + BADGE_APART;
	}
}

/* How many of a loop's items have ended, as a bar along the lower border. */
static void
put_progress(struct buf *buf, const struct graph_node *node, const struct layout_node *box)
{
	double width = box->w - TEXT_LEFT - TEXT_RIGHT, part = 0;

	if (!node->state.total)
		return;
	part = node->state.done < node->state.total ? (double)node->state.done / (double)node->state.total : 1;
	buf_printf(buf, "<rect class=\"lt-bar\" x=\"%d\" y=\"%d\" width=\"%.6g\" height=\"3\" rx=\"1.5\"/>", box->x + TEXT_LEFT,
		box->y + box->h - 8, width);
	buf_printf(buf, "<rect class=\"lt-%s lt-flat\" x=\"%d\" y=\"%d\" width=\"%.6g\" height=\"3\" rx=\"1.5\"/>",
		graph_phase_name(node->state.phase), box->x + TEXT_LEFT, box->y + box->h - 8, width * part);
}

/* With the room before it. */
static double
time_width(const struct buf *time)
{
	return graph_text_width(buf_text(time), time->len, SUBLABEL_SIZE, TEXT_PLAIN) + 8;
}

static void
put_texts(struct buf *buf, const struct graph *graph, const struct graph_node *node, const struct layout_node *box)
{
	bool failed = graph->has_run && graph_phase_failed(node->state.phase) && node->state.message;
	bool waits = graph->has_run && node->state.phase == GRAPH_PENDING && node->state.message;
	const char *below = failed || waits ? node->state.message : node->sublabel;
	double left = box->x + TEXT_LEFT, room = box->w - TEXT_LEFT - TEXT_RIGHT;
	bool alone = !below && !node->n_badges;
	struct svg_text label = { "lt-label", left, box->y + (alone ? LABEL_ALONE_Y : LABEL_Y), room, LABEL_SIZE, TEXT_BOLD };
	struct svg_text sub = { "lt-sub", left, box->y + SUBLABEL_Y, room, SUBLABEL_SIZE, TEXT_PLAIN };
	struct buf time = { 0 };

	if (graph->has_run)
		state_text(&time, &node->state, true);
	/* The name goes before what is less. */
	if (time.len && time_width(&time) + graph_text_width(node->label, strlen(node->label), LABEL_SIZE, TEXT_BOLD) > room) {
		buf_clear(&time);
		state_text(&time, &node->state, node->state.seconds <= 0);
	}
	label.room = room - (time.len ? time_width(&time) : 0);
	svg_put_text(buf, &label, node->label);
	if (time.len)
		buf_printf(buf, "<text class=\"lt-time\" x=\"%d\" y=\"%.6g\">%s</text>", box->x + box->w - TEXT_RIGHT, label.y,
			buf_text(&time));
	if (failed)
		sub.class = node->state.phase == GRAPH_FAILED ? "lt-sub lt-Failed lt-flat" : "lt-sub lt-Error lt-flat";
	if (below)
		svg_put_text(buf, &sub, below);
	buf_release(&time);
}

void
svg_box(struct buf *buf, const struct graph *graph, size_t node_index, const struct layout_node *box)
{
	const struct graph_node *node = &graph->nodes[node_index];
	bool faint = graph->has_run && (node->state.phase == GRAPH_SKIPPED || node->state.phase == GRAPH_OMITTED);

	buf_puts(buf, faint ? "<g class=\"lt-faint\">" : "<g>");
	put_title(buf, graph, node);
	put_frame(buf, graph, node, box);
	buf_printf(buf, "<use href=\"#lt-g%s\" x=\"%d\" y=\"%d\"/>", glyph_of(graph, node), box->x + GLYPH_X,
		node->n_badges ? box->y + 32 : box->y + box->h / 2);
	put_texts(buf, graph, node, box);
	put_badges(buf, node, box);
	if (graph->has_run)
		put_progress(buf, node, box);
	buf_puts(buf, "</g>");
}

/* ---- groups ---- */

void
svg_group(struct buf *buf, const struct graph *graph, size_t node_index, const struct layout_node *box)
{
	const struct graph_node *node = &graph->nodes[node_index];
	bool loop = svg_is_loop(node);
	struct svg_text title = { loop ? "lt-loop" : "lt-title", box->title_x + TITLE_LEFT, box->y + 20, TITLE_MOST, TITLE_SIZE, TEXT_MONO };

	buf_puts(buf, "<g>");
	put_title(buf, graph, node);
	buf_printf(buf, "<rect class=\"lt-group%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"12\"/>",
		node->group_kind == GROUP_IF ? " lt-if" : "", box->x, box->y, box->w, box->h);
	buf_printf(buf, "<use href=\"#lt-g%s\" x=\"%d\" y=\"%d\"/>",
		graph->has_run ? graph_phase_name(node->state.phase) : loop ? "loop" : "if", box->title_x + 10, box->y + 16);
	svg_put_text(buf, &title, node->label);
	if (loop && graph->has_run && node->state.total)
		buf_printf(buf, "<text class=\"lt-time\" x=\"%d\" y=\"%d\">%zu/%zu</text>", box->title_x + box->width - TITLE_RIGHT, box->y + 20,
			node->state.done, node->state.total);
	buf_puts(buf, "</g>");
}

/* ---- without texts ---- */

void
svg_plain_boxes(struct buf *buf, const struct graph *graph, const struct layout *layout)
{
	for (int phase = 0; phase < (graph->has_run ? GRAPH_PHASE_MAX : 1); phase++) {
		bool any = false;

		for (size_t i = 1; i < graph->n_nodes; i++) {
			const struct layout_node *box = &layout->nodes[i];

			if (box->group || (graph->has_run && graph->nodes[i].state.phase != (enum graph_phase)phase))
				continue;
			if (!any)
				buf_printf(buf, "<path class=\"lt-%s lt-flat\" d=\"", graph_phase_name((enum graph_phase)phase));
			any = true;
			buf_printf(buf, "M%d %dh%dv%dh-%dz", box->x, box->y, box->w, box->h, box->w);
		}
		if (any)
			buf_puts(buf, "\"/>");
	}
}
