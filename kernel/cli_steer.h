/* What the commands about clusters share: which cluster --on means, signals, and how problems are told. */
#ifndef KERNEL_CLI_STEER_H
#define KERNEL_CLI_STEER_H

#include <signal.h>

#include "kernel/background.h"
#include "kernel/cli.h"
#include "kernel/program_file.h"

/* The cluster that --on names: one that the program declares (file, or --file), one on which runs of this folder are, `auto`, or a
 * context of the kubeconfig. *ret NULL without --on. Returns an exit status; the cluster lives in the arena. */
int cli_target(const struct cli_args *args, const struct program_file *file, struct arena *arena, const struct cluster **ret);

/* Calls `there` with that cluster, or `here` without one; a program that --file names is read and stays meanwhile. */
int cli_with_target(const struct cli_args *args, int (*there)(const struct cli_args *args, const struct cluster *cluster),
		    int (*here)(const struct cli_args *args));

/* SIGINT and SIGTERM set a flag, and make a descriptor readable. */
struct cli_interrupt {
	const volatile sig_atomic_t *interrupted;
	int wake;
};

struct cli_interrupt cli_catch_signals(void);
bool cli_interrupted(void *context); /* for functions that ask now and then */
/* Problems on stderr. */
void cli_report(const struct diags *diags);
/* NAME=VALUE behind the first argument, as values of the plan's parameters. Returns an exit status. */
int cli_take_arguments(const struct cli_args *args, struct arena *arena, const struct plan *plan, struct local_args *ret);
/* Begins the run, or a look at one, and shows it until it has ended; an interrupt ends the looking. With `detach` its name is printed. */
int cli_watch(const struct cli_args *args, struct background_request *request, bool detach);

#endif
