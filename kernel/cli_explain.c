#include "config.h"

#include "kernel/cli.h"

#include <stdio.h>

#include "dsl/diag.h"

static void
explain(const struct diag_info *info)
{
	printf("%s%s: %s\n\n%s\n", info->severity == SEVERITY_ERROR ? "error " : "warning ", info->code, info->title, info->explanation);
}

int
cli_explain(const struct cli_args *args)
{
	const struct diag_info *info;

	info = diag_info_by_name(args->rest[0]);
	if (!info)
		return cli_fail(EXIT_USAGE, "no problem has the code `%s`", args->rest[0]);
	explain(info);
	return EXIT_GOOD;
}
