#include "config.h"

#include <stdio.h>
#include <string.h>

static int
usage(FILE *to)
{
	fputs("Usage: lateen [--version] [--help]\n", to);
	return to == stdout ? 0 : 2;
}

int
main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--version")) {
		puts("lateen " PACKAGE_VERSION);
		return 0;
	}
	return usage(argc == 2 && !strcmp(argv[1], "--help") ? stdout : stderr);
}
