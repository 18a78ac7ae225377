#include "config.h"

#include "kernel/empty_log.h"

#include "kernel/target.h"
#include "runtime/cluster/api.h"
#include "runtime/cluster/prepare.h"

/* https://cloud.google.com/logging/docs/view/logging-query-language; NULL: the run is on no cluster of Google's that we know. */
static const char *
google_page(struct arena *arena, const struct store_run *run)
{
	const struct cluster *cluster = run->place.where ? target_read_where(arena, run->place.where) : NULL;
	struct prepare_gke gke;
	const char *query;

	if (!cluster || !cluster->context || !run->place.workflow || !*run->place.workflow || !prepare_read_gke(arena, cluster->context, &gke))
		return NULL;
	query = arena_printf(arena, "resource.type=\"k8s_container\"\nresource.labels.cluster_name=\"%s\"\nresource.labels.namespace_name=\"%s\"\n"
		"resource.labels.pod_name=~\"^%s\"", gke.name, run->place.namespace_, run->place.workflow);
	return arena_printf(arena, "https://console.cloud.google.com/logs/query;query=%s?project=%s", api_escaped(arena, query),
		api_escaped(arena, gke.project));
}

static const char *
lost_text(struct store *store, const char *which, struct arena *arena)
{
	struct store_run run;
	struct error err;
	const char *page = store_find(store, arena, which, &run, &err) ? NULL : google_page(arena, &run);

	return page ? arena_printf(arena, "left no log here: its cluster did not give it whole; Google may have kept it: %s", page)
		    : "left no log here: its cluster did not give it whole";
}

const char *
empty_log_text(struct store *store, const struct log_follower *follower, struct arena *arena)
{
	const char *what = follower->grep ? "wrote no line with that text" : "wrote nothing";

	if (store_lacks_logs(store, follower->run))
		what = lost_text(store, follower->run, arena);
	return follower->step ? arena_printf(arena, "the step `%s` %s", follower->step, what) : arena_printf(arena, "the run %s", what);
}
