/* Cells as test cases. A case's parts: `cell` (one or more, in order), `file NAME` (what `use "NAME"` reads), `std` (the std
 * library), `problems` (all diagnostics as text), `plans` (the plans of the last cell), `components`, `actions`. */
#ifndef TESTS_DSL_SCOPE_CASE_H
#define TESTS_DSL_SCOPE_CASE_H

#include "dsl/scope.h"
#include "tests/cases.h"

/* A resolver over the parts of a case. */
struct case_resolver {
	struct resolver base;
	const struct test_case *test;
};

void case_resolver_init(struct case_resolver *resolver, const struct test_case *test);

/* Runs all cells of the case in one scope and asserts each of the expected parts. */
void scope_case_run(struct case_file *file, struct test_case *test);
void scope_cases_run(const char *name);

#endif
