/* Which cluster `--on NAME` means. */
#include "config.h"

#include "kernel/cli_steer.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernel/target.h"
#include "runtime/cluster/kubeconfig.h"
#include "runtime/store.h"

enum { RUNS_MAX = 1000 };

/* One that the program declares. */
static const struct cluster *
declared(const struct program_file *file, const char *name)
{
	const struct binding *b = file && file->program ? scope_lookup(file->scope, name) : NULL;

	return b && b->kind == BINDING_CLUSTER ? b->cluster : NULL;
}

/* One on which runs of this folder are. */
static const struct cluster *
remembered(struct arena *arena, const char *name)
{
	CLEANUP(freep) char *folder = store_folder_of(".");
	struct store *store = access(folder, F_OK) == 0 ? store_open(folder, true, NULL) : NULL;
	const struct cluster *cluster = NULL;
	struct store_run *runs;
	struct error err;
	size_t n = 0;

	if (!store)
		return NULL;
	runs = store_runs(store, arena, RUNS_MAX, &n, &err);
	for (size_t i = 0; runs && i < n && !cluster; i++)
		if (runs[i].place.target && !strcmp(runs[i].place.target, name))
			cluster = target_read_where(arena, runs[i].place.where);
	store_close(store);
	return cluster;
}

static const struct cluster *
context(struct arena *arena, const char *name)
{
	const struct kubeconfig_request request = { .context = name };
	struct cluster *cluster;
	struct kubeconfig config;
	struct error err = { "" };
	int rc = kubeconfig_load(&config, &request, &err);

	kubeconfig_release(&config);
	if (rc)
		return NULL;
	cluster = arena_new_struct(arena, struct cluster);
	cluster->name = arena_strdup(arena, name);
	cluster->context = cluster->name;
	return cluster;
}

static const struct cluster *
automatic(struct arena *arena)
{
	struct cluster *cluster = arena_new_struct(arena, struct cluster);

	cluster->name = "auto";
	cluster->automatic = true;
	return cluster;
}

static int
none(const struct program_file *file, const char *name)
{
	struct buf names = { 0 };
	const struct binding *b;
	int status;

	for (size_t at = 0; file && file->program && (b = scope_next(file->scope, &at));)
		if (b->kind == BINDING_CLUSTER)
			buf_printf(&names, "%s`%s`", names.len ? ", " : "", b->name);
	status = cli_fail(EXIT_USAGE, "no cluster `%s`: %s%s%s; no run of this folder is on one of that name, and the kubeconfig has no such context", name,
		file ? "the program declares " : "no program was named", file && !names.len ? "none" : buf_text(&names),
		file ? "" : " (--file FILE names one that declares it)");
	buf_release(&names);
	return status;
}

int
cli_target(const struct cli_args *args, const struct program_file *file, struct arena *arena, const struct cluster **ret)
{
	const char *name = cli_option(args, "on");
	const struct cluster *cluster;

	*ret = NULL;
	if (!name)
		return EXIT_GOOD;
	cluster = declared(file, name);
	if (cluster)
		cluster = cluster_copy(arena, cluster);
	else if (!(cluster = remembered(arena, name)))
		cluster = !strcmp(name, "auto") ? automatic(arena) : context(arena, name);
	*ret = cluster;
	return cluster ? EXIT_GOOD : none(file, name);
}

int
cli_with_target(const struct cli_args *args, int (*there)(const struct cli_args *args, const struct cluster *cluster),
		int (*here)(const struct cli_args *args))
{
	const char *path = cli_option(args, "file");
	struct arena *arena = arena_new();
	const struct cluster *cluster = NULL;
	struct program_file file;
	struct error err;
	int status = EXIT_GOOD;

	if (path && program_file_open(&file, path, &err) < 0)
		status = cli_fail(EXIT_WORLD, "%s", err.text);
	else if (path && !file.program) {
		program_file_report(&file);
		status = EXIT_PROGRAM;
	}
	if (status == EXIT_GOOD)
		status = cli_target(args, path ? &file : NULL, arena, &cluster);
	if (status == EXIT_GOOD)
		status = cluster || !here ? there(args, cluster) : here(args);
	if (path)
		program_file_release(&file);
	arena_free(arena);
	return status;
}
