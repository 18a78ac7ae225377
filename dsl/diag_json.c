/* Problems as JSON for tools. */
#include "config.h"

#include <string.h>

#include "base/value.h"
#include "dsl/diag.h"

static void
write_string(struct buf *buf, const char *text)
{
	value_write_json_string(buf, text, strlen(text));
}

static void
write_place(struct buf *buf, const char *key, const struct source *source, uint32_t offset)
{
	struct place place;

	if (!source) {
		buf_printf(buf, "\"%s\":null", key);
		return;
	}
	place = source_place(source, offset);
	buf_printf(buf, "\"%s\":{\"line\":%u,\"column\":%u}", key, place.line, place.column);
}

/* `end` is the place behind the last character. */
static void
write_span(struct buf *buf, struct span span)
{
	write_place(buf, "start", span.source, span.start);
	buf_putc(buf, ',');
	write_place(buf, "end", span.source, span.end);
}

/* A label in another text than the problem itself says in which. */
static void
write_label(struct buf *buf, const struct diag *diag, struct span span, const char *text)
{
	buf_putc(buf, '{');
	write_span(buf, span);
	if (span.source && span.source != diag->span.source) {
		buf_puts(buf, ",\"file\":");
		write_string(buf, span.source->name);
	}
	buf_puts(buf, ",\"text\":");
	write_string(buf, text ? text : "");
	buf_putc(buf, '}');
}

static void
write_labels(struct buf *buf, const struct diag *diag)
{
	buf_puts(buf, ",\"labels\":[");
	if (diag->label && *diag->label)
		write_label(buf, diag, diag->span, diag->label);
	for (size_t i = 0; i < diag->n_labels; i++) {
		if (i || (diag->label && *diag->label))
			buf_putc(buf, ',');
		write_label(buf, diag, diag->labels[i].span, diag->labels[i].text);
	}
	buf_putc(buf, ']');
}

static void
write_texts(struct buf *buf, const char *key, const char *const *texts, size_t n)
{
	buf_printf(buf, ",\"%s\":[", key);
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_putc(buf, ',');
		write_string(buf, texts[i]);
	}
	buf_putc(buf, ']');
}

static void
write_fixes(struct buf *buf, const struct diag *diag)
{
	buf_puts(buf, ",\"fixes\":[");
	for (size_t i = 0; i < diag->n_fixes; i++) {
		const struct diag_fix *fix = &diag->fixes[i];

		buf_puts(buf, i ? ",{" : "{");
		write_span(buf, fix->span);
		buf_puts(buf, ",\"replacement\":");
		write_string(buf, fix->replacement);
		buf_printf(buf, ",\"certainty\":\"%s\"}", fix->certainty == FIX_CERTAIN ? "certain" : "likely");
	}
	buf_putc(buf, ']');
}

static void
write_diag(struct buf *buf, const struct diag *diag)
{
	buf_printf(buf, "{\"code\":\"%s\",\"severity\":\"%s\",\"message\":", diag_info(diag->code)->code,
		diag->severity == SEVERITY_ERROR ? "error" : "warning");
	write_string(buf, diag->message ? diag->message : "");
	buf_puts(buf, ",\"file\":");
	if (diag->span.source)
		write_string(buf, diag->span.source->name);
	else
		buf_puts(buf, "null");
	buf_putc(buf, ',');
	write_span(buf, diag->span);
	write_labels(buf, diag);
	write_texts(buf, "notes", diag->notes, diag->n_notes);
	write_texts(buf, "helps", diag->helps, diag->n_helps);
	write_fixes(buf, diag);
	buf_putc(buf, '}');
}

void
diags_write_json(struct buf *buf, const struct diags *diags)
{
	buf_putc(buf, '[');
	for (size_t i = 0; i < diags->n; i++) {
		if (i)
			buf_puts(buf, ",\n ");
		write_diag(buf, diags->items[i]);
	}
	buf_puts(buf, "]\n");
}
