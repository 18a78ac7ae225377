#include "config.h"

#include "tests/dsl/scope_case.h"
#include "tests/tap.h"

int
main(void)
{
	scope_cases_run("tests/dsl/check.cases");
	return done_testing();
}
