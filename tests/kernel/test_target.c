#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/target.h"
#include "tests/tap.h"

static const struct secret token = { .source = SECRET_STORE, .name = "kfp", .key = "token" };
static const struct secret password = { .source = SECRET_ENV, .name = "PASS" };

static const struct cluster clusters[] = {
	{ .name = "a", .context = "here", .namespace_ = "ml" },
	{ .name = "b", .kubeconfig = "~/x.yaml", .kind = CLUSTER_KIND_KFP, .experiment = "e", .page = "https://p" },
	{ .name = "c", .in_cluster = true, .kind = CLUSTER_KIND_AUTO },
	{ .name = "d", .kfp = "https://k/pipeline", .auth = CLUSTER_AUTH_DEX, .user = "me", .password = &password, .user_id = "u" },
	{ .name = "e", .argo = "https://a:2746", .auth = CLUSTER_AUTH_TOKEN, .token = &token, .insecure = true },
	{ .name = "f", .kfp = "https://k", .auth = CLUSTER_AUTH_IAP, .client_id = "id" },
	{ .name = "g", .kfp = "https://k", .auth = CLUSTER_AUTH_AUDIENCE, .audience = "x" },
	{ .name = "auto", .automatic = true },
};

/* What was written is what is read: the same text again. */
static void
test_where(void)
{
	static const char *const none[] = { "", "[]", "{}", "{\"name\": 3}", "{\"context\": \"x\"}", "nonsense" };
	struct arena *arena = arena_new();

	for (size_t i = 0; i < ARRAY_LEN(clusters); i++) {
		const char *where = target_where(&clusters[i], arena);
		const struct cluster *read = target_read_where(arena, where);

		is_str(read ? target_where(read, arena) : "none", where, "the cluster `%s` in the store and back", clusters[i].name);
	}
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		ok(!target_read_where(arena, none[i]), "`%s` is no cluster", none[i]);
	arena_free(arena);
}

static const struct {
	const char *what, *name, *value, *name2, *value2;
	const char *chosen; /* what is said; NULL: nothing is found */
	enum door_kind kind;
} found[] = {
	{ "nothing", "KUBECONFIG", "/nonexistent", NULL, NULL, NULL, DOOR_KUBE },
	{ "Kubeflow by its variable", "KF_PIPELINES_ENDPOINT", "ml-pipeline:8888", NULL, NULL,
	  "Kubeflow Pipelines at http://ml-pipeline:8888, for the variable KF_PIPELINES_ENDPOINT names it", DOOR_KFP },
	{ "with an address", "KF_PIPELINES_ENDPOINT", "https://k/pipeline/", NULL, NULL,
	  "Kubeflow Pipelines at https://k/pipeline, for the variable KF_PIPELINES_ENDPOINT names it", DOOR_KFP },
	{ "an Argo server", "ARGO_SERVER", "argo:2746", NULL, NULL, "the Argo server at https://argo:2746, for the variable ARGO_SERVER names it",
	  DOOR_ARGO },
	{ "without encryption", "ARGO_SERVER", "argo:2746", "ARGO_SECURE", "false",
	  "the Argo server at http://argo:2746, for the variable ARGO_SERVER names it", DOOR_ARGO },
	{ "Kubeflow before Argo", "KF_PIPELINES_ENDPOINT", "k:1", "ARGO_SERVER", "a:1",
	  "Kubeflow Pipelines at http://k:1, for the variable KF_PIPELINES_ENDPOINT names it", DOOR_KFP },
};

static void
be_nowhere(void)
{
	static const char *const names[] = { "KUBERNETES_SERVICE_HOST", "KF_PIPELINES_ENDPOINT", "KF_PIPELINES_SA_TOKEN_PATH", "ARGO_SERVER",
					     "ARGO_SECURE", "ARGO_TOKEN", "ARGO_NAMESPACE", "ARGO_INSECURE_SKIP_VERIFY", "KUBECONFIG" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		unsetenv(names[i]);
	setenv("HOME", "/nonexistent", 1);
}

static void
test_auto(size_t i)
{
	const struct target_request request = { .cluster = &clusters[7] };
	struct target_door target;
	struct diags diags;
	int rc;

	be_nowhere();
	setenv(found[i].name, found[i].value, 1);
	if (found[i].name2)
		setenv(found[i].name2, found[i].value2, 1);
	diags_init(&diags);
	rc = target_open(&target, &request, &diags);
	is_int(rc, found[i].chosen ? 0 : -1, "auto: %s", found[i].what);
	is_str(target.chosen ? target.chosen : diags.n ? diags.items[0]->message : "", found[i].chosen ? found[i].chosen : "`auto` found no cluster",
		"and it is said");
	if (rc == 0)
		is_int((int)target.door->ops->kind, (int)found[i].kind, "its door");
	target_close(&target);
	diags_release(&diags);
}

/* A kubeconfig that is not there is a problem, told once. */
static void
test_unreadable(void)
{
	const struct target_request request = { .cluster = &clusters[0] };
	struct target_door target;
	struct diags diags;

	be_nowhere();
	diags_init(&diags);
	is_int(target_open(&target, &request, &diags), -1, "a context without a kubeconfig");
	is_int((int)diags.n_errors, 1, "one problem");
	is_str(diag_info(diags.items[0]->code)->code, "L1002", "its code");
	target_close(&target);
	diags_release(&diags);
}

int
main(void)
{
	test_where();
	for (size_t i = 0; i < ARRAY_LEN(found); i++)
		test_auto(i);
	test_unreadable();
	done_testing();
}
