/* The plugin for GPUs where it is built: it loads on any machine, and says in a sentence why there is nothing for it to work with. What it
 * computes, test_ops looks at: on a GPU where there is one, else as host code. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernels/cuda/plugin.h"
#include "kernels/ops.h"
#include "base/macros.h"
#include "tests/tap.h"

static void
declines(const char *plugin, const char *want)
{
	const char *why = NULL;
	struct ops_device *d;

	setenv("LATEEN_CUDA_PLUGIN", plugin, 1);
	d = ops_open("cuda", 0, OPS_BF16, &why);
	ok(!d, "%s opens nothing", plugin);
	contains(why ? why : "", want, "and says why");
}

/* The functions that other programs could call, by the linker's own table. */
static void
test_symbols(const char *plugin)
{
	char command[8192], name[256];
	int n = 0;
	FILE *nm;

	snprintf(command, sizeof(command), "nm -D --defined-only '%s' 2>/dev/null", plugin);
	nm = popen(command, "r");
	while (nm && fscanf(nm, "%*s %*s %255s", name) == 1) {
		is_str(name, CUDA_PLUGIN_SYMBOL, "a symbol of the plugin");
		n++;
	}
	if (!nm || pclose(nm)) {
		skip(1, "there is no nm");
		return;
	}
	is_int(n, 1, "it has one symbol");
}

/* Whether a program's output has a line with this in it; what comes behind is not read. */
static bool
says(const char *command, const char *what)
{
	char line[1024];
	FILE *out = popen(command, "r");
	bool found = false;

	while (out && !found && fgets(line, sizeof(line), out))
		found = strstr(line, what) != NULL;
	if (out)
		pclose(out);
	return found;
}

/* The chips that it is for; and that attention uses their tensor cores. By the toolkit's own program, where that is there. */
static void
test_code(const char *plugin)
{
	static const char *const chips[] = { "sm_80", "sm_90a" };
	const char *nvcc = getenv("NVCC"), *end = nvcc ? strstr(nvcc, "/nvcc") : NULL;
	char command[3 * 4096], program[4096];

	snprintf(program, sizeof(program), "%.*s/cuobjdump", end ? (int)(end - nvcc) : 0, end ? nvcc : "");
	if (!end || access(program, X_OK)) {
		skip(1, "there is no cuobjdump");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(chips); i++) {
		snprintf(command, sizeof(command), "'%s' -lelf '%s' 2>&1", program, plugin);
		ok(says(command, chips[i]), "it has code for %s", chips[i]);
	}
	snprintf(command, sizeof(command), "'%s' -lptx '%s' 2>&1", program, plugin);
	ok(says(command, "sm_80.ptx"), "and PTX for later ones");
	snprintf(command, sizeof(command), "PATH='%.*s':$PATH '%s' -sass '%s' 2>/dev/null", (int)(end - nvcc), nvcc, program, plugin);
	ok(says(command, "HMMA.16816.F32.BF16"), "there are products on tensor cores in it");
}

static void
test_plugin(const char *plugin)
{
	const char *why = NULL;
	struct ops_device *d;

	test_symbols(plugin);
	test_code(plugin);
	setenv("LATEEN_CUDA_PLUGIN", plugin, 1);
	d = ops_open("cuda", 0, OPS_BF16, &why);
	if (d) {
		ok(d->real == sizeof(float) && d->narrow == 2 && d->steady, "there is a GPU, and it opens as `%s`", d->name);
		d->ops->close(d);
		return;
	}
	tap_note("declined: %s", why);
	ok(why && (strstr(why, "driver") || strstr(why, "GPU") || strstr(why, "libcublasLt")), "it declines with a reason");
}

int
main(void)
{
	const char *builddir = getenv("builddir");
	char plugin[4096], other[] = "/proc/self/maps";

	declines("/nowhere/" CUDA_PLUGIN_FILE, "this build has no plugin for GPUs");
	declines(other, "cannot be loaded");
	snprintf(plugin, sizeof(plugin), "%s/%s", builddir ? builddir : ".", CUDA_PLUGIN_FILE);
	if (access(plugin, R_OK))
		skip(1, "the plugin was not built: ./configure --with-cuda");
	else
		test_plugin(plugin);
	return done_testing();
}
