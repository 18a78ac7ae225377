#include "config.h"

#include <stdio.h>
#include <string.h>

#include "kernel/doctor.h"
#include "kernel/install.h"

static int
usage(FILE *to)
{
	fputs("Usage: lateen --version\n"
	      "       lateen doctor\n"
	      "       lateen kernel install [--user|--sys-prefix|--prefix P] [--name N]\n", to);
	return to == stdout ? 0 : 2;
}

static int
install(int n, char **args)
{
	struct install_options options = { 0 };
	struct buf folder = { 0 };
	struct error err;

	for (int i = 0; i < n; i++) {
		if (!strcmp(args[i], "--user"))
			options.user = true;
		else if (!strcmp(args[i], "--sys-prefix"))
			options.sys_prefix = true;
		else if (!strcmp(args[i], "--prefix") && i + 1 < n)
			options.prefix = args[++i];
		else if (!strcmp(args[i], "--name") && i + 1 < n)
			options.name = args[++i];
		else
			return usage(stderr);
	}
	if (install_folder(&options, &folder, &err) || install_kernelspec(&options, &err)) {
		fprintf(stderr, "lateen: %s\n", err.text);
		return 3;
	}
	printf("installed the kernel in %s\n", buf_text(&folder));
	buf_release(&folder);
	return 0;
}

static int
doctor(void)
{
	struct buf report = { 0 };
	int problems = doctor_report(&report);

	fputs(buf_text(&report), stdout);
	buf_release(&report);
	return problems ? 3 : 0;
}

int
main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--version")) {
		puts("lateen " PACKAGE_VERSION);
		return 0;
	}
	if (argc == 2 && !strcmp(argv[1], "doctor"))
		return doctor();
	if (argc >= 3 && !strcmp(argv[1], "kernel") && !strcmp(argv[2], "install"))
		return install(argc - 3, argv + 3);
	return usage(argc == 2 && !strcmp(argv[1], "--help") ? stdout : stderr);
}
