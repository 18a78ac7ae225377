#include "config.h"

#include "kernel/cli.h"

#include <stdio.h>

#include "dsl/diag.h"

static void
explain(const struct diag_info *info)
{
	printf("%s%s: %s\n\n%s\n", info->severity == SEVERITY_ERROR ? "error " : "warning ", info->code, info->title, info->explanation);
}

/* docs/errors.md. */
static void
explain_all(void)
{
	puts("# Problems and what they mean\n\n"
	     "Every problem that Lateen reports has a code. `lateen explain CODE`, and `help CODE` in a cell, print what stands here.\n"
	     "This page is made by `lateen explain --all`.");
	for (int i = 0; i < DIAG_CODE_MAX; i++) {
		const struct diag_info *info = diag_info((enum diag_code)i);

		printf("\n## %s: %s\n\n%s%s\n", info->code, info->title,
		       info->severity == SEVERITY_WARNING ? "*A warning: the program runs.*\n\n" : "", info->explanation);
	}
}

int
cli_explain(const struct cli_args *args)
{
	const struct diag_info *info;

	if (cli_option(args, "all")) {
		explain_all();
		return EXIT_GOOD;
	}
	if (!args->n_rest)
		return cli_fail(EXIT_USAGE, "which code? `lateen explain L0204`, or --all");
	info = diag_info_by_name(args->rest[0]);
	if (!info)
		return cli_fail(EXIT_USAGE, "no problem has the code `%s`", args->rest[0]);
	explain(info);
	return EXIT_GOOD;
}
