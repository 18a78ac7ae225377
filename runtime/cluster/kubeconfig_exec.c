/* The `exec` of a kubeconfig's user: a program that signs us in. */
#include "config.h"

#include <string.h>

#include "runtime/cluster/kubeconfig_private.h"

#define API "client.authentication.k8s.io/"

static int
check_version(const struct kubeconfig_place *user, const struct kubeconfig_exec *exec, struct error *err)
{
	if (!exec->version)
		return error_set(err, "the plugin of the user `%s` in `%s` has no `apiVersion`", user->name, user->file->path);
	if (!strcmp(exec->version, API "v1") || !strcmp(exec->version, API "v1beta1"))
		return 0;
	if (!strcmp(exec->version, API "v1alpha1"))
		return error_set(err, "the plugin `%.100s` of the user `%s` speaks " API "v1alpha1, which Kubernetes has dropped: update the plugin, "
			"and let your cloud's tool write `%s` anew", exec->command, user->name, user->file->path);
	return error_set(err, "the plugin of the user `%s` in `%s` speaks `%.100s`; known are " API "v1 and v1beta1", user->name,
		user->file->path, exec->version);
}

static int
read_args(struct kubeconfig *config, const struct kubeconfig_place *user, const struct value *args, struct error *err)
{
	size_t n = value_count(args);
	const char **texts = arena_alloc(config->arena, (n + 1) * sizeof *texts);

	if (n > KUBECONFIG_ARGS_MAX)
		return error_set(err, "the plugin of the user `%s` in `%s` has more than %d arguments", user->name, user->file->path,
			KUBECONFIG_ARGS_MAX);
	for (size_t i = 0; i < n; i++) {
		texts[i] = value_text(args->list.items[i]);
		if (!texts[i])
			return error_set(err, "`args` of the plugin of the user `%s` in `%s` must be texts", user->name, user->file->path);
	}
	config->exec.args = texts;
	config->exec.n_args = n;
	return 0;
}

static int
read_env(struct kubeconfig *config, const struct kubeconfig_place *user, const struct value *env, struct error *err)
{
	size_t n = value_count(env);
	const char **texts = arena_alloc(config->arena, (n + 1) * sizeof *texts);

	if (n > KUBECONFIG_ARGS_MAX)
		return error_set(err, "the plugin of the user `%s` in `%s` has more than %d variables", user->name, user->file->path,
			KUBECONFIG_ARGS_MAX);
	for (size_t i = 0; i < n; i++) {
		const char *name = value_text(value_get(env->list.items[i], "name"));
		const char *value = value_text(value_get(env->list.items[i], "value"));

		if (!name || !*name || strchr(name, '='))
			return error_set(err, "`env` of the plugin of the user `%s` in `%s` must be names and values", user->name, user->file->path);
		texts[i] = arena_printf(config->arena, "%s=%s", name, value ? value : "");
	}
	config->exec.env = texts;
	config->exec.n_env = n;
	return 0;
}

int
kubeconfig_read_exec(struct kubeconfig *config, const struct kubeconfig_place *user, const struct value *value, struct error *err)
{
	const struct kubeconfig_place place = { user->kind, user->name, value, user->file };
	struct kubeconfig_exec *exec = &config->exec;
	const char *mode;

	exec->folder = user->file->folder;
	if (kubeconfig_text(&place, "command", &exec->command, err) || kubeconfig_text(&place, "apiVersion", &exec->version, err) ||
	    kubeconfig_text(&place, "installHint", &exec->hint, err) || kubeconfig_text(&place, "interactiveMode", &mode, err) ||
	    kubeconfig_flag(&place, "provideClusterInfo", &exec->wants_cluster, err))
		return -1;
	if (!exec->command)
		return error_set(err, "the plugin of the user `%s` in `%s` has no `command`", user->name, user->file->path);
	if (check_version(user, exec, err))
		return -1;
	if (mode && !strcmp(mode, "Always"))
		return error_set(err, "the plugin `%.100s` of the user `%s` wants to ask at a terminal (`interactiveMode: Always`), and there is none: "
			"sign in with it in a terminal, and let it write a token", exec->command, user->name);
	if (read_args(config, user, value_get(value, "args"), err))
		return -1;
	return read_env(config, user, value_get(value, "env"), err);
}
