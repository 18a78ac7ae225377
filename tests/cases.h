/* Test cases as data: files of programs and what is expected of them.
 *
 *     Anything before the first case is a comment.
 *     ==== name of the case
 *     Lines before the first part are the case's comment: what broke, and when.
 *     ---- program
 *     a = b
 *     ---- expected
 *     error[L0204]: …
 *
 * A part's text is all lines up to the next line that begins with `==== ` or `---- `, the last newline included; so a
 * text is empty or ends in a newline. A line of a text that itself begins that way is written with one `\` before it.
 * Names of parts are up to the test; a part that is not there has NULL as text.
 *
 * With UPDATE_GOLDEN=1 in the environment (`make update-golden`), case_is and golden_is do not compare: they take what
 * they got as the expected text, and cases_close writes the file again. A program's text is never changed. */
#ifndef TESTS_CASES_H
#define TESTS_CASES_H

#include <stdbool.h>
#include <stddef.h>

struct case_part {
	char *name;
	char *text; /* NUL behind it */
	size_t len;
};

struct test_case {
	char *name;
	char *comment;
	struct case_part *parts;
	size_t n_parts, cap_parts;
};

struct case_file {
	char *path; /* absolute */
	char *comment;
	struct test_case *cases;
	size_t n_cases, cap_cases;
	bool changed;
};

/* `name` is relative to the source tree: "tests/dsl/lexer.cases". A file that cannot be read is a BUG(). */
void cases_open(struct case_file *file, const char *name);
/* Writes the file when case_is changed it; releases everything. */
void cases_close(struct case_file *file);

/* The part's text, or NULL. */
const char *case_text(const struct test_case *test, const char *part);
/* Asserts that the part's text is `got`, under the case's name. A missing final newline of `got` is added. `got` that
 * is empty equals a part that is not there. */
bool case_is(struct case_file *file, struct test_case *test, const char *part, const char *got, size_t got_len);

/* Asserts that the file of the source tree holds exactly `got`. */
bool golden_is(const char *name, const char *got, size_t got_len);

#endif
