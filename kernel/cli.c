#include "config.h"

#include "kernel/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dsl/diag.h"

int
cli_fail(enum exit_status status, const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fputs("lateen: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return (int)status;
}

bool
cli_colour(bool is_stderr)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if ((no_color && *no_color) || (term && !strcmp(term, "dumb")))
		return false;
	return isatty(is_stderr ? STDERR_FILENO : STDOUT_FILENO);
}

static size_t
option_index(const struct cli_command *command, const char *name)
{
	for (size_t i = 0; i < command->n_options; i++)
		if (!strcmp(command->options[i].name, name))
			return i;
	BUG("command `%s` has no option `%s`", command->name, name);
}

const char *
cli_option(const struct cli_args *args, const char *name)
{
	return args->values[option_index(args->command, name)];
}

int
cli_number(const struct cli_args *args, const char *name, long low, long high, long fallback, long *ret)
{
	const char *text = cli_option(args, name);
	char *end;

	*ret = fallback;
	if (!text)
		return EXIT_GOOD;
	errno = 0;
	*ret = strtol(text, &end, 10);
	if (errno || end == text || *end || *ret < low || *ret > high)
		return cli_fail(EXIT_USAGE, "--%s wants a whole number from %ld to %ld, not `%s`", name, low, high, text);
	return EXIT_GOOD;
}

static const struct cli_command *
find_command(const char *name)
{
	size_t n;
	const struct cli_command *commands = cli_commands(&n);

	for (size_t i = 0; i < n; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

enum { HELP_OPTION = 'h' };

/* getopt's two tables from ours. Long options without a letter get a value past all letters. */
static void
getopt_tables(const struct cli_command *command, struct buf *letters, struct option *longs)
{
	buf_puts(letters, "h");
	for (size_t i = 0; i < command->n_options; i++) {
		const struct cli_option *o = &command->options[i];

		longs[i] = (struct option){ .name = o->name,
					    .has_arg = o->argument ? required_argument : no_argument,
					    .val = 256 + (int)i };
		if (!o->letter)
			continue;
		buf_putc(letters, o->letter);
		if (o->argument)
			buf_putc(letters, ':');
	}
	longs[command->n_options] = (struct option){ .name = "help", .val = HELP_OPTION };
}

static size_t
option_of_value(const struct cli_command *command, int value)
{
	if (value >= 256)
		return (size_t)value - 256;
	for (size_t i = 0; i < command->n_options; i++)
		if (command->options[i].letter == value)
			return i;
	BUG("getopt returned %d", value);
}

static int
print_help(const struct cli_command *command)
{
	struct buf text = { 0 };

	cli_help(&text, command);
	fputs(buf_text(&text), stdout);
	buf_release(&text);
	return EXIT_GOOD;
}

static int
wrong_use(const struct cli_command *command)
{
	fprintf(stderr, "lateen: usage: lateen %s%s%s%s\n", command->name, command->n_options ? " [OPTION…]" : "",
		*command->arguments ? " " : "", command->arguments);
	fprintf(stderr, "lateen: `lateen help %s` says more\n", command->name);
	return EXIT_USAGE;
}

/* 0: go on; otherwise stop with *ret_status. */
static int
take_options(struct cli_args *args, int argc, char **argv, int *ret_status)
{
	const struct cli_command *command = args->command;
	CLEANUP(freep) struct option *longs = xcalloc(command->n_options + 2, sizeof *longs);
	struct buf letters = { 0 };
	int c;

	getopt_tables(command, &letters, longs);
	*ret_status = -1;
	/* getopt prints its own complaint, with argv[0] in front. */
	while (*ret_status < 0 && (c = getopt_long(argc, argv, buf_text(&letters), longs, NULL)) != -1) {
		if (c == HELP_OPTION)
			*ret_status = print_help(command);
		else if (c == '?')
			*ret_status = wrong_use(command);
		else
			args->values[option_of_value(command, c)] = optarg ? optarg : "";
	}
	buf_release(&letters);
	return *ret_status < 0 ? 0 : -1;
}

static int
run_command(const struct cli_command *command, int argc, char **argv)
{
	CLEANUP(freep) const char **values = xcalloc(command->n_options, sizeof *values);
	struct cli_args args = { .command = command, .values = values };
	int status;

	argv[0] = (char[]){ "lateen" };
	if (take_options(&args, argc, argv, &status) < 0)
		return status;
	args.rest = argv + optind;
	args.n_rest = (size_t)(argc - optind);
	if (args.n_rest < command->min_rest || args.n_rest > command->max_rest)
		return wrong_use(command);
	return command->run(&args);
}

/* A standard stream that came closed is opened, so that no file of ours takes its number and what is printed gets into it. The
 * wrong way round: to use it is the error that it was. */
static void
hold_standard_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
			return;
}

/* What could not be printed must not pass for a success. */
static int
finish_output(int status)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	/* An earlier write may have been the one that failed: then the reason is gone. */
	fprintf(stderr, "lateen: cannot write to standard output%s%s\n", errno ? ": " : "", errno ? strerror(errno) : "");
	return status == EXIT_GOOD ? EXIT_WORLD : status;
}

/* The nearest command, where one is near. */
static int
no_command(const char *name)
{
	size_t n;
	const struct cli_command *commands = cli_commands(&n);

	for (size_t i = 0; i < n; i++)
		if (diag_is_near(name, commands[i].name))
			return cli_fail(EXIT_USAGE, "no command `%s`; did you mean `%s`? `lateen help` lists them", name, commands[i].name);
	return cli_fail(EXIT_USAGE, "no command `%s`; `lateen help` lists them", name);
}

static int
dispatch(int argc, char **argv)
{
	const struct cli_command *command;

	if (argc < 2) {
		print_help(NULL);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("lateen " PACKAGE_VERSION);
		return EXIT_GOOD;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return print_help(NULL);
	command = find_command(argv[1]);
	if (!command)
		return no_command(argv[1]);
	return run_command(command, argc - 1, argv + 1);
}

int
cli_main(int argc, char **argv)
{
	hold_standard_streams();
	return finish_output(dispatch(argc, argv));
}

int
cli_help_command(const struct cli_args *args)
{
	struct buf text = { 0 };
	const struct cli_command *command = args->n_rest ? find_command(args->rest[0]) : NULL;

	if (args->n_rest && !command)
		return no_command(args->rest[0]);
	if (cli_option(args, "man"))
		cli_write_man(&text);
	else if (cli_option(args, "bash"))
		cli_write_bash(&text);
	else if (cli_option(args, "zsh"))
		cli_write_zsh(&text);
	else
		cli_help(&text, command);
	fputs(buf_text(&text), stdout);
	buf_release(&text);
	return EXIT_GOOD;
}
