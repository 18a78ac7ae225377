#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "dsl/format.h"
#include "dsl/parse.h"
#include "tests/cases.h"
#include "tests/dsl/ast_dump.h"
#include "tests/tap.h"

/* Parses; appends the tree and the layout. Returns how many errors there were. */
static size_t
layout(const char *text, size_t len, struct buf *tree, struct buf *formatted)
{
	struct source *source = source_new("In[3]", text, len);
	struct diags diags;
	struct unit *unit;
	size_t errors;

	diags_init(&diags);
	unit = parse(source, NULL, &diags);
	errors = diags.n_errors;
	ast_dump(tree, unit);
	format_unit(formatted, unit);
	unit_unref(unit);
	diags_release(&diags);
	source_unref(source);
	return errors;
}

static void
check_program(const char *name, const char *program, struct buf *formatted)
{
	struct buf tree = { 0 }, tree_again = { 0 }, again = { 0 };

	is_int((int64_t)layout(program, strlen(program), &tree, formatted), 0, "%s: parses", name);
	is_int((int64_t)layout(buf_text(formatted), formatted->len, &tree_again, &again), 0, "%s: parses when formatted", name);
	is_str(buf_text(&tree_again), buf_text(&tree), "%s: the same tree", name);
	is_str(buf_text(&again), buf_text(formatted), "%s: a fixed point", name);
	buf_release(&tree);
	buf_release(&tree_again);
	buf_release(&again);
}

int
main(void)
{
	struct case_file file;

	cases_open(&file, "tests/dsl/cases/format.cases");
	for (size_t i = 0; i < file.n_cases; i++) {
		struct test_case *test = &file.cases[i];
		struct buf formatted = { 0 };

		check_program(test->name, case_text(test, "program"), &formatted);
		case_is(&file, test, "formatted", buf_text(&formatted), formatted.len);
		buf_release(&formatted);
	}
	cases_close(&file);
	cases_open(&file, "tests/dsl/cases/parse.cases");
	for (size_t i = 0; i < file.n_cases; i++) {
		struct buf formatted = { 0 };

		if (!case_text(&file.cases[i], "bound"))
			check_program(file.cases[i].name, case_text(&file.cases[i], "program"), &formatted);
		buf_release(&formatted);
	}
	cases_close(&file);
	return done_testing();
}
