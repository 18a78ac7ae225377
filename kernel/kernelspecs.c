#include "config.h"

#include "kernel/kernelspecs.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/macros.h"

static const char *
variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static int
read_file(const char *path, struct buf *buf)
{
	FILE *file = fopen(path, "re");
	size_t n;
	char chunk[4096];

	if (!file)
		return -1;
	while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buf_add(buf, chunk, n);
	if (ferror(file)) {
		fclose(file);
		return -1;
	}
	fclose(file);
	return 0;
}

/* Fills program or broken; returns whether the spec is one of ours. */
static bool
read_spec(struct kernelspec *spec, const char *path)
{
	struct buf text = { .max = KERNELSPEC_BYTES_MAX };
	bool named_so = !strcmp(spec->name, "lateen");
	json_error_t where;
	json_t *root = NULL;
	const char *program, *language;
	bool ours;

	if (read_file(path, &text))
		spec->broken = xstrdup(strerror(errno));
	else if (text.overflow)
		spec->broken = xstrdup("it is larger than 1 MiB");
	else if (!(root = json_loadb(buf_text(&text), text.len, 0, &where)))
		spec->broken = xstrdup(where.text);
	buf_release(&text);
	language = json_string_value(json_object_get(root, "language"));
	program = json_string_value(json_array_get(json_object_get(root, "argv"), 0));
	ours = root ? language && !strcmp(language, "lateen") : named_so;
	if (program)
		spec->program = xstrdup(program);
	else if (!spec->broken)
		spec->broken = xstrdup("it has no argv");
	json_decref(root);
	return ours;
}

static void
release_spec(struct kernelspec *spec)
{
	free(spec->name);
	free(spec->folder);
	free(spec->program);
	free(spec->broken);
}

static void
find_in(struct kernelspecs *specs, const char *data_folder, size_t len)
{
	struct buf kernels = { 0 };
	struct dirent **entries = NULL;
	int n;

	buf_printf(&kernels, "%.*s/kernels", (int)len, data_folder);
	n = scandir(buf_text(&kernels), &entries, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		struct kernelspec spec = { .name = xstrdup(entries[i]->d_name) };
		struct buf folder = { 0 }, path = { 0 };

		buf_printf(&folder, "%s/%s", buf_text(&kernels), spec.name);
		buf_printf(&path, "%s/kernel.json", buf_text(&folder));
		spec.folder = buf_detach(&folder, NULL);
		if (spec.name[0] != '.' && read_spec(&spec, buf_text(&path)))
			vec_push(specs, spec);
		else
			release_spec(&spec);
		buf_release(&path);
		free(entries[i]);
	}
	free(entries);
	buf_release(&kernels);
}

static void
find_below(struct kernelspecs *specs, const char *prefix, const char *rest)
{
	struct buf folder = { 0 };

	if (!prefix)
		return;
	buf_printf(&folder, "%s%s", prefix, rest);
	find_in(specs, buf_text(&folder), folder.len);
	buf_release(&folder);
}

static void
find_of_user(struct kernelspecs *specs)
{
	if (variable("JUPYTER_DATA_DIR"))
		find_below(specs, variable("JUPYTER_DATA_DIR"), "");
	else if (variable("XDG_DATA_HOME"))
		find_below(specs, variable("XDG_DATA_HOME"), "/jupyter");
	else
		find_below(specs, variable("HOME"), "/.local/share/jupyter");
}

void
kernelspecs_find(struct kernelspecs *ret_specs)
{
	const char *path = variable("JUPYTER_PATH");

	*ret_specs = (struct kernelspecs){ 0 };
	while (path && *path) {
		size_t len = strcspn(path, ":");

		if (len)
			find_in(ret_specs, path, len);
		path += len + (path[len] == ':');
	}
	find_below(ret_specs, variable("VIRTUAL_ENV") ? variable("VIRTUAL_ENV") : variable("CONDA_PREFIX"), "/share/jupyter");
	find_of_user(ret_specs);
	find_below(ret_specs, "/usr/local", "/share/jupyter");
	find_below(ret_specs, "/usr", "/share/jupyter");
}

void
kernelspecs_release(struct kernelspecs *specs)
{
	for (size_t i = 0; i < specs->n; i++)
		release_spec(&specs->items[i]);
	free(specs->items);
	*specs = (struct kernelspecs){ 0 };
}
