/* A list and then a watch of an API in Kubernetes' manner, that never lose sight: after any cut, refusal for a moment, or answer
 * that makes no sense, it goes on where it was (resourceVersion), and where that is too old (410) with a fresh list. What follows
 * is told as if nothing had happened: no change is missed at its end, and none is told twice.
 *
 * It lives on the api's http and is carried on by its poll; nothing is told but within that. Its first request is sent there too.
 * A listener may free the watch, may carry out exchanges, and may not poll. */
#ifndef RUNTIME_CLUSTER_WATCH_H
#define RUNTIME_CLUSTER_WATCH_H

#include "runtime/cluster/api.h"
#include "runtime/cluster/door.h"

enum {
	WATCH_SILENCE = 180000, /* milliseconds without a byte; bookmarks come every minute or so. Then it is asked anew */
	WATCH_STEADY = 5000, /* milliseconds after which a connection counts as a good one, even if nothing came */
	WATCH_GARBLED_MAX = 5, /* answers in a row that make no sense; then it fails */
	WATCH_OBJECT_MAX = 8 * 1024 * 1024, /* bytes of an object that is told as a value */
	WATCH_OBJECTS_MAX = 200000, /* that are kept in mind */
};

/* What is watched. Texts are copied. */
struct watch_source {
	const char *list; /* path and query of the list */
	const char *watch; /* of the watch, up to the resourceVersion that is put behind it: "…&resourceVersion=" */
	bool events; /* the watch comes as text/event-stream */
	struct api_right right; /* "list", for what is said of a refusal */
	const char *what; /* "the workflow `x` in the namespace `y`", for messages */
};

/* Texts are the arena's. The group is a path, "/api/v1" or "/apis/argoproj.io/v1alpha1"; selectors may be NULL. */
struct watch_source watch_source_kube(struct arena *arena, const char *group, const char *namespace_, const char *resource,
				      const char *field_selector, const char *label_selector);
/* One workflow at Argo's server. */
struct watch_source watch_source_argo(struct arena *arena, const char *namespace_, const char *name);

struct watch;

/* One Workflow, into the model. `uid`: the one that is meant, or NULL for whichever bears the name; one of another uid means that
 * it is gone. Once it is gone nothing more is told. Copies the watcher, borrows the model and the api. Never NULL. */
struct watch *watch_workflow(struct api *api, const struct watch_source *source, const char *uid, struct workflow_model *model,
			     const struct door_watcher *watcher);
void watch_free(struct watch *watch); /* NULL is fine */

enum watch_change { WATCH_ADDED, WATCH_MODIFIED, WATCH_DELETED };

struct watch_listener {
	/* The object is valid during the call. One that was deleted while the connection was lost has only metadata.name and uid. */
	void (*came)(void *context, enum watch_change change, const struct value *object);
	void (*listed)(void *context); /* all that is there has been told; again after each fresh list. May be NULL */
	void (*reached)(void *context, const struct api_failure *failure); /* as door_watcher; may be NULL */
	void (*failed)(void *context, const struct api_failure *failure);
	void *context;
};

/* Small objects, as values: pods, events. Each version of one is told once. */
struct watch *watch_objects(struct api *api, const struct watch_source *source, const struct watch_listener *listener);

#endif
