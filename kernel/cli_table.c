#include "config.h"

#include "kernel/cli.h"

#include <stdint.h>

#define OPTIONS(table) .options = table, .n_options = ARRAY_LEN(table)

#define ON_DOC "the cluster: one that the program declares, one of earlier runs, `auto`, or a context of the kubeconfig"
#define FILE_DOC "with --on: the program that declares the cluster"

#define USING_DOC "the component B wherever the pipeline's steps call A: --using train=std.t2t_train"

static const struct cli_option check_options[] = {
	{ 0, "json", NULL, "problems as JSON: an array of {code, severity, message, start, end, labels, helps, fixes}" },
	{ 0, "html", NULL, "problems as an HTML fragment" },
	{ 0, "on", "NAME", "check the file's pipelines against the cluster of that name too, which the file declares; starts nothing" },
	{ 'p', "pipeline", "NAME", "with --on: only that pipeline" },
};

static const struct cli_option compile_options[] = {
	{ 'p', "pipeline", "NAME", "the pipeline, where the file declares several" },
	{ 0, "using", "A=B,…", USING_DOC },
	{ 0, "for", "TARGET", "argo (the default) or kfp (the default for .tar.gz and .zip)" },
	{ 'o', "output", "FILE", "where to: .yaml, .json, .tar.gz or .zip; - is standard output, and the default" },
};

static const struct cli_option run_options[] = {
	{ 'p', "pipeline", "NAME", "the pipeline, where the file declares several" },
	{ 0, "using", "A=B,…", USING_DOC },
	{ 0, "on", "NAME", ON_DOC },
	{ 0, "experiment", "NAME", "with --on: how the run is grouped there" },
	{ 0, "detach", NULL, "with --on: print the run's name and do not wait" },
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
	{ 0, "on", "NAME", ON_DOC },
	{ 0, "file", "FILE", FILE_DOC },
};

static const struct cli_option runs_options[] = {
	{ 0, "json", NULL, "as JSON" },
	{ 0, "on", "NAME", "all that this cluster has: one that --file declares, one of earlier runs, `auto`, or a context of the kubeconfig" },
	{ 0, "file", "FILE", FILE_DOC },
};

static const struct cli_option target_options[] = {
	{ 0, "on", "NAME", ON_DOC },
	{ 0, "file", "FILE", FILE_DOC },
};

static const struct cli_option attach_options[] = {
	{ 0, "on", "NAME", ON_DOC },
	{ 0, "file", "FILE", FILE_DOC },
	{ 0, "json", NULL, "the result as JSON on standard output, when the run has ended" },
	{ 0, "plain", NULL, "no redrawing" },
};

static const struct cli_option retry_options[] = {
	{ 0, "from", "STEP", "this step and all that depends on it, too" },
	{ 0, "on", "NAME", ON_DOC },
	{ 0, "file", "FILE", FILE_DOC },
};

static const struct cli_option apply_options[] = {
	{ 0, "apply", NULL, "do it, instead of listing it" },
	{ 0, "on", "NAME", ON_DOC },
	{ 0, "file", "FILE", FILE_DOC },
};

static const struct cli_option upload_options[] = {
	{ 'p', "pipeline", "NAME", "the pipeline, where the file declares several" },
	{ 0, "on", "NAME", ON_DOC },
	{ 0, "file", "FILE", "the program that declares the cluster, for a package" },
	{ 0, "name", "NAME", "its name there" },
};

static const struct cli_option schedule_options[] = {
	{ 'p', "pipeline", "NAME", "the pipeline, where the file declares several" },
	{ 0, "on", "NAME", ON_DOC },
	{ 0, "at", "CRON", "minute, hour, day, month and weekday: \"0 3 * * *\"; without it the pipeline's setting `schedule`" },
	{ 0, "timezone", "NAME", "of these times, such as Europe/Berlin" },
	{ 0, "experiment", "NAME", "how its runs are grouped" },
	{ 0, "name", "NAME", "its name there" },
};

static const struct cli_option kernel_options[] = {
	{ 'f', "connection-file", "FILE", "serve Jupyter on the sockets that this file names" },
	{ 0, "user", NULL, "install: for this user (the default)" },
	{ 0, "sys-prefix", NULL, "install: into the Python environment that is active" },
	{ 0, "prefix", "DIR", "install: under DIR/share/jupyter" },
	{ 0, "name", "NAME", "install: the kernelspec's name (default: lateen)" },
};

static const struct cli_option doctor_options[] = {
	{ 0, "bundle", "FILE", "write what somebody else needs to help: versions, what can be reached, recent errors; no secrets" },
	{ 0, "file", "FILE", "with --bundle: a program whose clusters are asked, too" },
};

static const struct cli_option help_options[] = {
	{ 0, "man", NULL, "the man page, in roff" },
	{ 0, "bash", NULL, "completion for bash" },
	{ 0, "zsh", NULL, "completion for zsh" },
};

static const struct cli_command commands[] = {
	{ "check", "FILE", "find everything that is wrong with a program", NULL, OPTIONS(check_options), 1, 1, cli_check },
	{ "compile", "FILE", "write a pipeline as Argo or Kubeflow YAML", NULL, OPTIONS(compile_options), 1, 1, cli_compile },
	{ "run", "FILE [NAME=VALUE…]", "run a pipeline on this machine, or with --on NAME on a cluster",
	  "Parameters are given by name. A value is read as the parameter's type: text as it stands, numbers, true and false, Lists and "
	  "Dicts as JSON.\n\nOn a cluster an interrupt ends the watching, not the run: `lateen attach` shows it again.",
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
	{ "attach", "RUN", "show a run on a cluster, whoever started it, until it has ended",
	  "An interrupt ends the watching, not the run.", OPTIONS(attach_options), 1, 1, cli_attach },
	{ "wait", "RUN", "wait until a run on a cluster has ended; fails if the run has", NULL, OPTIONS(attach_options), 1, 1, cli_attach },
	{ "stop", "RUN", "stop a run", NULL, OPTIONS(target_options), 1, 1, cli_control },
	{ "suspend", "RUN", "begin no further step of a run on a cluster", NULL, OPTIONS(target_options), 1, 1, cli_control },
	{ "resume", "RUN", "let a suspended run go on", NULL, OPTIONS(target_options), 1, 1, cli_control },
	{ "retry", "RUN", "run again what failed of a run on a cluster", NULL, OPTIONS(retry_options), 1, 1, cli_retry },
	{ "delete", "RUN", "delete a run", "What was seen of a run on a cluster stays in the store.", OPTIONS(target_options), 1, 1, cli_control },
	{ "open", "RUN", "print the address of a run's page", NULL, OPTIONS(target_options), 1, 1, cli_open },
	{ "forward", "RUN.STEP PORT", "make a port of a running step reachable on this machine, until an interrupt", NULL,
	  OPTIONS(target_options), 2, 2, cli_forward },
	{ "upload", "FILE", "make a pipeline, or a package in a file or behind a URL, known to a cluster",
	  "A FILE that ends in .lateen is a program; any other is a compiled package: .yaml, .json, .tar.gz or .zip.", OPTIONS(upload_options), 1,
	  1, cli_upload },
	{ "schedule", "FILE [NAME=VALUE…]", "make a recurring run of a pipeline on a cluster", NULL, OPTIONS(schedule_options), 1, SIZE_MAX,
	  cli_schedule },
	{ "prepare", "", "list what a cluster needs before the first run, or make it", NULL, OPTIONS(apply_options), 0, 0, cli_prepare },
	{ "cleanup", "", "list what runs and `prepare` made on a cluster, or remove it", NULL, OPTIONS(apply_options), 0, 0, cli_prepare },
	{ "kernel", "[install]", "serve Jupyter, or install the kernelspec",
	  "Jupyter starts `lateen kernel -f FILE` itself. `lateen kernel install` makes it known to Jupyter.", OPTIONS(kernel_options), 0, 1,
	  cli_kernel },
	{ "doctor", "", "say what is installed and what is wrong",
	  "With --bundle clusters are asked whether they are there: those of earlier runs, of the program, and the current one. Programs, logs, "
	  "arguments and outputs of runs are no part of it.", OPTIONS(doctor_options), 0, 0, cli_doctor },
	{ "help", "[COMMAND]", "say how to use a command", NULL, OPTIONS(help_options), 0, 1, cli_help_command },
};

const struct cli_command *
cli_commands(size_t *ret_n)
{
	*ret_n = ARRAY_LEN(commands);
	return commands;
}
