/* Could a cell be run as it is, or does it want more lines? */
#include "config.h"

#include "dsl/parser.h"

enum { INDENT = 4, TAB = 4 };

static unsigned
indentation(const struct source *source, unsigned line)
{
	size_t len;
	const char *text = source_line(source, line, &len);
	unsigned columns = 0;

	for (size_t i = 0; i < len && (text[i] == ' ' || text[i] == '\t'); i++)
		columns += text[i] == '\t' ? TAB - columns % TAB : 1;
	return columns;
}

static bool
is_blank(const struct source *source, unsigned line)
{
	size_t len;
	const char *text = source_line(source, line, &len);

	for (size_t i = 0; i < len; i++)
		if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r')
			return false;
	return true;
}

/* In a raw block the next line begins where the last one did; behind an open bracket one level further in. */
static unsigned
next_indent(const struct source *source, const struct parser_end *end)
{
	unsigned last = (unsigned)source->n_lines;

	while (last > 1 && is_blank(source, last))
		last--;
	if (end->in_raw)
		return indentation(source, last);
	return indentation(source, source_place(source, end->open_at).line) + INDENT;
}

enum parse_completeness
parse_completeness(const char *text, size_t len, unsigned *ret_indent)
{
	struct source *source = source_new("", text, len);
	enum parse_completeness completeness = PARSE_COMPLETE;
	struct parser_end end;
	struct diags diags;

	*ret_indent = 0;
	diags_init(&diags);
	unit_unref(parser_run(source, NULL, &diags, &end));
	if (diags.n_errors == 1 && (end.wants_more || end.in_raw)) {
		completeness = PARSE_INCOMPLETE;
		*ret_indent = next_indent(source, &end);
	} else if (diags.n_errors) {
		completeness = PARSE_INVALID;
	}
	diags_release(&diags);
	source_unref(source);
	return completeness;
}
