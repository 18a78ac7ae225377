/* `lateen kernel`, `lateen kernel install`, `lateen doctor`. */
#include "config.h"

#include "kernel/cli.h"

#include <stdio.h>
#include <string.h>

#include "kernel/bundle_file.h"
#include "kernel/doctor.h"
#include "kernel/file.h"
#include "kernel/install.h"
#include "kernel/interp.h"
#include "kernel/program_file.h"
#include "kernel/resolver.h"
#include "kernel/session.h"

static int
install(const struct cli_args *args)
{
	struct install_options options = { .user = cli_option(args, "user") != NULL,
					   .sys_prefix = cli_option(args, "sys-prefix") != NULL,
					   .prefix = cli_option(args, "prefix"),
					   .name = cli_option(args, "name") };
	struct buf folder = { 0 };
	struct error err;
	int status = EXIT_GOOD;

	if (options.user + options.sys_prefix + (options.prefix != NULL) > 1)
		return cli_fail(EXIT_USAGE, "--user, --sys-prefix and --prefix exclude each other");
	if (install_folder(&options, &folder, &err) < 0 || install_kernelspec(&options, &err) < 0)
		status = cli_fail(EXIT_WORLD, "%s", err.text);
	else
		printf("installed the kernel in %s\n", buf_text(&folder));
	buf_release(&folder);
	return status;
}

static int
serve(const char *connection_file)
{
	struct resolver *resolver = resolver_new();
	struct interp_options options = { .resolver = resolver, .colour = true };
	struct interp *interp = interp_new(&options);
	struct language language = interp_language(interp);
	struct session_options session = { .connection_file = connection_file };
	struct error err;
	int status = EXIT_GOOD;

	if (session_main(&session, &language, &err) < 0)
		status = cli_fail(EXIT_WORLD, "%s", err.text);
	interp_free(interp);
	resolver_free(resolver);
	return status;
}

int
cli_kernel(const struct cli_args *args)
{
	const char *connection_file = cli_option(args, "connection-file");

	if (args->n_rest && !strcmp(args->rest[0], "install"))
		return install(args);
	if (args->n_rest)
		return cli_fail(EXIT_USAGE, "no `lateen kernel %s`; there is `lateen kernel install`", args->rest[0]);
	if (!connection_file)
		return cli_fail(EXIT_USAGE, "`lateen kernel` wants -f FILE, the connection file; Jupyter starts it so. "
					    "`lateen kernel install` makes the kernel known to Jupyter");
	return serve(connection_file);
}

static int
write_bundle(const char *path, const struct scope *scope)
{
	const struct bundle_request request = { .scope = scope };
	struct buf text = { 0 };
	struct error err;
	int rc;

	bundle_file_write(&text, &request);
	rc = file_write(path, buf_text(&text), text.len, &err);
	buf_release(&text);
	if (rc < 0)
		return cli_fail(EXIT_WORLD, "%s", err.text);
	if (strcmp(path, "-") != 0)
		printf("wrote %s; read it before you give it away\n", path);
	return EXIT_GOOD;
}

/* With the clusters of a program. */
static int
bundle(const struct cli_args *args)
{
	const char *program = cli_option(args, "file");
	struct program_file file;
	struct error err;
	int status;

	if (!program)
		return write_bundle(cli_option(args, "bundle"), NULL);
	if (program_file_open(&file, program, &err) < 0) {
		status = cli_fail(EXIT_WORLD, "%s", err.text);
	} else if (!file.program) {
		program_file_report(&file);
		status = EXIT_PROGRAM;
	} else {
		status = write_bundle(cli_option(args, "bundle"), file.scope);
	}
	program_file_release(&file);
	return status;
}

int
cli_doctor(const struct cli_args *args)
{
	struct buf report = { 0 };
	int problems;

	if (cli_option(args, "bundle"))
		return bundle(args);
	problems = doctor_report(&report);
	fputs(buf_text(&report), stdout);
	buf_release(&report);
	return problems ? EXIT_WORLD : EXIT_GOOD;
}
