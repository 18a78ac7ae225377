/* A watch of one Workflow, into a model. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cluster/watch_private.h"

struct watch_workflow {
	struct watch watch;
	struct workflow_model *model; /* borrowed */
	struct door_watcher watcher;
	char uid[FRAMES_TEXT_MAX]; /* of the one that is meant; "": not known yet */
	bool seen; /* in the list that comes in */
};

static void
begin(struct watch *watch)
{
	workflow_model_begin(((struct watch_workflow *)watch)->model);
}

static void
feed(struct watch *watch, const char *bytes, size_t n)
{
	workflow_model_feed(((struct watch_workflow *)watch)->model, bytes, n);
}

static void
drop(struct watch *watch)
{
	workflow_model_drop(((struct watch_workflow *)watch)->model);
}

static void
be_gone(struct watch_workflow *w)
{
	if (!workflow_model_head(w->model)->deleted) {
		workflow_model_gone(w->model);
		w->watcher.changed(w->watcher.context, NULL, 0, true);
	}
	watch_stop(&w->watch);
}

static int
take_into_model(struct watch_workflow *w, struct error *err)
{
	const size_t *places;
	size_t n;
	bool head;

	if (workflow_model_end(w->model, &places, &n, &head, err))
		return -1;
	if (n || head)
		w->watcher.changed(w->watcher.context, places, n, head);
	return 0;
}

static int
take(struct watch *watch, enum watch_change change, const struct frame *frame, struct error *err)
{
	struct watch_workflow *w = (struct watch_workflow *)watch;

	if (*w->uid && strcmp(w->uid, frame->uid) != 0) {
		workflow_model_drop(w->model);
		/* Another one of its name: ours went while nobody looked. */
		if (change != WATCH_DELETED)
			be_gone(w);
		return 0;
	}
	memcpy(w->uid, frame->uid, sizeof w->uid);
	w->seen = true;
	if (take_into_model(w, err))
		return -1;
	if (change == WATCH_DELETED && !watch->dead)
		be_gone(w);
	return 0;
}

static void
fresh(struct watch *watch)
{
	((struct watch_workflow *)watch)->seen = false;
}

static void
listed(struct watch *watch)
{
	struct watch_workflow *w = (struct watch_workflow *)watch;
	struct api_failure failure = { .kind = API_NOT_FOUND };

	if (w->seen)
		return;
	if (*workflow_model_head(w->model)->version) {
		be_gone(w);
		return;
	}
	api_say(failure.what, "`%s` does not have %s", watch->api->server, watch->source.what);
	api_say(failure.help, "it may have been deleted, or be in another namespace");
	watch_fail(watch, &failure);
}

static void
reached(struct watch *watch, const struct api_failure *failure)
{
	struct watch_workflow *w = (struct watch_workflow *)watch;

	w->watcher.reached(w->watcher.context, failure);
}

static void
failed(struct watch *watch, const struct api_failure *failure)
{
	struct watch_workflow *w = (struct watch_workflow *)watch;

	w->watcher.failed(w->watcher.context, failure);
}

static void
release(struct watch *watch)
{
	(void)watch;
}

static const struct watch_ops ops = { begin, feed, drop, take, fresh, listed, reached, failed, release, WORKFLOW_BYTES_MAX };

struct watch *
watch_workflow(struct api *api, const struct watch_source *source, const char *uid, struct workflow_model *model,
	       const struct door_watcher *watcher)
{
	struct watch_workflow *w = xcalloc(1, sizeof *w);

	w->model = model;
	w->watcher = *watcher;
	snprintf(w->uid, sizeof w->uid, "%s", uid ? uid : "");
	watch_begin(&w->watch, &ops, api, source);
	return &w->watch;
}
