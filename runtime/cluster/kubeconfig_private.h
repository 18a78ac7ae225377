/* What the parts of the kubeconfig reader share; nobody else includes it. */
#ifndef RUNTIME_CLUSTER_KUBECONFIG_PRIVATE_H
#define RUNTIME_CLUSTER_KUBECONFIG_PRIVATE_H

#include "base/source.h"
#include "base/value.h"
#include "runtime/cluster/kubeconfig.h"

struct kubeconfig_file {
	const char *path, *folder;
	struct source *source;
	const struct value *root; /* a Dict or null */
};

struct kubeconfig_files {
	struct arena *arena;
	VEC(struct kubeconfig_file) list;
};

/* An entry of `clusters`, `users` or `contexts`. */
struct kubeconfig_place {
	const char *kind, *name; /* "cluster", "user", "context" */
	const struct value *entry;
	const struct kubeconfig_file *file;
};

/* The first entry of that name; NULL if there is none, null if it holds nothing. */
const struct value *kubeconfig_find(const struct kubeconfig_files *files, const char *list, const char *member, const char *name,
				    const struct kubeconfig_file **ret_file);
/* NULL where it is absent or empty. */
int kubeconfig_text(const struct kubeconfig_place *place, const char *key, const char **ret, struct error *err);
int kubeconfig_flag(const struct kubeconfig_place *place, const char *key, bool *ret, struct error *err);

/* kubeconfig_entry.c */
int kubeconfig_read_cluster(struct kubeconfig *config, const struct kubeconfig_place *place, struct error *err);
int kubeconfig_read_user(struct kubeconfig *config, const struct kubeconfig_place *place, struct error *err);
int kubeconfig_read_pem(struct arena *arena, const char *path, struct http_pem *ret, struct error *err);
/* An http or https URL with a host and no user in it; `what` is its field. */
bool kubeconfig_check_url(const char *url, const char *what, struct error *err);
/* kubeconfig_exec.c */
int kubeconfig_read_exec(struct kubeconfig *config, const struct kubeconfig_place *user, const struct value *exec,
			 struct error *err);

#endif
