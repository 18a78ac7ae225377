/* The plugin for GPUs where it is built: it loads on any machine, and says in a sentence why there is nothing for it to work with. What it
 * computes, test_ops looks at: on a GPU where there is one, else as host code. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernels/cuda/plugin.h"
#include "kernels/ops.h"
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

static void
test_plugin(const char *plugin)
{
	const char *why = NULL;
	struct ops_device *d;

	test_symbols(plugin);
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
