/* The command line: a table of commands, one function each.
 *
 * The table is the single source for parsing, `--help`, the man page and the shells' completions. A command gets its
 * arguments already taken apart and returns an exit status. Only kernel/cli_*.c and kernel/main.c print. */
#ifndef KERNEL_CLI_H
#define KERNEL_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

enum exit_status {
	EXIT_GOOD = 0,
	EXIT_PROGRAM = 1, /* the program is wrong, or the run failed */
	EXIT_USAGE = 2, /* wrong use of the command line */
	EXIT_WORLD = 3, /* a file, the network, the machine */
};

struct cli_option {
	char letter; /* 0: only the long form */
	const char *name; /* "json" */
	const char *argument; /* "FILE", or NULL for a switch */
	const char *doc; /* one line, without a full stop */
};

/* Arguments of one call. */
struct cli_args {
	const struct cli_command *command;
	const char **values; /* one for each of the command's options: NULL, "" for a switch, or its argument */
	char **rest; /* what is no option; n_rest of them */
	size_t n_rest;
};

struct cli_command {
	const char *name;
	const char *arguments; /* "FILE [NAME=VALUE…]" */
	const char *summary; /* one line */
	const char *details; /* paragraphs for `help` and the man page, or NULL */
	const struct cli_option *options;
	size_t n_options;
	size_t min_rest, max_rest;
	int (*run)(const struct cli_args *args);
};

const struct cli_command *cli_commands(size_t *ret_n);

/* The option's argument ("" for a switch), or NULL if it was not given. BUG if the command has no such option. */
const char *cli_option(const struct cli_args *args, const char *name);
/* A whole number from low to high in that option; EXIT_USAGE with a message when it is not one; the fallback if not given. */
int cli_number(const struct cli_args *args, const char *name, long low, long high, long fallback, long *ret);

/* "lateen: …" on stderr; returns the status, so that a command can end with it. */
int cli_fail(enum exit_status status, const char *format, ...) PRINTF_LIKE(2, 3);
/* May stdout (or stderr) hold colour: a terminal, no NO_COLOR, TERM not dumb. */
bool cli_colour(bool is_stderr);

int cli_main(int argc, char **argv);

/* What --help prints, the man page in roff, and completions, from the table. */
void cli_help(struct buf *buf, const struct cli_command *command); /* NULL: all commands */
void cli_write_man(struct buf *buf);
void cli_write_bash(struct buf *buf);
void cli_write_zsh(struct buf *buf);

/* The commands, in kernel/cli_NAME.c. */
int cli_attach(const struct cli_args *args); /* wait, too */
int cli_check(const struct cli_args *args);
int cli_compile(const struct cli_args *args);
int cli_component(const struct cli_args *args);
int cli_control(const struct cli_args *args); /* stop, suspend, resume, delete */
int cli_doctor(const struct cli_args *args);
int cli_exec(const struct cli_args *args);
int cli_explain(const struct cli_args *args);
int cli_fmt(const struct cli_args *args);
int cli_forward(const struct cli_args *args);
int cli_graph(const struct cli_args *args);
int cli_help_command(const struct cli_args *args);
int cli_kernel(const struct cli_args *args);
int cli_logs(const struct cli_args *args);
int cli_open(const struct cli_args *args);
int cli_prepare(const struct cli_args *args); /* cleanup, too */
int cli_retry(const struct cli_args *args);
int cli_run(const struct cli_args *args);
int cli_runs(const struct cli_args *args);
int cli_schedule(const struct cli_args *args);
int cli_upload(const struct cli_args *args);

#endif
