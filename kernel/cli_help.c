#include "config.h"

#include "kernel/cli.h"

#include <string.h>

#include "base/utf8.h"

static void
pad_to(struct buf *buf, size_t start, size_t column)
{
	size_t width = utf8_width(buf->data + start, buf->len - start);

	buf_repeat(buf, ' ', width < column ? column - width : 1);
}

static void
help_option(struct buf *buf, const struct cli_option *o)
{
	size_t start = buf->len;

	if (o->letter)
		buf_printf(buf, "  -%c, --%s", o->letter, o->name);
	else
		buf_printf(buf, "      --%s", o->name);
	if (o->argument)
		buf_printf(buf, " %s", o->argument);
	pad_to(buf, start, 30);
	buf_printf(buf, "%s\n", o->doc);
}

static void
help_one(struct buf *buf, const struct cli_command *command)
{
	buf_printf(buf, "lateen %s%s%s: %s\n", command->name, *command->arguments ? " " : "", command->arguments, command->summary);
	if (command->details)
		buf_printf(buf, "\n%s\n", command->details);
	buf_puts(buf, "\noptions:\n");
	for (size_t i = 0; i < command->n_options; i++)
		help_option(buf, &command->options[i]);
	buf_puts(buf, "  -h, --help                  this text\n");
}

void
cli_help(struct buf *buf, const struct cli_command *command)
{
	size_t n;
	const struct cli_command *commands = cli_commands(&n);

	if (command) {
		help_one(buf, command);
		return;
	}
	buf_puts(buf, "lateen: machine-learning pipelines, from a cell to a cluster\n\nusage: lateen COMMAND [OPTION…] [ARGUMENT…]\n\n");
	for (size_t i = 0; i < n; i++) {
		size_t start = buf->len;

		buf_printf(buf, "  %s %s", commands[i].name, commands[i].arguments);
		pad_to(buf, start, 30);
		buf_printf(buf, "%s\n", commands[i].summary);
	}
	buf_puts(buf, "\n`lateen help COMMAND` says more of one. FILE `-` is standard input.\n"
		      "Exit status: 0 good, 1 the program is wrong or the run failed, 2 wrong use, 3 the world failed.\n");
}

/* roff reads `-` as a hyphen, `\` as an escape, and a line that starts with `.` as a request. */
static void
roff(struct buf *buf, const char *text)
{
	for (; *text; text++) {
		if (*text == '-' || *text == '\\')
			buf_putc(buf, '\\');
		if (*text == '\\')
			buf_puts(buf, "e");
		else
			buf_putc(buf, *text);
	}
}

static void
man_option(struct buf *buf, const struct cli_option *o)
{
	buf_puts(buf, ".TP\n.B ");
	if (o->letter)
		buf_printf(buf, "\\-%c, ", o->letter);
	buf_puts(buf, "\\-\\-");
	roff(buf, o->name);
	if (o->argument)
		buf_printf(buf, " \\fI%s\\fP", o->argument);
	buf_putc(buf, '\n');
	roff(buf, o->doc);
	buf_putc(buf, '\n');
}

static void
man_command(struct buf *buf, const struct cli_command *c)
{
	buf_printf(buf, ".SS \"lateen %s %s\"\n", c->name, c->arguments);
	roff(buf, c->summary);
	buf_puts(buf, ".\n");
	if (c->details) {
		buf_puts(buf, ".PP\n");
		roff(buf, c->details);
		buf_putc(buf, '\n');
	}
	for (size_t i = 0; i < c->n_options; i++)
		man_option(buf, &c->options[i]);
}

void
cli_write_man(struct buf *buf)
{
	size_t n;
	const struct cli_command *commands = cli_commands(&n);

	buf_puts(buf, ".TH LATEEN 1 \"\" \"lateen " PACKAGE_VERSION "\" \"User Commands\"\n"
		      ".SH NAME\nlateen \\- machine\\-learning pipelines, from a cell to a cluster\n"
		      ".SH SYNOPSIS\n.B lateen\n.I command\n[option...] [argument...]\n"
		      ".SH DESCRIPTION\nA Jupyter kernel and a small language for machine\\-learning pipelines. A call is a step inside a\n"
		      "pipeline, and runs right now outside one. FILE \\(oq\\-\\(cq is standard input.\n"
		      ".SH COMMANDS\n");
	for (size_t i = 0; i < n; i++)
		man_command(buf, &commands[i]);
	buf_puts(buf, ".SH EXIT STATUS\n.TP\n.B 0\ngood\n.TP\n.B 1\nthe program is wrong, or the run failed\n"
		      ".TP\n.B 2\nwrong use of the command line\n.TP\n.B 3\na file, the network or the machine failed\n"
		      ".SH ENVIRONMENT\n.TP\n.B NO_COLOR\nno colour, whatever its value\n"
		      ".TP\n.B LATEEN_HOME\nwhere runs are kept, in place of .lateen in the working folder\n");
}

void
cli_write_bash(struct buf *buf)
{
	size_t n;
	const struct cli_command *commands = cli_commands(&n);

	buf_puts(buf, "# bash completion for lateen\n_lateen() {\n\tlocal word=${COMP_WORDS[COMP_CWORD]}\n"
		      "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n\t\tCOMPREPLY=($(compgen -W '");
	for (size_t i = 0; i < n; i++)
		buf_printf(buf, "%s ", commands[i].name);
	buf_puts(buf, "--help --version' -- \"$word\"))\n\t\treturn\n\tfi\n\tcase ${COMP_WORDS[1]} in\n");
	for (size_t i = 0; i < n; i++) {
		buf_printf(buf, "\t%s) set --", commands[i].name);
		for (size_t k = 0; k < commands[i].n_options; k++)
			buf_printf(buf, " --%s", commands[i].options[k].name);
		buf_puts(buf, " --help ;;\n");
	}
	buf_puts(buf, "\t*) set -- ;;\n\tesac\n\tcase $word in\n\t-*) COMPREPLY=($(compgen -W \"$*\" -- \"$word\")) ;;\n"
		      "\t*) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n\tesac\n}\ncomplete -o filenames -F _lateen lateen\n");
}

/* Text inside single quotes within zsh's [ ] descriptions. */
static void
zsh_text(struct buf *buf, const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			buf_puts(buf, "'\\'");
		else if (strchr("[]:", *text))
			buf_putc(buf, '\\');
		buf_putc(buf, *text);
	}
}

static void
zsh_option(struct buf *buf, const struct cli_option *o)
{
	buf_printf(buf, " '--%s%s[", o->name, o->argument ? "=" : "");
	zsh_text(buf, o->doc);
	buf_putc(buf, ']');
	if (o->argument)
		buf_printf(buf, ":%s:%s", o->argument, strcmp(o->argument, "FILE") ? "" : "_files");
	buf_putc(buf, '\'');
}

void
cli_write_zsh(struct buf *buf)
{
	size_t n;
	const struct cli_command *commands = cli_commands(&n);

	buf_puts(buf, "#compdef lateen\n_lateen() {\n\tlocal -a commands\n\tcommands=(\n");
	for (size_t i = 0; i < n; i++) {
		buf_printf(buf, "\t\t'%s:", commands[i].name);
		zsh_text(buf, commands[i].summary);
		buf_puts(buf, "'\n");
	}
	buf_puts(buf, "\t)\n\tif (( CURRENT == 2 )); then\n\t\t_describe command commands\n\t\treturn\n\tfi\n\tcase $words[2] in\n");
	for (size_t i = 0; i < n; i++) {
		buf_printf(buf, "\t%s) _arguments", commands[i].name);
		for (size_t k = 0; k < commands[i].n_options; k++)
			zsh_option(buf, &commands[i].options[k]);
		buf_puts(buf, " '*:file:_files' ;;\n");
	}
	buf_puts(buf, "\tesac\n}\n_lateen \"$@\"\n");
}
