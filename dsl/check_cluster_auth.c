/* What a cluster's fields say together: where it is, and how one signs in. */
#include "config.h"

#include "dsl/check.h"

#include <stdarg.h>
#include <string.h>

static struct diag *
clash(struct check *check, const struct ast_stmt *stmt, const char *word, const char *format, ...) PRINTF_LIKE(4, 5);

/* A complaint at the line of the word, or at the cluster's name. */
static struct diag *
clash(struct check *check, const struct ast_stmt *stmt, const char *word, const char *format, ...)
{
	struct span span = stmt->name.span;
	struct buf text = { .max = 1000 };
	struct diag *d;
	va_list args;

	for (size_t i = 0; i < stmt->n_fields; i++)
		if (stmt->fields[i].kind == AST_FIELD_SETTING && stmt->fields[i].setting.word.text &&
		    !strcmp(stmt->fields[i].setting.word.text, word))
			span = stmt->fields[i].setting.span;
	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	d = diags_add(check->diags, DIAG_L1012, span, "%s", buf_text(&text));
	buf_release(&text);
	return d;
}

void
check_cluster_place(struct check *check, const struct ast_stmt *stmt, const struct cluster *cluster)
{
	bool file = cluster->context || cluster->kubeconfig, server = cluster->argo || cluster->kfp;
	struct diag *d;

	if (cluster->in_cluster && file) {
		d = diags_add(check->diags, DIAG_L1001, stmt->name.span, "the cluster `%s` is given in two ways", stmt->name.text);
		diag_help(check->diags, d, "`in_cluster` is the pod that Lateen runs in, and needs no `%s`", cluster->context ? "context" : "kubeconfig");
	} else if (cluster->argo && cluster->kfp) {
		d = diags_add(check->diags, DIAG_L1001, stmt->name.span, "the cluster `%s` is given in two ways", stmt->name.text);
		diag_help(check->diags, d, "runs go through one server, `argo` or `kfp`: declare a cluster for each");
	} else if (!cluster->in_cluster && !file && !server && !cluster->automatic) {
		d = diags_add(check->diags, DIAG_L1001, stmt->name.span, "where the cluster `%s` is, is not said", stmt->name.text);
		diag_help(check->diags, d, "name a context of your kubeconfig: `context \"…\"` (`kubectl config get-contexts` lists them), a file: "
			"`kubeconfig \"…\"`, a server: `kfp \"https://…\"` or `argo \"https://…\"`, or within a pod `in_cluster`; "
			"`cluster auto` looks for one");
	}
	if ((cluster->argo && cluster->kind == CLUSTER_KIND_KFP) || (cluster->kfp && cluster->kind == CLUSTER_KIND_ARGO)) {
		d = clash(check, stmt, "kind", "`%s \"…\"` is no server of kind `%s`", cluster->argo ? "argo" : "kfp",
			cluster->argo ? "kfp" : "argo");
		diag_help(check->diags, d, "the address says the kind: leave `kind` out");
	}
}

static const char *const auth_words[] = { "", "plain", "token", "audience", "dex", "iap", "gcp" };

/* What each way of signing in takes, and what it needs. */
static const struct {
	const char *word;
	unsigned ways, needed_by; /* bits of enum cluster_auth */
} auth_parts[] = {
	{ "token", 1U << CLUSTER_AUTH_TOKEN, 1U << CLUSTER_AUTH_TOKEN },
	{ "user", 1U << CLUSTER_AUTH_PLAIN | 1U << CLUSTER_AUTH_DEX, 1U << CLUSTER_AUTH_DEX },
	{ "password", 1U << CLUSTER_AUTH_PLAIN | 1U << CLUSTER_AUTH_DEX, 1U << CLUSTER_AUTH_DEX },
	{ "audience", 1U << CLUSTER_AUTH_AUDIENCE, 0 },
	{ "client_id", 1U << CLUSTER_AUTH_IAP, 1U << CLUSTER_AUTH_IAP },
};

static bool
has_part(const struct cluster *cluster, size_t part)
{
	const void *const members[] = { cluster->token, cluster->user, cluster->password, cluster->audience, cluster->client_id };

	return members[part] != NULL;
}

/* Without `auth` the parts say which way is meant. */
static void
infer_auth(struct cluster *cluster)
{
	if (cluster->auth != CLUSTER_AUTH_UNSET)
		return;
	cluster->auth = cluster->token ? CLUSTER_AUTH_TOKEN : cluster->audience ? CLUSTER_AUTH_AUDIENCE :
			cluster->client_id ? CLUSTER_AUTH_IAP : cluster->user || cluster->password ? CLUSTER_AUTH_PLAIN : CLUSTER_AUTH_UNSET;
}

static void
check_auth_parts(struct check *check, const struct ast_stmt *stmt, const struct cluster *cluster)
{
	const char *way = auth_words[cluster->auth];
	struct diag *d;

	for (size_t i = 0; i < ARRAY_LEN(auth_parts); i++) {
		const char *word = auth_parts[i].word;

		if (has_part(cluster, i) && !(auth_parts[i].ways >> cluster->auth & 1)) {
			d = clash(check, stmt, word, "`auth %s` takes no `%s`", way, word);
			diag_help(check->diags, d, "leave it out, or sign in in another way: `auth %s`",
				auth_words[i == 0 ? CLUSTER_AUTH_TOKEN : i == 3 ? CLUSTER_AUTH_AUDIENCE : i == 4 ? CLUSTER_AUTH_IAP : CLUSTER_AUTH_DEX]);
		} else if (!has_part(cluster, i) && auth_parts[i].needed_by >> cluster->auth & 1) {
			d = clash(check, stmt, "auth", "`auth %s` needs `%s`", way, word);
			diag_help(check->diags, d, "write `%s %s`", word, setting_lookup_at(word, SETTING_IN_CLUSTER)->arguments);
		}
	}
	if (cluster->auth == CLUSTER_AUTH_PLAIN && !cluster->user != !cluster->password) {
		d = clash(check, stmt, "user", "`user` and `password` come together");
		diag_help(check->diags, d, "write `%s %s`", cluster->user ? "password" : "user",
			setting_lookup_at(cluster->user ? "password" : "user", SETTING_IN_CLUSTER)->arguments);
	}
}

static bool
is_near(const char *address)
{
	const char *host = strstr(address, "://") + 3;
	size_t len = strcspn(host, ":/?#");

	return *host == '[' ? !strncmp(host, "[::1]", 5) : (len == 9 && !strncmp(host, "localhost", 9)) || !strncmp(host, "127.", 4);
}

void
check_cluster_auth(struct check *check, const struct ast_stmt *stmt, struct cluster *cluster)
{
	const char *server = cluster->kfp ? cluster->kfp : cluster->argo;
	bool kfp = cluster->kfp || cluster->kind == CLUSTER_KIND_KFP || cluster->kind == CLUSTER_KIND_AUTO;
	struct diag *d;

	infer_auth(cluster);
	if (cluster->auth != CLUSTER_AUTH_UNSET && !server) {
		d = clash(check, stmt, "auth", "how to sign in is said, and no server is");
		diag_help(check->diags, d, "with `context`, `kubeconfig` and `in_cluster` the kubeconfig or the pod says who you are; "
			"`kfp \"https://…\"` or `argo \"https://…\"` names a server");
		return;
	}
	if (cluster->insecure && !server) {
		d = clash(check, stmt, "insecure", "`insecure` is about a server, and no server is given");
		diag_help(check->diags, d, "a kubeconfig has `insecure-skip-tls-verify` of its own");
	}
	if (cluster->user_id && !kfp) {
		d = clash(check, stmt, "user_id", "`user_id` is told to Kubeflow Pipelines only");
		diag_help(check->diags, d, "leave it out, or write `kind kfp`");
	}
	if (cluster->argo && cluster->auth > CLUSTER_AUTH_TOKEN) {
		d = clash(check, stmt, "auth", "the Argo server does not know `auth %s`", auth_words[cluster->auth]);
		diag_help(check->diags, d, "it takes a bearer token: `token env(\"ARGO_TOKEN\")`");
		return;
	}
	if (cluster->auth != CLUSTER_AUTH_UNSET)
		check_auth_parts(check, stmt, cluster);
	if (cluster->auth > CLUSTER_AUTH_PLAIN && !strncmp(server, "http:", 5) && !is_near(server)) {
		d = diags_add(check->diags, DIAG_L1009, stmt->name.span, "what signs you in at `%s` is sent without encryption", stmt->name.text);
		diag_help(check->diags, d, "write `https://`");
	}
}
