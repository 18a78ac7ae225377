#include "config.h"

#include "kernel/install.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/embedded.h"
#include "base/macros.h"
#include "kernel/file.h"

extern const struct embedded_file KERNELSPEC_FILES[];

static const char *
variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

/* Jupyter's names: ^[a-z0-9._-]+$ in any case. One of dots alone would leave the folder of kernels. */
static int
check_name(const char *name, struct error *err)
{
	bool only_dots = true;

	for (const char *c = name; *c; c++) {
		if (!isascii((unsigned char)*c) || (!isalnum((unsigned char)*c) && !strchr("._-", *c)))
			return error_set(err, "`%s` cannot name a kernel: use letters, digits, `.`, `_` and `-`", name);
		only_dots = only_dots && *c == '.';
	}
	if (only_dots)
		return error_set(err, "`%s` cannot name a kernel", name);
	return 0;
}

static int
add_user_folder(struct buf *folder, struct error *err)
{
	const char *data = variable("JUPYTER_DATA_DIR");
	const char *xdg = variable("XDG_DATA_HOME");
	const char *home = variable("HOME");

	if (data)
		buf_puts(folder, data);
	else if (xdg)
		buf_printf(folder, "%s/jupyter", xdg);
	else if (home)
		buf_printf(folder, "%s/.local/share/jupyter", home);
	else
		return error_set(err, "HOME is not set, so the folder of this user's kernels is not known");
	return 0;
}

static int
add_environment_folder(struct buf *folder, struct error *err)
{
	const char *environment = variable("VIRTUAL_ENV");

	if (!environment)
		environment = variable("CONDA_PREFIX");
	if (!environment)
		return error_set(err, "no virtual environment is active (neither VIRTUAL_ENV nor CONDA_PREFIX is set); "
				      "name its folder with --prefix");
	buf_printf(folder, "%s/share/jupyter", environment);
	return 0;
}

int
install_folder(const struct install_options *options, struct buf *ret_folder, struct error *err)
{
	const char *name = options->name ? options->name : "lateen";
	int rc = 0;

	if (options->user + options->sys_prefix + (options->prefix != NULL) > 1)
		return error_set(err, "only one of --user, --sys-prefix and --prefix can be given");
	if (check_name(name, err))
		return -1;
	if (options->prefix)
		buf_printf(ret_folder, "%s/share/jupyter", options->prefix);
	else if (options->sys_prefix)
		rc = add_environment_folder(ret_folder, err);
	else
		rc = add_user_folder(ret_folder, err);
	buf_printf(ret_folder, "/kernels/%s", name);
	return rc;
}

static int
make_folders(const char *path, struct error *err)
{
	CLEANUP(freep) char *copy = xstrdup(path);

	for (char *slash = strchr(copy + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		if (mkdir(copy, 0777) && errno != EEXIST)
			return error_errno(err, errno, "cannot make the folder `%s`", copy);
		if (!slash)
			return 0;
		*slash = '/';
	}
}

/* Readable for all, whatever the umask: the folder may be the system's. */
static int
write_file(const char *folder, const char *name, const char *bytes, size_t len, struct error *err)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
		return error_set(err, "the path `%s/%s` is too long", folder, name);
	if (file_write_durably(path, bytes, len, err))
		return -1;
	return chmod(path, 0644) ? error_errno(err, errno, "cannot make `%s` readable for all", path) : 0;
}

static int
own_path(char *ret, size_t size, struct error *err)
{
	ssize_t len = readlink("/proc/self/exe", ret, size - 1);

	if (len < 0)
		return error_errno(err, errno, "cannot find the path of this program");
	ret[len] = '\0';
	return 0;
}

static int
write_spec(const char *folder, const struct embedded_file *file, const struct install_options *options, struct error *err)
{
	json_t *spec = json_loadb((const char *)file->bytes, file->len, 0, NULL);
	char program[PATH_MAX];
	CLEANUP(freep) char *text = NULL;
	int rc;

	if (!spec)
		BUG("the embedded kernel.json is not JSON");
	if (!options->program && own_path(program, sizeof(program), err)) {
		json_decref(spec);
		return -1;
	}
	rc = json_array_set_new(json_object_get(spec, "argv"), 0, json_string(options->program ? options->program : program));
	if (!rc && options->name && strcmp(options->name, "lateen") != 0)
		json_object_set_new(spec, "display_name", json_sprintf("Lateen (%s)", options->name));
	text = rc ? NULL : json_dumps(spec, JSON_INDENT(2));
	json_decref(spec);
	if (!text)
		return error_set(err, "the path of the program is not UTF-8, which kernel.json cannot hold");
	return write_file(folder, "kernel.json", text, strlen(text), err);
}

int
install_kernelspec(const struct install_options *options, struct error *err)
{
	const struct embedded_file *spec = NULL;
	struct buf buf = { 0 };
	const char *folder;
	int rc;

	rc = install_folder(options, &buf, err);
	folder = buf_text(&buf);
	if (!rc)
		rc = make_folders(folder, err);
	for (const struct embedded_file *file = KERNELSPEC_FILES; !rc && file->name; file++) {
		if (!strcmp(file->name, "kernel.json.in"))
			spec = file;
		else
			rc = write_file(folder, file->name, (const char *)file->bytes, file->len, err);
	}
	if (!rc)
		rc = write_spec(folder, spec, options, err);
	buf_release(&buf);
	return rc;
}
