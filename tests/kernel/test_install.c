#include "config.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/install.h"
#include "tests/tap.h"

static char *
in(const char *folder, const char *name)
{
	size_t size = strlen(folder) + strlen(name) + 2;
	char *path = xmalloc(size);

	snprintf(path, size, "%s/%s", folder, name);
	return path;
}

static void
check_folder(struct install_options options, const char *want, const char *why)
{
	struct buf folder = { 0 };
	struct error err = { "" };
	int rc = install_folder(&options, &folder, &err);

	is_str(rc ? err.text : buf_text(&folder), want, "%s", why);
	buf_release(&folder);
}

static void
test_folders(void)
{
	unsetenv("JUPYTER_DATA_DIR");
	unsetenv("XDG_DATA_HOME");
	unsetenv("VIRTUAL_ENV");
	unsetenv("CONDA_PREFIX");
	setenv("HOME", "/home/ada", 1);
	check_folder((struct install_options){ 0 }, "/home/ada/.local/share/jupyter/kernels/lateen", "for the user by default");
	setenv("XDG_DATA_HOME", "/xdg", 1);
	check_folder((struct install_options){ .user = true }, "/xdg/jupyter/kernels/lateen", "XDG_DATA_HOME");
	setenv("JUPYTER_DATA_DIR", "/data", 1);
	check_folder((struct install_options){ .user = true }, "/data/kernels/lateen", "JUPYTER_DATA_DIR");
	check_folder((struct install_options){ .prefix = "/p", .name = "Lateen-2.x" }, "/p/share/jupyter/kernels/Lateen-2.x",
		"a prefix and a name");
	check_folder((struct install_options){ .sys_prefix = true },
		"no virtual environment is active (neither VIRTUAL_ENV nor CONDA_PREFIX is set); name its folder with --prefix",
		"no environment");
	setenv("VIRTUAL_ENV", "/venv", 1);
	check_folder((struct install_options){ .sys_prefix = true }, "/venv/share/jupyter/kernels/lateen", "an environment");
	check_folder((struct install_options){ .sys_prefix = true, .user = true },
		"only one of --user, --sys-prefix and --prefix can be given", "two places");
	check_folder((struct install_options){ .name = "../x" },
		"`../x` cannot name a kernel: use letters, digits, `.`, `_` and `-`", "a name that leaves the folder");
	check_folder((struct install_options){ .name = ".." }, "`..` cannot name a kernel", "a name of dots");
	check_folder((struct install_options){ .name = "" }, "`` cannot name a kernel", "no name");
}

static void
check_spec(const char *folder, const char *program, const char *display)
{
	CLEANUP(freep) char *path = in(folder, "kernel.json");
	json_t *spec = json_load_file(path, 0, NULL);
	json_t *argv = json_object_get(spec, "argv");

	if (!ok(spec, "kernel.json is JSON"))
		return;
	is_int((int64_t)json_array_size(argv), 4, "four arguments");
	if (program)
		is_str(json_string_value(json_array_get(argv, 0)), program, "the program");
	else
		is_int(access(json_string_value(json_array_get(argv, 0)), X_OK), 0, "the program is this one, with its path");
	is_str(json_string_value(json_array_get(argv, 1)), "kernel", "kernel");
	is_str(json_string_value(json_array_get(argv, 2)), "-f", "-f stands alone");
	is_str(json_string_value(json_array_get(argv, 3)), "{connection_file}", "and so does the file");
	is_str(json_string_value(json_object_get(spec, "display_name")), display, "its name for people");
	is_str(json_string_value(json_object_get(spec, "language")), "lateen", "its language");
	is_str(json_string_value(json_object_get(spec, "interrupt_mode")), "message", "interrupts by message");
	json_decref(spec);
}

static void
check_logo(const char *folder, const char *name)
{
	CLEANUP(freep) char *installed = in(folder, name);
	CLEANUP(freep) char *in_tree = in("share/kernelspec", name);
	CLEANUP(freep) char *original = test_path(in_tree);
	CLEANUP(freep) char *got = NULL;
	CLEANUP(freep) char *want = NULL;
	size_t got_len = 0, want_len = 0;
	struct stat st;

	got = test_read_file(installed, &got_len);
	want = test_read_file(original, &want_len);
	is_mem(got, got_len, want, want_len, "%s is what the tree holds", name);
	ok(!stat(installed, &st) && (st.st_mode & 0777) == 0644, "%s can be read by all", name);
}

static void
test_installing(void)
{
	CLEANUP(freep) char *prefix = test_temp_dir();
	CLEANUP(freep) char *folder = in(prefix, "share/jupyter/kernels/lateen");
	CLEANUP(freep) char *other = in(prefix, "share/jupyter/kernels/other");
	struct error err = { "" };

	is_int(install_kernelspec(&(struct install_options){ .prefix = prefix }, &err), 0, "installs (%s)", err.text);
	check_spec(folder, NULL, "Lateen");
	check_logo(folder, "logo-32x32.png");
	check_logo(folder, "logo-64x64.png");
	check_logo(folder, "logo-svg.svg");
	is_int(install_kernelspec(&(struct install_options){ .prefix = prefix, .program = "/a b/é\"" }, &err), 0,
		"again, over what is there (%s)", err.text);
	check_spec(folder, "/a b/é\"", "Lateen");
	is_int(install_kernelspec(&(struct install_options){ .prefix = prefix, .name = "other" }, &err), 0, "by another name");
	check_spec(other, NULL, "Lateen (other)");
	is_int(install_kernelspec(&(struct install_options){ .prefix = prefix, .program = "/\xff" }, &err), -1, "no UTF-8");
	is_str(err.text, "the path of the program is not UTF-8, which kernel.json cannot hold", "and why");
	check_spec(folder, "/a b/é\"", "Lateen");
	test_remove_tree(prefix);
}

static void
test_failing(void)
{
	CLEANUP(freep) char *prefix = test_temp_dir();
	CLEANUP(freep) char *file = in(prefix, "share");
	FILE *out = fopen(file, "w");
	struct error err = { "" };
	struct buf want = { 0 };

	if (out)
		fclose(out);
	is_int(install_kernelspec(&(struct install_options){ .prefix = prefix }, &err), -1, "a file stands in the way");
	buf_printf(&want, "cannot make the folder `%s/jupyter`: Not a directory", file);
	is_str(err.text, buf_text(&want), "and the error says where");
	buf_release(&want);
	test_remove_tree(prefix);
}

int
main(void)
{
	test_folders();
	test_installing();
	test_failing();
	return done_testing();
}
