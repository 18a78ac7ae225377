#include "config.h"

#include <stdlib.h>

#include "dsl/scope.h"
#include "kernel/empty_log.h"
#include "kernel/target.h"
#include "tests/tap.h"

static const struct {
	const char *what;
	const char *context;
	bool whole; /* the cluster gave all of it */
	const char *step, *grep, *want;
} cases[] = {
	{ "nothing was written", "c", true, NULL, NULL, "the run wrote nothing" },
	{ "by a step", "c", true, "train", NULL, "the step `train` wrote nothing" },
	{ "no line fits", "c", true, "train", "loss", "the step `train` wrote no line with that text" },
	{ "a log that did not come", "c", false, NULL, NULL, "the run left no log here: its cluster did not give it whole" },
	{ "on a cluster of Google's", "gke_my-project_us-central1_pipelines", false, "train", "loss",
	  "the step `train` left no log here: its cluster did not give it whole; Google may have kept it: "
	  "https://console.cloud.google.com/logs/query;query=resource.type%3D%22k8s_container%22%0Aresource.labels.cluster_name%3D%22pipelines%22"
	  "%0Aresource.labels.namespace_name%3D%22ml%22%0Aresource.labels.pod_name%3D~%22%5Ep-1%22?project=my-project" },
};

static void
check_case(struct store *store, size_t i)
{
	struct arena *arena = arena_new();
	const struct cluster cluster = { .name = "prod", .context = cases[i].context };
	struct store_run run = { .pipeline = "p", .place = { "prod", target_where(&cluster, arena), "kube", "ml", "p-1", "" } }, found;
	struct log_follower follower = { .step = cases[i].step, .grep = cases[i].grep };
	struct error err = { "" };

	store_choose(arena, run.pipeline, &run.id, &run.name, &err);
	store_new_run_there(store, arena, &run, NULL, &found, &err);
	store_set_log(store, run.id, "train/1", &(struct store_log){ 0, "", cases[i].whole }, &err);
	store_end_run(store, run.id, PHASE_SUCCEEDED, NULL, NULL, 9, &err);
	follower.run = run.id;
	is_str(empty_log_text(store, &follower, arena), cases[i].want, "%s", cases[i].what);
	arena_free(arena);
}

int
main(void)
{
	char *folder = test_temp_dir();
	struct error err = { "" };
	struct store *store = store_open(folder, false, &err);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_case(store, i);
	store_close(store);
	test_remove_tree(folder);
	free(folder);
	return done_testing();
}
