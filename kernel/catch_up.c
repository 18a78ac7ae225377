#include "config.h"

#include "kernel/catch_up.h"

#include <string.h>

/* The cluster could not be asked, and the store has something: that is said, and is no end. */
static int
go_without(const struct steer_request *request, const struct diags *problems, struct diags *diags)
{
	const struct diag *first = problems->n ? problems->items[0] : NULL;

	if (!problems->n_errors)
		return -1;
	diags_add(diags, DIAG_L1014, request->span, "only what was seen of the run is shown: %s", first->message);
	return 0;
}

int
catch_up(struct backgrounds *set, const struct steer_request *request, struct background_request *look, bool follow, struct arena *arena,
	 struct background **ret, const char **ret_run, struct diags *diags)
{
	struct store_run known = { 0 };
	struct diags problems;
	int rc = 0;

	*ret = NULL;
	if (!request->cluster && steer_known(request, arena, &known, diags) < 0)
		return -1;
	*ret_run = known.id;
	if (!request->cluster && (!known.place.target || known.owned || phase_ended(known.phase)))
		return 0;
	look->cluster = request->cluster;
	look->where = request->cluster ? NULL : known.place.where;
	look->attach = request->cluster ? request->run : known.id;
	look->span = request->span;
	look->quiet = true;
	look->stays = true;
	diags_init(&problems);
	*ret = background_start(set, look, &problems);
	if (!*ret && known.id)
		rc = go_without(request, &problems, diags);
	else if (!*ret)
		rc = (steer_add_diags(diags, &problems), -1);
	diags_release(&problems);
	if (*ret)
		*ret_run = arena_strdup(arena, background_run(*ret)->id);
	if (*ret && !follow)
		background_wait_for(*ret, look->wake, look->interrupted, CATCH_UP_WAIT);
	return rc;
}
