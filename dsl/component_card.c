#include "config.h"

#include "dsl/component_card.h"

#include <string.h>

#include "base/markup.h"
#include "base/utf8.h"
#include "dsl/component_json.h"
#include "dsl/diag_show.h"

/* How the same facts are written as text and as HTML. */
struct card {
	struct buf *buf;
	bool html;
};

/* ---- words ---- */

/* Each run of blanks and newlines as one blank, none at the ends. */
static void
squeeze(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (!strchr(" \t\r\n", *from))
			*to++ = *from;
		else if (to > text && to[-1] != ' ')
			*to++ = ' ';
	}
	if (to > text && to[-1] == ' ')
		to--;
	*to = '\0';
}

/* At most `max` bytes of the text, whole characters, on one line. */
static void
add_cut(struct buf *buf, const char *text, size_t max)
{
	CLEANUP(freep) char *line = xstrdup(text);
	size_t len;

	squeeze(line);
	len = strlen(line);
	if (len > max)
		line[max - utf8_partial_tail(line, max)] = '\0';
	show_text(buf, line);
	if (len > max)
		buf_puts(buf, "…");
}

/* User text: in HTML escaped and isolated. */
static void
add_words(struct card *card, const char *text, size_t max)
{
	CLEANUP(buf_release) struct buf shown = { 0 };

	add_cut(&shown, text, max);
	if (!card->html) {
		buf_puts(card->buf, buf_text(&shown));
		return;
	}
	markup_isolate(card->buf, buf_text(&shown), shown.len);
}

static void
add_code(struct card *card, const char *text, size_t max)
{
	if (card->html)
		buf_puts(card->buf, "<code>");
	add_words(card, text, max);
	if (card->html)
		buf_puts(card->buf, "</code>");
}

/* ---- arguments, as one would type them: `--steps {steps} [--init {init}]` ---- */

static void add_parts(struct buf *buf, const struct component *component, const struct part *parts, size_t n, const char *between);

static bool
is_plain_word(const char *text)
{
	return *text && !text[strcspn(text, " \t\r\n\"'{}[]|")];
}

static void
add_text_part(struct buf *buf, const char *text)
{
	CLEANUP(buf_release) struct buf word = { 0 };

	add_cut(&word, text, CARD_WORD_MAX);
	buf_printf(buf, is_plain_word(text) ? "%s" : "'%s'", buf_text(&word));
}

static void
add_choice_part(struct buf *buf, const struct component *component, const struct part *part)
{
	buf_putc(buf, '[');
	add_parts(buf, component, part->parts, part->n_parts, " ");
	if (part->n_else_parts) {
		buf_puts(buf, " | ");
		add_parts(buf, component, part->else_parts, part->n_else_parts, " ");
	}
	buf_putc(buf, ']');
}

static void
add_part(struct buf *buf, const struct component *component, const struct part *part)
{
	switch (part->kind) {
	case PART_TEXT:
		add_text_part(buf, part->text);
		break;
	case PART_INPUT:
	case PART_INPUT_PATH:
	case PART_INPUT_URI:
	case PART_IS_PRESENT:
		buf_printf(buf, "{%s}", component->inputs[part->index].id);
		break;
	case PART_OUTPUT_PATH:
	case PART_OUTPUT_URI:
		buf_printf(buf, "{%s}", component->outputs[part->index].id);
		break;
	case PART_FACT:
		buf_printf(buf, "{%s}", component_json_fact(part->fact));
		break;
	case PART_CONCAT:
		add_parts(buf, component, part->parts, part->n_parts, "");
		break;
	case PART_IF:
		add_choice_part(buf, component, part);
		break;
	case PART_RAW_PLACEHOLDER:
		buf_puts(buf, part->text);
		break;
	}
}

static void
add_parts(struct buf *buf, const struct component *component, const struct part *parts, size_t n, const char *between)
{
	for (size_t i = 0; i < n && buf->len <= CARD_LINE_MAX; i++) {
		if (i)
			buf_puts(buf, between);
		add_part(buf, component, &parts[i]);
	}
}

/* ---- facts: a label and what it says ---- */

static void
begin_fact(struct card *card, const char *label)
{
	if (card->html)
		buf_printf(card->buf, "<tr><th scope=\"row\" style=\"text-align:left\">%s</th><td style=\"text-align:left\">", label);
	else
		buf_printf(card->buf, "  %-9s", label);
}

static void
end_fact(struct card *card)
{
	buf_puts(card->buf, card->html ? "</td></tr>\n" : "\n");
}

static void
add_arguments(struct card *card, const char *label, const struct component *component, const struct part *parts, size_t n)
{
	CLEANUP(buf_release) struct buf line = { 0 };

	if (!n)
		return;
	add_parts(&line, component, parts, n, " ");
	begin_fact(card, label);
	add_code(card, buf_text(&line), CARD_LINE_MAX);
	end_fact(card);
}

static void
add_text_fact(struct card *card, const char *label, const char *text)
{
	if (!text)
		return;
	begin_fact(card, label);
	add_code(card, *text ? text : "''", CARD_LINE_MAX);
	end_fact(card);
}

static void
add_script_line(struct card *card, const char *line, size_t len, bool first)
{
	CLEANUP(buf_release) struct buf part = { 0 }, shown = { 0 };
	bool cut = len > CARD_LINE_MAX;

	if (cut)
		len = CARD_LINE_MAX - utf8_partial_tail(line, CARD_LINE_MAX);
	buf_add(&part, line, len);
	show_text(&shown, buf_text(&part));
	if (cut)
		buf_puts(&shown, "…");
	if (!first)
		buf_puts(card->buf, card->html ? "\n" : "\n           ");
	if (card->html)
		markup_isolate(card->buf, buf_text(&shown), shown.len);
	else
		buf_add(card->buf, buf_text(&shown), shown.len);
}

/* A script keeps its lines: squeezed into one it reads as another program. */
static void
add_script(struct card *card, const char *script)
{
	size_t n = 0;

	if (!script)
		return;
	begin_fact(card, "script");
	if (card->html)
		buf_puts(card->buf, "<pre style=\"text-align:left\">");
	while (*script && n < CARD_SCRIPT_LINES) {
		size_t len = strcspn(script, "\n");

		add_script_line(card, script, len, !n++);
		script += len + (script[len] == '\n');
	}
	if (*script)
		add_script_line(card, "…", strlen("…"), false);
	if (card->html)
		buf_puts(card->buf, "</pre>");
	end_fact(card);
}

static void
add_env(struct card *card, const struct component *component)
{
	for (size_t i = 0; i < component->n_env; i++) {
		CLEANUP(buf_release) struct buf line = { 0 };

		buf_printf(&line, "%s=", component->env[i].name);
		add_part(&line, component, &component->env[i].value);
		begin_fact(card, i ? "" : "env");
		add_code(card, buf_text(&line), CARD_LINE_MAX);
		end_fact(card);
	}
}

static void
add_tasks(struct card *card, const struct component *component)
{
	const struct value *graph = value_get(value_get(component->spec, "implementation"), "graph");
	const struct value *tasks = value_get(graph, "tasks");

	for (size_t i = 0; tasks && tasks->kind == VALUE_DICT && i < tasks->dict.n; i++)
		add_text_fact(card, i ? "" : "tasks", tasks->dict.keys[i]);
}

static void
add_facts(struct card *card, const struct component *component)
{
	char digest[SHA256_HEX];

	if (card->html)
		buf_puts(card->buf, "<table>\n");
	add_text_fact(card, "image", component->image);
	add_arguments(card, "command", component, component->command, component->n_command);
	add_arguments(card, "args", component, component->args, component->n_args);
	add_script(card, component->script);
	add_env(card, component);
	if (component->kind == COMPONENT_GRAPH)
		add_tasks(card, component);
	add_text_fact(card, "from", component->url);
	if (component_digest(component, digest))
		add_text_fact(card, "sha256", digest);
	if (card->html)
		buf_puts(card->buf, "</table>\n");
}

/* ---- ports ---- */

static void
write_type(struct buf *buf, const struct port *port)
{
	type_write(buf, port->type);
	if (port->optional)
		buf_putc(buf, '?');
	if (port->passing == PASS_FILE && !type_is_file(port->type))
		buf_puts(buf, ", by file");
}

/* Default, fixed path, the name in the file when it is another: what is worth knowing beside the type. */
static void
write_remarks(struct buf *buf, const struct port *port, bool output)
{
	if (port->fallback) {
		CLEANUP(buf_release) struct buf text = { 0 };

		value_write_plain(&text, port->fallback);
		buf_puts(buf, "= ");
		add_text_part(buf, buf_text(&text));
	}
	if (port->secret_fallback)
		buf_puts(buf, "= a secret");
	if (port->path)
		buf_printf(buf, "%sat %s", buf->len ? ", " : "", port->path);
	if (output && !port->produced)
		buf_printf(buf, "%snever written", buf->len ? ", " : "");
	if (strcmp(port->name, port->id))
		buf_printf(buf, "%s`%s`", buf->len ? ", " : "", port->name);
}

static void
add_cell(struct card *card, const char *text)
{
	buf_puts(card->buf, "<td style=\"text-align:left\">");
	add_words(card, text, CARD_DOC_MAX);
	buf_puts(card->buf, "</td>");
}

static void
add_port(struct card *card, const struct port *port, bool output, size_t width)
{
	CLEANUP(buf_release) struct buf type = { 0 }, remarks = { 0 };

	write_type(&type, port);
	write_remarks(&remarks, port, output);
	if (card->html) {
		buf_puts(card->buf, "<tr><th scope=\"row\" style=\"text-align:left\">");
		add_code(card, port->id, CARD_WORD_MAX);
		buf_puts(card->buf, "</th>");
		add_cell(card, buf_text(&type));
		add_cell(card, buf_text(&remarks));
		add_cell(card, port->doc ? port->doc : "");
		buf_puts(card->buf, "</tr>\n");
		return;
	}
	buf_printf(card->buf, "  %-*s  ", (int)width, port->id);
	add_words(card, buf_text(&type), CARD_WORD_MAX);
	if (remarks.len) {
		buf_puts(card->buf, "  ");
		add_words(card, buf_text(&remarks), 2 * CARD_WORD_MAX);
	}
	if (port->doc) {
		buf_puts(card->buf, "  # ");
		add_words(card, port->doc, 2 * CARD_WORD_MAX);
	}
	buf_putc(card->buf, '\n');
}

static void
add_ports(struct card *card, const char *title, const struct port *ports, size_t n, bool output)
{
	size_t width = 0;

	if (!n)
		return;
	/* Ids are ASCII: a byte is a column. */
	for (size_t i = 0; i < n; i++)
		if (strlen(ports[i].id) > width)
			width = strlen(ports[i].id);
	if (width > 40)
		width = 40;
	buf_printf(card->buf, card->html ? "<table>\n<caption style=\"text-align:left\">%s</caption>\n" : "%s\n", title);
	for (size_t i = 0; i < n; i++)
		add_port(card, &ports[i], output, width);
	if (card->html)
		buf_puts(card->buf, "</table>\n");
}

/* ---- the card ---- */

static const char *
kind_words(const struct component *component)
{
	switch (component->kind) {
	case COMPONENT_CONTAINER:
		return "a component that runs a container";
	case COMPONENT_PROCESS:
		return "a component that runs a process";
	case COMPONENT_MANIFEST:
		return "a component that makes a Kubernetes object";
	case COMPONENT_GRAPH:
		return "a component that is a graph of others";
	}
	BUG("component kind %d", (int)component->kind);
}

static void
add_head(struct card *card, const struct component *component)
{
	const char *name = component->display ? component->display : component->name;

	buf_puts(card->buf, card->html ? "<p><strong>" : "");
	add_words(card, name, 2 * CARD_WORD_MAX);
	buf_printf(card->buf, card->html ? "</strong>: %s</p>\n" : ": %s\n", kind_words(component));
	if (!component->doc)
		return;
	buf_puts(card->buf, card->html ? "<p>" : "  ");
	add_words(card, component->doc, CARD_DOC_MAX);
	buf_puts(card->buf, card->html ? "</p>\n" : "\n");
}

static void
add_card(struct card *card, const struct component *component)
{
	add_head(card, component);
	add_ports(card, "inputs", component->inputs, component->n_inputs, false);
	add_ports(card, "outputs", component->outputs, component->n_outputs, true);
	if (!card->html)
		buf_puts(card->buf, "runs\n");
	add_facts(card, component);
}

void
component_card_text(struct buf *buf, const struct component *component)
{
	struct card card = { buf, false };

	add_card(&card, component);
}

void
component_card_html(struct buf *buf, const struct component *component)
{
	struct card card = { buf, true };

	buf_puts(buf, "<div class=\"lateen-component\">\n");
	add_card(&card, component);
	buf_puts(buf, "</div>\n");
}

void
component_write_bundle(struct buf *buf, const struct component *component)
{
	CLEANUP(buf_release) struct buf text = { 0 }, html = { 0 };

	component_card_text(&text, component);
	component_card_html(&html, component);
	buf_puts(buf, "{\"text/plain\":");
	value_write_json_string(buf, buf_text(&text), text.len);
	buf_puts(buf, ",\"text/html\":");
	value_write_json_string(buf, buf_text(&html), html.len);
	buf_putc(buf, '}');
}
