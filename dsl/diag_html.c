/* Problems as HTML. Text takes the page's own colour; what is ours is either a badge with both its colours or a tint that lets
 * the text through, so that it reads on light and on dark. */
#include "config.h"

#include <string.h>

#include "base/markup.h"
#include "dsl/diag.h"
#include "dsl/diag_show.h"

enum { HTML_LINE_MAX = 2000 }; /* bytes of a line that are shown */

/* The text as it is shown, escaped. */
static void
write_shown(struct buf *buf, const char *text, size_t len, size_t *column)
{
	struct buf shown = { 0 };
	size_t width;

	for (size_t i = 0; i < len; *column += width)
		i += show_char(&shown, text + i, len - i, *column, &width);
	markup_escape(buf, buf_text(&shown), shown.len);
	buf_release(&shown);
}

/* Words of a message: `code` becomes <code>, everything is isolated from the direction of what stands around it. */
static void
write_words(struct buf *buf, const char *text)
{
	size_t column = 0;
	bool code = false;

	buf_puts(buf, "<bdi>");
	for (;;) {
		size_t len = strcspn(text, "`");

		write_shown(buf, text, len, &column);
		if (!text[len])
			break;
		code = !code;
		if (code && !strchr(text + len + 1, '`')) {
			buf_putc(buf, '`');
			code = false;
		} else {
			buf_puts(buf, code ? "<code><bdi>" : "</bdi></code>");
		}
		text += len + 1;
	}
	buf_puts(buf, "</bdi>");
}

static void
write_heading(struct buf *buf, const struct diag *diag)
{
	bool error = diag->severity == SEVERITY_ERROR;

	buf_printf(buf,
		"<p style=\"margin:0\"><span class=\"lateen-badge\" style=\"background:%s;color:#fff;border-radius:3px;padding:1px 6px;"
		"font-weight:600\">%s %s</span> ",
		error ? "#b3261e" : "#7a5b00", error ? "error" : "warning", diag_info(diag->code)->code);
	write_words(buf, diag->message ? diag->message : "");
	if (diag->span.source) {
		struct place place = source_place(diag->span.source, diag->span.start);

		buf_puts(buf, " <span class=\"lateen-place\" style=\"opacity:.75\">");
		write_words(buf, diag->span.source->name);
		buf_printf(buf, ":%u:%u</span>", place.line, place.column);
	}
	buf_puts(buf, "</p>\n");
}

static void
write_line(struct buf *buf, const struct show_mark *mark)
{
	size_t len, column = 0, start = mark->start, end = mark->end;
	const char *text = source_line(mark->source, mark->line, &len);
	bool cut = len > HTML_LINE_MAX;

	if (len && text[len - 1] == '\r')
		len--;
	if (cut && start > HTML_LINE_MAX / 2) {
		size_t skip = start - HTML_LINE_MAX / 2;

		while (skip && ((unsigned char)text[skip] & 0xC0) == 0x80)
			skip--;
		text += skip;
		len -= skip;
		start -= skip;
		end -= skip;
	}
	if (len > HTML_LINE_MAX)
		len = HTML_LINE_MAX;
	end = end > len ? len : end;
	buf_printf(buf, "<span class=\"lateen-line\" style=\"opacity:.6;user-select:none\">%u | </span><bdi dir=\"ltr\">",
		mark->line);
	write_shown(buf, text, start, &column);
	buf_printf(buf, "<mark class=\"%s\" style=\"color:inherit;background:%s\">",
		mark->primary ? "lateen-primary" : "lateen-other",
		mark->primary ? "rgba(214,69,65,.30)" : "rgba(70,130,180,.30)");
	if (start == end)
		buf_puts(buf, "&nbsp;");
	write_shown(buf, text + start, end - start, &column);
	buf_puts(buf, "</mark>");
	write_shown(buf, text + end, len - end, &column);
	buf_puts(buf, "</bdi>");
	if (mark->text && *mark->text) {
		buf_puts(buf, "  <em class=\"lateen-label\">");
		write_words(buf, mark->text);
		buf_puts(buf, "</em>");
	}
	buf_putc(buf, '\n');
}

static void
write_marks(struct buf *buf, const struct diag *diag)
{
	struct show_mark marks[SHOW_MARKS_MAX];
	size_t n = show_marks(diag, marks);

	if (!n)
		return;
	buf_puts(buf, "<pre style=\"margin:4px 0;overflow-x:auto;background:transparent;color:inherit\">");
	for (size_t i = 0; i < n; i++) {
		if (i && marks[i].source != marks[i - 1].source) {
			write_words(buf, marks[i].source->name);
			buf_putc(buf, '\n');
		}
		write_line(buf, &marks[i]);
	}
	buf_puts(buf, "</pre>\n");
}

static void
write_notes(struct buf *buf, const char *kind, const char *const *texts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_printf(buf, "<p class=\"lateen-%s\" style=\"margin:0\"><b>%s:</b> ", kind, kind);
		write_words(buf, texts[i]);
		buf_puts(buf, "</p>\n");
	}
}

static void
write_diag(struct buf *buf, const struct diag *diag)
{
	bool error = diag->severity == SEVERITY_ERROR;

	buf_printf(buf,
		"<div class=\"lateen-diagnostic lateen-%s\" role=\"group\" style=\"border-left:3px solid %s;padding:4px 10px;margin:6px 0\">\n",
		error ? "error" : "warning", error ? "#d64541" : "#b8860b");
	write_heading(buf, diag);
	write_marks(buf, diag);
	write_notes(buf, "note", diag->notes, diag->n_notes);
	write_notes(buf, "help", diag->helps, diag->n_helps);
	buf_puts(buf, "</div>\n");
}

void
diags_write_html(struct buf *buf, const struct diags *diags)
{
	size_t all = diags->n_errors + diags->n_warnings;

	buf_puts(buf, "<div class=\"lateen-diagnostics\" style=\"color:inherit\">\n");
	for (size_t i = 0; i < diags->n; i++)
		write_diag(buf, diags->items[i]);
	if (all > diags->n)
		buf_printf(buf, "<p>%zu more problems are not shown</p>\n", all - diags->n);
	buf_puts(buf, "</div>\n");
}
