#include "config.h"

#include "kernels/cuda_open.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernels/cuda/plugin.h"

enum { PATH_SIZE = 4096 };

/* Beside the program, as it was built. */
static bool
beside_program(char ret[PATH_SIZE])
{
	ssize_t n = readlink("/proc/self/exe", ret, PATH_SIZE - sizeof(CUDA_PLUGIN_FILE) - 1);
	char *slash;

	if (n <= 0)
		return false;
	ret[n] = '\0';
	slash = strrchr(ret, '/');
	if (!slash)
		return false;
	memcpy(slash + 1, CUDA_PLUGIN_FILE, sizeof(CUDA_PLUGIN_FILE));
	return !access(ret, R_OK);
}

/* It stays open: what it has of CUDA does not like to be unloaded. */
static void *
open_plugin(const char **ret_why)
{
	const char *named = getenv("LATEEN_CUDA_PLUGIN");
	char path[PATH_SIZE];
	void *ret;

	if (named)
		snprintf(path, sizeof(path), "%s", named);
	else if (!beside_program(path))
		snprintf(path, sizeof(path), "%s/%s", LATEEN_PLUGINDIR, CUDA_PLUGIN_FILE);
	*ret_why = "this build has no plugin for GPUs, " CUDA_PLUGIN_FILE "; ./configure --with-cuda makes one";
	if (access(path, R_OK))
		return NULL;
	*ret_why = "the plugin for GPUs, " CUDA_PLUGIN_FILE ", is there, but cannot be loaded; was it built on another system?";
	ret = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	return ret;
}

struct ops_device *
cuda_open(enum ops_precision precision, const char **ret_why)
{
	void *plugin = open_plugin(ret_why), *symbol = plugin ? dlsym(plugin, CUDA_PLUGIN_SYMBOL) : NULL;
	cuda_open_function *function;

	if (!symbol)
		return NULL;
	memcpy(&function, &symbol, sizeof(function));
	return function(OPS_ABI, sizeof(struct ops), precision, ret_why);
}
