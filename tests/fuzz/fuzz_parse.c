/* Any bytes: parsing ends, problems can be rendered; what parses can be formatted, and then parses to the same tree and
 * formats to the same text. */
#include "config.h"

#include <stdint.h>
#include <string.h>

#include "base/macros.h"
#include "dsl/format.h"
#include "dsl/parse.h"
#include "tests/dsl/ast_dump.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t
read_program(const char *text, size_t len, struct buf *tree, struct buf *formatted)
{
	struct source *source = source_new("In[3]", text, len);
	struct diags diags;
	struct unit *unit;
	struct buf problems = { 0 };
	size_t errors;

	diags_init(&diags);
	unit = parse(source, NULL, &diags);
	errors = diags.n_errors;
	diags_sort(&diags);
	diags_write_text(&problems, &diags, NULL);
	diags_write_html(&problems, &diags);
	diags_write_json(&problems, &diags);
	buf_release(&problems);
	if (!errors) {
		ast_dump(tree, unit);
		format_unit(formatted, unit);
	}
	unit_unref(unit);
	diags_release(&diags);
	source_unref(source);
	return errors;
}

static void
must_equal(const char *what, const struct buf *got, const struct buf *want)
{
	if (got->len != want->len || memcmp(buf_text(got), buf_text(want), got->len) != 0)
		BUG("%s\n---- got\n%s---- want\n%s", what, buf_text(got), buf_text(want));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf tree = { 0 }, formatted = { 0 }, tree_again = { 0 }, again = { 0 };
	unsigned indent;

	parse_completeness((const char *)data, size, &indent);
	if (!read_program((const char *)data, size, &tree, &formatted)) {
		if (read_program(buf_text(&formatted), formatted.len, &tree_again, &again))
			BUG("the formatted text does not parse\n%s", buf_text(&formatted));
		must_equal("the formatted text has another tree", &tree_again, &tree);
		must_equal("formatting again changes the text", &again, &formatted);
	}
	buf_release(&tree);
	buf_release(&formatted);
	buf_release(&tree_again);
	buf_release(&again);
	return 0;
}
