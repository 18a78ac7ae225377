#include "config.h"

#include "runtime/cluster/kubeconfig.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/value.h"
#include "base/yaml.h"
#include "runtime/cluster/kubeconfig_private.h"
#include "runtime/paths.h"

/* ---- files ---- */

static int
read_file(struct kubeconfig_files *files, const char *path, struct error *err)
{
	struct kubeconfig_file file = { .path = arena_strdup(files->arena, path) };
	struct yaml_problem problem;
	const char *text, *slash;
	struct place place;
	struct yaml yaml;
	size_t len;

	text = paths_read(files->arena, path, KUBECONFIG_BYTES_MAX, &len, err);
	if (!text)
		return error_prefix(err, "the kubeconfig file cannot be used");
	slash = strrchr(file.path, '/');
	file.folder = slash ? arena_strndup(files->arena, file.path, slash == file.path ? 1 : (size_t)(slash - file.path)) : ".";
	file.source = source_new(path, text, len);
	if (yaml_read(files->arena, file.source, &yaml, &problem)) {
		place = source_place(problem.span.source ? problem.span.source : file.source, problem.span.start);
		source_unref(file.source);
		return error_set(err, "the kubeconfig file `%s` is not YAML: line %u: %s", path, place.line, problem.error.text);
	}
	source_unref(file.source); /* only values are kept */
	file.source = NULL;
	file.root = yaml.n ? yaml.documents[0]->value : &VALUE_OF_NULL;
	if (file.root->kind != VALUE_DICT && file.root->kind != VALUE_NULL)
		return error_set(err, "`%s` is no kubeconfig file: it should hold clusters, users and contexts", path);
	vec_push(&files->list, file);
	return 0;
}

/* The files of KUBECONFIG that are there. */
static int
read_listed(struct kubeconfig_files *files, const char *list, struct error *err)
{
	while (*list) {
		size_t len = strcspn(list, ":");
		char *path = arena_strndup(files->arena, list, len);

		list += len + (list[len] == ':');
		if (!len || access(path, F_OK))
			continue;
		if (files->list.n == KUBECONFIG_FILES_MAX)
			return error_set(err, "KUBECONFIG names more than %d files", KUBECONFIG_FILES_MAX);
		if (read_file(files, path, err))
			return -1;
	}
	return 0;
}

static int
read_files(struct kubeconfig_files *files, const char *path, struct error *err)
{
	const char *listed = getenv("KUBECONFIG"), *home = getenv("HOME");

	if (path) {
		if (path[0] == '~' && path[1] == '/' && home)
			path = arena_printf(files->arena, "%s%s", home, path + 1);
		return read_file(files, path, err);
	}
	if (listed && *listed) {
		if (read_listed(files, listed, err))
			return -1;
		if (!files->list.n)
			return error_set(err, "none of the files that KUBECONFIG names is there: `%s`", listed);
		return 0;
	}
	path = arena_printf(files->arena, "%s/.kube/config", home ? home : "");
	if (access(path, F_OK))
		return error_set(err, "there is no kubeconfig file: KUBECONFIG is not set, and `%s` is not there", path);
	return read_file(files, path, err);
}

/* ---- entries ---- */

const struct value *
kubeconfig_find(const struct kubeconfig_files *files, const char *list, const char *member, const char *name,
		const struct kubeconfig_file **ret_file)
{
	for (size_t f = 0; f < files->list.n; f++) {
		const struct value *entries = value_get(files->list.items[f].root, list);

		for (size_t i = 0; entries && entries->kind == VALUE_LIST && i < entries->list.n; i++) {
			const struct value *entry = entries->list.items[i], *found = value_get(entry, member);
			const char *text = value_text(value_get(entry, "name"));

			if (!text || strcmp(text, name))
				continue;
			*ret_file = &files->list.items[f];
			return found && found->kind == VALUE_DICT ? found : &VALUE_OF_NULL;
		}
	}
	return NULL;
}

int
kubeconfig_text(const struct kubeconfig_place *place, const char *key, const char **ret, struct error *err)
{
	const struct value *value = value_get(place->entry, key);

	*ret = NULL;
	if (!value || value->kind == VALUE_NULL)
		return 0;
	if (value->kind != VALUE_STRING)
		return error_set(err, "`%s` of the %s `%s` in `%s` must be a text", key, place->kind, place->name, place->file->path);
	if (value->string.len)
		*ret = value->string.text;
	return 0;
}

int
kubeconfig_flag(const struct kubeconfig_place *place, const char *key, bool *ret, struct error *err)
{
	const struct value *value = value_get(place->entry, key);

	*ret = value && value->kind == VALUE_BOOLEAN && value->boolean;
	if (value && value->kind != VALUE_BOOLEAN && value->kind != VALUE_NULL)
		return error_set(err, "`%s` of the %s `%s` in `%s` must be true or false", key, place->kind, place->name, place->file->path);
	return 0;
}

/* A list of names, for who asked for one that is not there. */
static void
add_names(struct buf *buf, const struct kubeconfig_files *files, const char *list)
{
	size_t n = 0;

	for (size_t f = 0; f < files->list.n; f++) {
		const struct value *entries = value_get(files->list.items[f].root, list);

		for (size_t i = 0; entries && entries->kind == VALUE_LIST && i < entries->list.n; i++) {
			const char *name = value_text(value_get(entries->list.items[i], "name"));

			if (name && n < 8)
				buf_printf(buf, "%s`%.100s`", n ? ", " : "", name);
			n += name != NULL;
		}
	}
	if (n > 8)
		buf_printf(buf, " and %zu more", n - 8);
	if (!n)
		buf_puts(buf, "none");
}

static int
find_entry(const struct kubeconfig_files *files, const char *list, const char *kind, const char *name, const char *wanted_by,
	   struct kubeconfig_place *ret, struct error *err)
{
	struct buf names = { 0 };

	*ret = (struct kubeconfig_place){ .kind = kind, .name = name };
	ret->entry = kubeconfig_find(files, list, kind, name, &ret->file);
	if (ret->entry)
		return 0;
	add_names(&names, files, list);
	error_set(err, "the kubeconfig has no %s `%.100s`%s; there %s %s", kind, name, wanted_by,
		strstr(buf_text(&names), "`, `") ? "are" : "is", buf_text(&names));
	buf_release(&names);
	return -1;
}

static const char *
current_context(const struct kubeconfig_files *files)
{
	for (size_t f = 0; f < files->list.n; f++) {
		const char *name = value_text(value_get(files->list.items[f].root, "current-context"));

		if (name && *name)
			return name;
	}
	return NULL;
}

/* ---- a context ---- */

static int
load_context(struct kubeconfig *config, const struct kubeconfig_files *files, const char *name, struct error *err)
{
	struct kubeconfig_place context, place;
	const char *cluster, *user, *namespace_;

	name = name ? name : current_context(files);
	if (!name) {
		struct buf names = { 0 };

		add_names(&names, files, "contexts");
		error_set(err, "the kubeconfig has no current context; name one of its contexts: %s", buf_text(&names));
		buf_release(&names);
		return -1;
	}
	config->context = arena_strdup(config->arena, name);
	if (find_entry(files, "contexts", "context", config->context, "", &context, err))
		return -1;
	config->from = context.file->path;
	if (kubeconfig_text(&context, "cluster", &cluster, err) || kubeconfig_text(&context, "user", &user, err) ||
	    kubeconfig_text(&context, "namespace", &namespace_, err))
		return -1;
	config->namespace_ = namespace_ ? namespace_ : "default";
	if (!cluster)
		return error_set(err, "the context `%.100s` in `%s` names no cluster", name, config->from);
	if (find_entry(files, "clusters", "cluster", cluster, ", which its context names", &place, err) ||
	    kubeconfig_read_cluster(config, &place, err))
		return -1;
	if (!user)
		return 0;
	if (find_entry(files, "users", "user", user, ", which its context names", &place, err))
		return -1;
	return kubeconfig_read_user(config, &place, err);
}

/* ---- within a pod ---- */

static int
load_account(struct kubeconfig *config, const char *folder, struct error *err)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST"), *port = getenv("KUBERNETES_SERVICE_PORT"), *path, *text;
	struct error ignored;
	size_t len;

	folder = folder ? folder : "/var/run/secrets/kubernetes.io/serviceaccount";
	if (!host || !*host || !port || !*port)
		return error_set(err, "this is no pod of a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set");
	config->context = "";
	config->from = "the pod's service account";
	config->server = arena_printf(config->arena, strchr(host, ':') ? "https://[%s]:%s" : "https://%s:%s", host, port);
	if (!kubeconfig_check_url(config->server, "KUBERNETES_SERVICE_HOST", err))
		return -1;
	config->token_file = arena_printf(config->arena, "%s/token", folder);
	if (!kubeconfig_read_token(config->arena, config->token_file, err))
		return error_prefix(err, "the pod's service account has no usable token (does the pod set automountServiceAccountToken: false?)");
	path = arena_printf(config->arena, "%s/ca.crt", folder);
	if (kubeconfig_read_pem(config->arena, path, &config->authority, err))
		return error_prefix(err, "the pod's service account");
	path = arena_printf(config->arena, "%s/namespace", folder);
	text = paths_read(config->arena, path, 1024, &len, &ignored);
	config->namespace_ = text && len ? arena_strndup(config->arena, text, strcspn(text, " \r\n\t")) : "default";
	return 0;
}

int
kubeconfig_load(struct kubeconfig *ret, const struct kubeconfig_request *request, struct error *err)
{
	struct kubeconfig_files files;
	int rc;

	*ret = (struct kubeconfig){ .arena = arena_new() };
	if (request->in_cluster)
		return load_account(ret, request->account, err);
	files = (struct kubeconfig_files){ .arena = ret->arena };
	rc = read_files(&files, request->path, err);
	if (!rc)
		rc = load_context(ret, &files, request->context, err);
	vec_release(&files.list);
	return rc;
}

void
kubeconfig_release(struct kubeconfig *config)
{
	arena_free(config->arena);
	*config = (struct kubeconfig){ 0 };
}
