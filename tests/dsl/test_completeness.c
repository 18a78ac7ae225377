#include "config.h"

#include <string.h>

#include "dsl/parse.h"
#include "tests/tap.h"

struct completeness_case {
	const char *text;
	enum parse_completeness want;
	unsigned indent; /* of PARSE_INCOMPLETE */
};

static const struct completeness_case CASES[] = {
	{ "", PARSE_COMPLETE, 0 },
	{ "\n# a comment\n", PARSE_COMPLETE, 0 },
	{ "a = 1", PARSE_COMPLETE, 0 },
	{ "pipeline p() {\n}", PARSE_COMPLETE, 0 },
	{ "!ls (", PARSE_COMPLETE, 0 },
	{ "f(a)", PARSE_COMPLETE, 0 },
	{ "a?", PARSE_COMPLETE, 0 },
	{ "a??", PARSE_COMPLETE, 0 },
	{ "pipeline p() {", PARSE_INCOMPLETE, 4 },
	{ "pipeline p() {\n    a = f()\n", PARSE_INCOMPLETE, 4 },
	{ "pipeline p() {\n    if a {\n        f(a)\n", PARSE_INCOMPLETE, 8 },
	{ "pipeline p() {\n\tif a {", PARSE_INCOMPLETE, 8 },
	{ "pipeline p(\n    a: String,", PARSE_INCOMPLETE, 4 },
	{ "component c(a: String) -> (", PARSE_INCOMPLETE, 4 },
	{ "f(a,", PARSE_INCOMPLETE, 4 },
	{ "f(a", PARSE_INCOMPLETE, 4 },
	{ "f(\n    x: [1,", PARSE_INCOMPLETE, 8 },
	{ "a = {x: 1,\n", PARSE_INCOMPLETE, 4 },
	{ "a =", PARSE_INCOMPLETE, 4 },
	{ "a = 1 +", PARSE_INCOMPLETE, 4 },
	{ "a = not", PARSE_INCOMPLETE, 4 },
	{ "f(a) with", PARSE_INCOMPLETE, 4 },
	{ "f(a) with gpu 1,", PARSE_INCOMPLETE, 4 },
	{ "component c() {\n    script sh \"\"\"\n      ls", PARSE_INCOMPLETE, 6 },
	{ "a = \"\"\"\n", PARSE_INCOMPLETE, 0 },
	{ "a = \"x", PARSE_INVALID, 0 },
	{ "a = 1 2", PARSE_INVALID, 0 },
	{ "compile", PARSE_INVALID, 0 },
	{ "use a from", PARSE_INVALID, 0 },
	{ "pipeline p", PARSE_INVALID, 0 },
	{ "pipeline p()", PARSE_INVALID, 0 },
	{ "}", PARSE_INVALID, 0 },
	{ "f(a))", PARSE_INVALID, 0 },
	{ "a = 1 2\nf(", PARSE_INVALID, 0 },
	{ "a = \"{1 +}\"", PARSE_INVALID, 0 },
	{ "f(a b", PARSE_INVALID, 0 },
};

int
main(void)
{
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		const struct completeness_case *c = &CASES[i];
		unsigned indent = 99;

		is_int(parse_completeness(c->text, strlen(c->text), &indent), c->want, "%s", c->text);
		is_int(indent, c->indent, "  and its indentation");
	}
	return done_testing();
}
