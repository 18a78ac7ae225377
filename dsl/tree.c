#include "config.h"

#include "dsl/tree.h"

#include <string.h>

#include "base/macros.h"
#include "base/utf8.h"
#include "dsl/graph_text.h"

enum { NAME_COLUMNS_MAX = 60, VALUE_COLUMNS_MAX = 60, REST_COLUMNS_MAX = 240, COLUMN_GAP = 2 };

/* How a phase looks: glyph, ASCII, ANSI colour. */
static const struct {
	const char *glyph, *ascii, *colour;
} looks[GRAPH_PHASE_MAX] = {
	[GRAPH_PENDING] = { "◷", ".", "2" },
	[GRAPH_RUNNING] = { "●", ">", "36" },
	[GRAPH_SUCCEEDED] = { "✔", "+", "32" },
	[GRAPH_FAILED] = { "✖", "x", "31" },
	[GRAPH_ERROR] = { "⚠", "!", "35" },
	[GRAPH_SKIPPED] = { "○", "-", "2" },
	[GRAPH_OMITTED] = { "◌", "o", "2" },
};

struct writer {
	struct buf *buf;
	const struct graph *graph;
	bool ascii, colour;
	const size_t *first_edge; /* by node: its edges in graph->edges, which stand by target */
	size_t name_columns, what_columns;
	bool *last; /* by node: the last of its parent's members */
	unsigned *depth;
};

static void
coloured(const struct writer *w, const char *code, const char *text)
{
	if (w->colour && *text)
		buf_printf(w->buf, "\033[%sm%s\033[0m", code, text);
	else
		buf_puts(w->buf, text);
}

static void
pad(struct buf *buf, size_t columns)
{
	buf_repeat(buf, ' ', columns);
}

/* A text cleaned and, where it is too wide, cut; its width. */
static size_t
put_cut(struct buf *buf, const char *text, size_t most, bool ascii)
{
	struct buf clean = { 0 };
	size_t at = 0, columns = 0, width;

	graph_text_clean(&clean, text, strlen(text));
	width = utf8_width(buf_text(&clean), clean.len);
	while (at < clean.len) {
		uint32_t cp;
		size_t n = utf8_decode(clean.data + at, clean.len - at, &cp);
		int w = utf8_char_width(cp);
		size_t after = columns + (size_t)(w > 0 ? w : 0);

		if (width > most && after + (ascii ? 3 : 1) > most) {
			buf_puts(buf, ascii ? "..." : "…");
			columns += ascii ? 3 : 1;
			break;
		}
		buf_add(buf, clean.data + at, n);
		columns = after;
		at += n;
	}
	buf_release(&clean);
	return columns;
}

/* ---- what a line says ---- */

static void
write_what(struct buf *buf, const struct graph_node *node)
{
	const char *apart = "";

	if (node->kind != GRAPH_GROUP && node->sublabel) {
		buf_puts(buf, node->sublabel);
		apart = ", ";
	}
	for (size_t i = 0; i < node->n_badges; i++) {
		buf_printf(buf, "%s%s", apart, node->badges[i]);
		apart = ", ";
	}
}

static void
write_state(struct buf *buf, const struct graph_state *state)
{
	const char *apart = "";

	if (state->total) {
		buf_printf(buf, "%zu/%zu", state->done, state->total);
		apart = "  ";
	}
	if (state->seconds > 0) {
		buf_puts(buf, apart);
		graph_text_duration(buf, state->seconds);
		apart = "  ";
	}
	if (state->attempts > 1) {
		buf_printf(buf, "%sattempt %u", apart, state->attempts);
		apart = "  ";
	}
	if (state->message) {
		buf_puts(buf, apart);
		graph_text_clean(buf, state->message, strlen(state->message));
	}
}

/* "← copied, trained": what it waits for. */
static void
write_needs(const struct writer *w, struct buf *buf, size_t node)
{
	const char *apart = w->ascii ? "<- " : "← ";

	for (size_t e = w->first_edge[node]; e < w->first_edge[node + 1]; e++) {
		buf_puts(buf, apart);
		graph_text_clean(buf, w->graph->nodes[w->graph->edges[e].from].label, strlen(w->graph->nodes[w->graph->edges[e].from].label));
		apart = ", ";
	}
}

/* ---- lines ---- */

static void
put_branches(const struct writer *w, size_t node)
{
	size_t chain[PLAN_GROUP_DEPTH_MAX + 4], n = 0;
	struct buf text = { 0 };

	for (size_t i = node; i && n < ARRAY_LEN(chain); i = w->graph->nodes[i].parent)
		chain[n++] = i;
	for (size_t i = n; i-- > 1;)
		buf_puts(&text, w->last[chain[i]] ? "   " : w->ascii ? "|  " : "│  ");
	if (w->ascii)
		buf_puts(&text, w->last[node] ? "`- " : "|- ");
	else
		buf_puts(&text, w->last[node] ? "└─ " : "├─ ");
	coloured(w, "2", buf_text(&text));
	buf_release(&text);
}

static size_t
put_glyph(const struct writer *w, const struct graph_node *node)
{
	const struct graph_state *state = &node->state;

	if (!w->graph->has_run)
		return 0;
	coloured(w, looks[state->phase].colour, w->ascii ? looks[state->phase].ascii : looks[state->phase].glyph);
	buf_putc(w->buf, ' ');
	return 2;
}

/* Text that begins at a column, or a gap behind what is there already; returns where it ends. */
static size_t
put_column(const struct writer *w, size_t columns, size_t begin, size_t most, const char *colour, const struct buf *text)
{
	struct buf cut = { 0 };

	if (begin < columns + COLUMN_GAP)
		begin = columns + COLUMN_GAP;
	pad(w->buf, begin - columns);
	begin += put_cut(&cut, buf_text(text), most, w->ascii);
	coloured(w, colour, buf_text(&cut));
	buf_release(&cut);
	return begin;
}

static void
put_line(struct writer *w, size_t index)
{
	const struct graph_node *node = &w->graph->nodes[index];
	struct buf name = { 0 }, what = { 0 }, rest = { 0 };
	size_t columns = 3 * (size_t)w->depth[index];

	put_branches(w, index);
	columns += put_glyph(w, node);
	columns += put_cut(&name, node->label, NAME_COLUMNS_MAX, w->ascii);
	coloured(w, node->kind == GRAPH_GROUP ? "35" : "1", buf_text(&name));
	write_what(&what, node);
	if (w->graph->has_run)
		write_state(&rest, &node->state);
	else
		write_needs(w, &rest, index);
	if (what.len)
		columns = put_column(w, columns, w->name_columns + COLUMN_GAP, VALUE_COLUMNS_MAX, "2", &what);
	if (rest.len)
		put_column(w, columns, w->name_columns + w->what_columns + (w->what_columns ? 2U : 1U) * COLUMN_GAP,
			w->graph->has_run ? REST_COLUMNS_MAX : VALUE_COLUMNS_MAX,
			w->graph->has_run && graph_phase_failed(node->state.phase) ? looks[node->state.phase].colour : "2", &rest);
	buf_putc(w->buf, '\n');
	buf_release(&name);
	buf_release(&what);
	buf_release(&rest);
}

static void
put_head(const struct writer *w)
{
	const struct graph *graph = w->graph;
	struct buf name = { 0 };

	if (graph->has_run) {
		coloured(w, looks[graph->run_phase].colour, w->ascii ? looks[graph->run_phase].ascii : looks[graph->run_phase].glyph);
		buf_putc(w->buf, ' ');
	}
	put_cut(&name, graph->nodes[0].label, NAME_COLUMNS_MAX, w->ascii);
	coloured(w, "1", buf_text(&name));
	if (graph->plan->display) {
		buf_puts(w->buf, "  ");
		put_cut(w->buf, graph->plan->display, NAME_COLUMNS_MAX, w->ascii);
	}
	if (graph->has_run) {
		size_t ended = graph->plan->n_steps - graph->phases[GRAPH_PENDING] - graph->phases[GRAPH_RUNNING];

		buf_printf(w->buf, "  %s, %zu of %zu steps", graph_phase_name(graph->run_phase), ended, graph->plan->n_steps);
		if (graph->run_seconds > 0) {
			buf_puts(w->buf, ", ");
			graph_text_duration(w->buf, graph->run_seconds);
		}
	}
	buf_putc(w->buf, '\n');
	if (graph->has_run && graph->run_message) {
		put_cut(w->buf, graph->run_message, 4 * NAME_COLUMNS_MAX, w->ascii);
		buf_putc(w->buf, '\n');
	}
	buf_release(&name);
}

/* ---- parameters ---- */

static void
write_param(const struct writer *w, const struct plan_param *param, const struct value *value, size_t name_columns)
{
	struct buf text = { 0 };
	size_t columns;

	buf_puts(w->buf, "  ");
	columns = put_cut(w->buf, param->name, NAME_COLUMNS_MAX, w->ascii);
	pad(w->buf, name_columns + COLUMN_GAP - columns);
	type_write(&text, param->type);
	if (param->secret) {
		/* The reference, never what it stands for. */
		buf_puts(&text, param->secret->source == SECRET_ENV ? " = env(" : " = secret(");
		value_write_json_string(&text, param->secret->name, strlen(param->secret->name));
		if (param->secret->key) {
			buf_puts(&text, ", ");
			value_write_json_string(&text, param->secret->key, strlen(param->secret->key));
		}
		buf_puts(&text, ")");
	} else if (value) {
		buf_puts(&text, " = ");
		value_write_json(&text, value);
	}
	put_cut(w->buf, buf_text(&text), 2 * VALUE_COLUMNS_MAX, w->ascii);
	buf_putc(w->buf, '\n');
	buf_release(&text);
}

static size_t
shown_width(const char *text, size_t most, bool ascii)
{
	struct buf buf = { 0 };
	size_t columns = put_cut(&buf, text, most, ascii);

	buf_release(&buf);
	return columns;
}

static void
put_params(const struct writer *w)
{
	const struct plan *plan = w->graph->plan;
	const struct value *const *given = w->graph->params;
	size_t columns = 0;

	if (!plan->n_params)
		return;
	for (size_t i = 0; i < plan->n_params; i++) {
		size_t width = shown_width(plan->params[i].name, NAME_COLUMNS_MAX, w->ascii);

		columns = width > columns ? width : columns;
	}
	coloured(w, "2", "parameters");
	buf_putc(w->buf, '\n');
	for (size_t i = 0; i < plan->n_params; i++)
		write_param(w, &plan->params[i], given && given[i] ? given[i] : plan->params[i].fallback, columns);
}

/* ---- all together ---- */

static void
measure(struct writer *w)
{
	for (size_t i = 1; i < w->graph->n_nodes; i++) {
		const struct graph_node *node = &w->graph->nodes[i];
		size_t name = 3 * (size_t)w->depth[i] + (w->graph->has_run ? 2 : 0) + shown_width(node->label, NAME_COLUMNS_MAX, w->ascii), width;
		struct buf what = { 0 };

		/* A long condition does not push all steps to the right. */
		if (node->kind != GRAPH_GROUP && name > w->name_columns)
			w->name_columns = name;
		write_what(&what, node);
		width = shown_width(buf_text(&what), VALUE_COLUMNS_MAX, w->ascii);
		w->what_columns = width > w->what_columns ? width : w->what_columns;
		buf_release(&what);
	}
}

static void
put_nodes(struct writer *w)
{
	size_t left_out = 0;

	for (size_t i = 1; i < w->graph->n_nodes; i++) {
		if (i > TREE_STEPS_MAX)
			left_out += w->graph->nodes[i].kind == GRAPH_STEP;
		else
			put_line(w, i);
	}
	if (left_out)
		buf_printf(w->buf, "%s and %zu more steps\n", w->ascii ? "..." : "…", left_out);
}

void
tree_write(struct buf *buf, const struct graph *graph, unsigned flags)
{
	struct arena *arena = arena_new();
	size_t *first_edge = arena_alloc(arena, (graph->n_nodes + 1) * sizeof *first_edge);
	size_t *last_member = arena_alloc(arena, graph->n_nodes * sizeof *last_member), at = 0;
	struct writer w = {
		.buf = buf,
		.graph = graph,
		.ascii = flags & TREE_ASCII,
		.colour = flags & TREE_COLOUR,
		.first_edge = first_edge,
		.last = arena_alloc(arena, graph->n_nodes * sizeof *w.last),
		.depth = arena_alloc(arena, graph->n_nodes * sizeof *w.depth),
	};

	for (size_t i = 0; i <= graph->n_nodes; i++) {
		while (at < graph->n_edges && graph->edges[at].to < i)
			at++;
		first_edge[i] = at;
	}
	for (size_t i = 1; i < graph->n_nodes; i++) {
		last_member[graph->nodes[i].parent] = i;
		w.depth[i] = w.depth[graph->nodes[i].parent] + 1;
	}
	for (size_t i = 1; i < graph->n_nodes; i++)
		w.last[i] = last_member[graph->nodes[i].parent] == i;
	measure(&w);
	put_head(&w);
	put_nodes(&w);
	put_params(&w);
	arena_free(arena);
}
