#include "config.h"

#include "dsl/graph_json.h"

#include <math.h>
#include <string.h>

#include "base/macros.h"
#include "base/value.h"
#include "dsl/component.h"

static void
put_string(struct buf *buf, const char *text)
{
	value_write_json_string(buf, text, strlen(text));
}

/* `,"key":"text"`; nothing for NULL. */
static void
put_text(struct buf *buf, const char *key, const char *text)
{
	if (!text)
		return;
	buf_printf(buf, ",\"%s\":", key);
	put_string(buf, text);
}

/* `,"seconds":12.345`; nothing for 0. */
static void
put_seconds(struct buf *buf, double seconds)
{
	if (seconds > 0 && isfinite(seconds))
		buf_printf(buf, ",\"seconds\":%.*f", seconds < 1e5 ? 3 : 0, seconds);
}

/* ---- parameters ---- */

static void
put_secret(struct buf *buf, const struct secret *secret)
{
	if (secret->source == SECRET_ENV) {
		put_text(buf, "env", secret->name);
		return;
	}
	buf_puts(buf, ",\"secret\":[");
	put_string(buf, secret->name);
	buf_putc(buf, ',');
	put_string(buf, secret->key ? secret->key : "");
	buf_putc(buf, ']');
}

static void
put_params(struct buf *buf, const struct plan *plan)
{
	buf_puts(buf, ",\"params\":[");
	for (size_t i = 0; i < plan->n_params; i++) {
		const struct plan_param *param = &plan->params[i];
		struct buf type = { 0 };

		type_write(&type, param->type);
		buf_puts(buf, i ? ",{\"name\":" : "{\"name\":");
		put_string(buf, param->name);
		put_text(buf, "type", buf_text(&type));
		put_text(buf, "doc", param->doc);
		if (param->secret) {
			put_secret(buf, param->secret);
		} else if (param->fallback) {
			buf_puts(buf, ",\"default\":");
			value_write_json(buf, param->fallback);
		}
		buf_putc(buf, '}');
		buf_release(&type);
	}
	buf_putc(buf, ']');
}

/* ---- nodes ---- */

static const char *
kind_of(const struct graph_node *node)
{
	static const char *const names[] = {
		[GROUP_ROOT] = "pipeline", [GROUP_IF] = "if", [GROUP_FOR] = "for", [GROUP_WHILE] = "while", [GROUP_EXIT] = "exit",
		[GROUP_NESTED] = "nested",
	};

	return node->kind == GRAPH_STEP ? "step" : names[node->group_kind];
}

static void
put_place(struct buf *buf, struct span span)
{
	struct place place;

	if (!span.source || span.start > span.source->len)
		return;
	place = source_place(span.source, span.start);
	buf_puts(buf, ",\"at\":[");
	put_string(buf, span.source->name);
	buf_printf(buf, ",%u,%u]", place.line, place.column);
}

static void
put_state(struct buf *buf, const struct graph_state *state)
{
	buf_printf(buf, ",\"phase\":\"%s\"", graph_phase_name(state->phase));
	if (state->attempts)
		buf_printf(buf, ",\"attempts\":%u", state->attempts);
	put_seconds(buf, state->seconds);
	if (state->total)
		buf_printf(buf, ",\"items\":[%zu,%zu]", state->done, state->total);
	put_text(buf, "message", state->message);
}

static void
put_step(struct buf *buf, const struct plan_step *step)
{
	const struct component *c = step->component;
	const char *image = c->image ? c->image : step->settings->image;

	put_text(buf, "component", c->name);
	put_text(buf, "image", image);
	put_text(buf, "doc", step->doc ? step->doc : c->doc);
	put_place(buf, step->name_span);
}

static void
put_badges(struct buf *buf, const struct graph_node *node)
{
	if (!node->n_badges)
		return;
	buf_puts(buf, ",\"badges\":[");
	for (size_t i = 0; i < node->n_badges; i++) {
		if (i)
			buf_putc(buf, ',');
		put_string(buf, node->badges[i]);
	}
	buf_putc(buf, ']');
}

static void
put_node(struct buf *buf, const struct graph *graph, const struct layout *layout, size_t i)
{
	const struct graph_node *node = &graph->nodes[i];

	buf_printf(buf, "%s{\"kind\":\"%s\",\"id\":", i ? "," : "", kind_of(node));
	put_string(buf, node->id);
	if (strcmp(node->id, node->label) != 0)
		put_text(buf, "label", node->label);
	put_text(buf, "what", node->sublabel);
	put_badges(buf, node);
	if (i)
		buf_printf(buf, ",\"parent\":%zu", node->parent);
	if (node->kind != GRAPH_STEP)
		buf_printf(buf, ",\"steps\":%zu", node->n_steps);
	if (node->kind == GRAPH_FOLDED)
		buf_puts(buf, ",\"folded\":true");
	if (layout) {
		const struct layout_node *box = &layout->nodes[i];

		buf_printf(buf, ",\"box\":[%d,%d,%d,%d]", box->x, box->y, box->w, box->h);
		if (box->group)
			buf_printf(buf, ",\"title\":%d", box->title_x);
	}
	if (node->kind == GRAPH_STEP)
		put_step(buf, &graph->plan->steps[node->index]);
	else if (i)
		put_place(buf, graph->plan->groups[node->index].span);
	if (graph->has_run)
		put_state(buf, &node->state);
	buf_putc(buf, '}');
}

/* ---- edges ---- */

static void
put_edge(struct buf *buf, const struct graph_edge *edge, const struct layout_edge *drawn)
{
	buf_printf(buf, "{\"from\":%zu,\"to\":%zu,\"kind\":\"%s\"", edge->from, edge->to, graph_edge_kind_name(edge->kind));
	if (edge->n_ports)
		buf_puts(buf, ",\"ports\":[");
	for (size_t i = 0; i < edge->n_ports; i++) {
		buf_puts(buf, i ? ",[" : "[");
		put_string(buf, edge->ports[i].output);
		buf_putc(buf, ',');
		put_string(buf, edge->ports[i].input);
		buf_putc(buf, ']');
	}
	if (edge->n_ports)
		buf_putc(buf, ']');
	if (drawn) {
		buf_puts(buf, ",\"lines\":[");
		for (uint32_t i = 0; i < drawn->n_lines; i++)
			buf_printf(buf, i ? ",%u" : "%u", (unsigned)drawn->lines[i]);
		buf_putc(buf, ']');
	}
	buf_putc(buf, '}');
}

static void
put_lines(struct buf *buf, const struct layout *layout)
{
	buf_puts(buf, ",\"lines\":[");
	for (uint32_t i = 0; i < layout->n_lines; i++) {
		buf_puts(buf, i ? ",[" : "[");
		for (uint32_t k = 0; k < layout->lines[i].n; k++)
			buf_printf(buf, k ? ",%d,%d" : "%d,%d", layout->lines[i].points[k].x, layout->lines[i].points[k].y);
		buf_putc(buf, ']');
	}
	buf_putc(buf, ']');
}

/* ---- the document ---- */

static void
put_run(struct buf *buf, const struct graph *graph)
{
	const char *apart = "";

	buf_printf(buf, ",\"run\":{\"phase\":\"%s\"", graph_phase_name(graph->run_phase));
	put_text(buf, "id", graph->run_id);
	put_seconds(buf, graph->run_seconds);
	put_text(buf, "message", graph->run_message);
	buf_puts(buf, ",\"phases\":{");
	for (int phase = 0; phase < GRAPH_PHASE_MAX; phase++) {
		if (!graph->phases[phase])
			continue;
		buf_printf(buf, "%s\"%s\":%zu", apart, graph_phase_name((enum graph_phase)phase), graph->phases[phase]);
		apart = ",";
	}
	buf_puts(buf, "}}");
}

void
graph_json_write(struct buf *buf, const struct graph *graph, const struct layout *layout)
{
	const struct plan *plan = graph->plan;

	buf_puts(buf, "{\"v\":1");
	put_text(buf, "name", graph->nodes[0].label);
	put_text(buf, "display", plan->display);
	put_text(buf, "doc", plan->doc);
	if (layout)
		buf_printf(buf, ",\"size\":[%d,%d]", layout->width, layout->height);
	put_params(buf, plan);
	if (graph->has_run)
		put_run(buf, graph);
	buf_puts(buf, ",\"nodes\":[");
	for (size_t i = 0; i < graph->n_nodes; i++)
		put_node(buf, graph, layout, i);
	buf_puts(buf, "],\"roots\":[");
	for (size_t i = 0; i < graph->n_roots; i++)
		buf_printf(buf, i ? ",%zu" : "%zu", graph->roots[i]);
	buf_puts(buf, "],\"edges\":[");
	for (size_t i = 0; i < graph->n_edges; i++) {
		if (i)
			buf_putc(buf, ',');
		put_edge(buf, &graph->edges[i], layout ? &layout->edges[i] : NULL);
	}
	buf_putc(buf, ']');
	if (layout)
		put_lines(buf, layout);
	buf_putc(buf, '}');
}
