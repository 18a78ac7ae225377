#include "config.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "base/macros.h"
#include "runtime/step/step.h"

enum { LARGE = 1 << 20 /* bytes of a block that goes back to the system when it is freed */ };

static void
write_usage(FILE *to)
{
	fputs("Usage: lateen-step COMMAND [--OPTION VALUE]…\n\nThe steps that ship with Lateen (std.NAME), each a process of its own.\n\n", to);
	for (const struct step_command *c = STEP_COMMANDS; c->name; c++)
		fprintf(to, "  %-18s %s\n", c->name, c->doc);
	fputs("\n`lateen-step COMMAND --help` lists the command's options.\n", to);
}

static void
write_help(const struct step_command *command)
{
	printf("Usage: lateen-step %s [--OPTION VALUE]…\n\n%s.\n\n", command->name, command->doc);
	for (size_t i = 0; i < STEP_OPTIONS_MAX && command->options[i].name; i++) {
		const struct step_option *o = &command->options[i];
		char left[64];

		snprintf(left, sizeof(left), "--%s %s", o->name, o->argument);
		printf("  %-24s %s", left, o->doc);
		if (!o->fallback)
			fputs(" (must be given)", stdout);
		else if (*o->fallback)
			printf(" (%s)", o->fallback);
		putchar('\n');
	}
}

static size_t
option_index(const struct step_command *command, const char *name, size_t len)
{
	for (size_t i = 0; i < STEP_OPTIONS_MAX && command->options[i].name; i++)
		if (strlen(command->options[i].name) == len && !strncmp(command->options[i].name, name, len))
			return i;
	return STEP_OPTIONS_MAX;
}

/* `--name value` and `--name=value`. */
static int
read_options(struct step_call *call, char **argv, struct error *err)
{
	for (; *argv; argv++) {
		const char *equals = strchr(*argv, '=');
		size_t len = equals ? (size_t)(equals - *argv) : strlen(*argv);
		size_t i = len > 2 && !strncmp(*argv, "--", 2) ? option_index(call->command, *argv + 2, len - 2) : STEP_OPTIONS_MAX;

		if (i == STEP_OPTIONS_MAX)
			return error_set(err, "%s has no option `%s`", call->command->name, *argv);
		if (!equals && !argv[1])
			return error_set(err, "`%s` wants a value", *argv);
		call->values[i] = equals ? equals + 1 : *++argv;
	}
	for (size_t i = 0; i < STEP_OPTIONS_MAX && call->command->options[i].name; i++) {
		if (!call->values[i])
			call->values[i] = call->command->options[i].fallback;
		if (!call->values[i])
			return error_set(err, "%s wants --%s", call->command->name, call->command->options[i].name);
	}
	return 0;
}

static int
fail(int status, const struct error *err)
{
	fprintf(stderr, "lateen-step: %s\n", err->text);
	return status;
}

static int
run(const struct step_command *command, char **argv)
{
	struct step_call call = { .command = command };
	struct error err;

	if (argv[0] && !strcmp(argv[0], "--help")) {
		write_help(command);
		return 0;
	}
	if (read_options(&call, argv, &err))
		return fail(2, &err);
	if (command->run(&call, &err))
		return fail(1, &err);
	return fflush(stdout) ? 3 : 0;
}

int
main(int argc, char **argv)
{
	/* glibc would keep freed blocks of up to 32 MiB, and the greatest memory be more than was promised. */
	mallopt(M_MMAP_THRESHOLD, LARGE);
	if (argc > 1 && !strcmp(argv[1], "--version")) {
		puts("lateen-step " PACKAGE_VERSION);
		return 0;
	}
	if (argc < 2 || !strcmp(argv[1], "--help")) {
		write_usage(argc < 2 ? stderr : stdout);
		return argc < 2 ? 2 : 0;
	}
	for (const struct step_command *c = STEP_COMMANDS; c->name; c++)
		if (!strcmp(c->name, argv[1]))
			return run(c, argv + 2);
	fprintf(stderr, "lateen-step: there is no command `%s`; try lateen-step --help\n", argv[1]);
	return 2;
}
