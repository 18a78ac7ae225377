#include "config.h"

#include "kernel/cli.h"

#include <stdint.h>

#define OPTIONS(table) .options = table, .n_options = ARRAY_LEN(table)

static const struct cli_option check_options[] = {
	{ 0, "json", NULL, "problems as JSON: an array of {code, severity, message, start, end, labels, helps, fixes}" },
	{ 0, "html", NULL, "problems as an HTML fragment" },
	{ 0, "on", "NAME", "check the file's pipelines against the cluster of that name too, which the file declares; starts nothing" },
	{ 'p', "pipeline", "NAME", "with --on: only that pipeline" },
};

static const struct cli_option compile_options[] = {
	{ 'p', "pipeline", "NAME", "the pipeline, where the file declares several" },
	{ 0, "for", "TARGET", "argo (the default) or kfp (the default for .tar.gz and .zip)" },
	{ 'o', "output", "FILE", "where to: .yaml, .json, .tar.gz or .zip; - is standard output, and the default" },
};

static const struct cli_option run_options[] = {
	{ 'p', "pipeline", "NAME", "the pipeline, where the file declares several" },
	{ 'j', "jobs", "N", "steps at the same time (default: the number of processors)" },
	{ 0, "json", NULL, "the result as JSON on standard output, when the run has ended" },
	{ 0, "plain", NULL, "no redrawing: a line for each change" },
};

static const struct cli_option exec_options[] = {
	{ 0, "plain", NULL, "no redrawing of live runs" },
};

static const struct cli_option graph_options[] = {
	{ 'p', "pipeline", "NAME", "the pipeline, where the file declares several" },
	{ 'o', "output", "FILE", "where to: .svg, .json or .txt; - (the default) is the text on standard output" },
};

static const struct cli_option fmt_options[] = {
	{ 0, "check", NULL, "write nothing; name the files that are not in canonical form and exit with 1" },
};

static const struct cli_option component_options[] = {
	{ 0, "json", NULL, "as JSON: {name, image, inputs, outputs, command, args}" },
};

static const struct cli_option logs_options[] = {
	{ 'f', "follow", NULL, "go on as the run goes on" },
	{ 'n', "last", "N", "only the last N lines" },
	{ 'g', "grep", "TEXT", "only lines that hold the text" },
};

static const struct cli_option runs_options[] = {
	{ 0, "json", NULL, "as JSON" },
};

static const struct cli_option kernel_options[] = {
	{ 'f', "connection-file", "FILE", "serve Jupyter on the sockets that this file names" },
	{ 0, "user", NULL, "install: for this user (the default)" },
	{ 0, "sys-prefix", NULL, "install: into the Python environment that is active" },
	{ 0, "prefix", "DIR", "install: under DIR/share/jupyter" },
	{ 0, "name", "NAME", "install: the kernelspec's name (default: lateen)" },
};

static const struct cli_option help_options[] = {
	{ 0, "man", NULL, "the man page, in roff" },
	{ 0, "bash", NULL, "completion for bash" },
	{ 0, "zsh", NULL, "completion for zsh" },
};

static const struct cli_command commands[] = {
	{ "check", "FILE", "find everything that is wrong with a program", NULL, OPTIONS(check_options), 1, 1, cli_check },
	{ "compile", "FILE", "write a pipeline as Argo or Kubeflow YAML", NULL, OPTIONS(compile_options), 1, 1, cli_compile },
	{ "run", "FILE [NAME=VALUE…]", "run a pipeline on this machine",
	  "Parameters are given by name. A value is read as the parameter's type: text as it stands, numbers, true and false, Lists and "
	  "Dicts as JSON.",
	  OPTIONS(run_options), 1, SIZE_MAX, cli_run },
	{ "exec", "FILE", "execute a file as a notebook's cells, with plain text out",
	  "Each statement is checked and carried out after the one before it; the first error ends it.", OPTIONS(exec_options), 1, 1,
	  cli_exec },
	{ "graph", "FILE", "draw a pipeline", NULL, OPTIONS(graph_options), 1, 1, cli_graph },
	{ "fmt", "FILE…", "put files into canonical form", "Comments are kept. - reads standard input and writes standard output.",
	  OPTIONS(fmt_options), 1, SIZE_MAX, cli_fmt },
	{ "component", "FILE.yaml", "show what a component.yaml declares", NULL, OPTIONS(component_options), 1, 1, cli_component },
	{ "explain", "CODE", "explain a problem's code", NULL, NULL, 0, 1, 1, cli_explain },
	{ "runs", "", "list the runs of this folder", NULL, OPTIONS(runs_options), 0, 0, cli_runs },
	{ "logs", "RUN[.STEP]", "print what a run's steps wrote", NULL, OPTIONS(logs_options), 1, 1, cli_logs },
	{ "stop", "RUN", "stop a run", NULL, NULL, 0, 1, 1, cli_stop },
	{ "kernel", "[install]", "serve Jupyter, or install the kernelspec",
	  "Jupyter starts `lateen kernel -f FILE` itself. `lateen kernel install` makes it known to Jupyter.", OPTIONS(kernel_options), 0, 1,
	  cli_kernel },
	{ "doctor", "", "say what is installed and what is wrong", NULL, NULL, 0, 0, 0, cli_doctor },
	{ "help", "[COMMAND]", "say how to use a command", NULL, OPTIONS(help_options), 0, 1, cli_help_command },
};

const struct cli_command *
cli_commands(size_t *ret_n)
{
	*ret_n = ARRAY_LEN(commands);
	return commands;
}
