/* A watch of small objects, as values. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "runtime/cluster/watch_private.h"

/* One that is there, as far as we know. */
struct known {
	char *version, *name;
	uint64_t round; /* of the list in which it was seen last, or of the one before what a watch told */
};

struct watch_objects {
	struct watch watch;
	struct watch_listener listener;
	struct buf object; /* that comes in */
	struct map known; /* uid to struct known */
	uint64_t round;
};

static void
begin(struct watch *watch)
{
	struct watch_objects *w = (struct watch_objects *)watch;

	buf_clear(&w->object);
	w->object.overflow = false;
}

static void
feed(struct watch *watch, const char *bytes, size_t n)
{
	buf_add(&((struct watch_objects *)watch)->object, bytes, n);
}

static void
drop(struct watch *watch)
{
	begin(watch);
}

/* False when it was not known. */
static bool
forget(struct watch_objects *w, const char *uid)
{
	struct known *known = map_remove(&w->known, uid);

	if (!known)
		return false;
	free(known->version);
	free(known->name);
	free(known);
	return true;
}

/* Is this version of it new to us? */
static bool
note(struct watch_objects *w, const struct frame *frame, bool *ret_new)
{
	struct known *known = map_get(&w->known, frame->uid);

	*ret_new = !known;
	if (known) {
		known->round = w->round;
		if (*frame->version && !strcmp(known->version, frame->version))
			return false;
		free(known->version);
	} else {
		known = xcalloc(1, sizeof *known);
		known->round = w->round;
		known->name = xstrdup(frame->name);
		map_set(&w->known, frame->uid, known);
	}
	known->version = xstrdup(frame->version);
	return true;
}

static int
take(struct watch *watch, enum watch_change change, const struct frame *frame, struct error *err)
{
	struct watch_objects *w = (struct watch_objects *)watch;
	struct arena *arena;
	const struct value *object;
	bool is_new;

	if (w->object.overflow)
		return error_set(err, "an object is longer than %d bytes", WATCH_OBJECT_MAX);
	if (!*frame->uid)
		return error_set(err, "an object has no uid");
	if (w->known.live >= WATCH_OBJECTS_MAX && !map_has(&w->known, frame->uid))
		return error_set(err, "there are more than %d of them", WATCH_OBJECTS_MAX);
	arena = arena_new();
	object = value_read_json(arena, buf_text(&w->object), w->object.len, err);
	if (object && change == WATCH_DELETED) {
		if (forget(w, frame->uid))
			w->listener.came(w->listener.context, WATCH_DELETED, object);
	} else if (object && note(w, frame, &is_new)) {
		w->listener.came(w->listener.context, is_new ? WATCH_ADDED : WATCH_MODIFIED, object);
	}
	arena_free(arena);
	return object ? 0 : -1;
}

static void
fresh(struct watch *watch)
{
	((struct watch_objects *)watch)->round++;
}

/* One that the fresh list does not have any more. */
static void
tell_gone(struct watch_objects *w, const char *uid, const struct known *known)
{
	static const char *const keys[] = { "name", "uid" }, *const root_keys[] = { "metadata" };
	struct arena *arena = arena_new();
	const struct value *items[] = { value_string(arena, known->name), value_string(arena, uid) };
	const struct value *metadata = value_dict(arena, keys, items, ARRAY_LEN(keys));
	const struct value *object = value_dict(arena, root_keys, &metadata, 1);

	forget(w, uid);
	w->listener.came(w->listener.context, WATCH_DELETED, object);
	arena_free(arena);
}

static void
listed(struct watch *watch)
{
	struct watch_objects *w = (struct watch_objects *)watch;
	const struct map_entry *entry;
	size_t at = 0;

	while (!watch->dead && (entry = map_next(&w->known, &at))) {
		const struct known *known = entry->value;
		CLEANUP(freep) char *uid = xstrdup(entry->key);

		if (known->round != w->round)
			tell_gone(w, uid, known);
	}
	if (!watch->dead && w->listener.listed)
		w->listener.listed(w->listener.context);
}

static void
reached(struct watch *watch, const struct api_failure *failure)
{
	struct watch_objects *w = (struct watch_objects *)watch;

	if (w->listener.reached)
		w->listener.reached(w->listener.context, failure);
}

static void
failed(struct watch *watch, const struct api_failure *failure)
{
	struct watch_objects *w = (struct watch_objects *)watch;

	w->listener.failed(w->listener.context, failure);
}

static void
release(struct watch *watch)
{
	struct watch_objects *w = (struct watch_objects *)watch;
	const struct map_entry *entry;
	size_t at = 0;

	while ((entry = map_next(&w->known, &at))) {
		struct known *known = entry->value;

		free(known->version);
		free(known->name);
		free(known);
	}
	map_release(&w->known);
	buf_release(&w->object);
}

static const struct watch_ops ops = { begin, feed, drop, take, fresh, listed, reached, failed, release, WATCH_OBJECT_MAX };

struct watch *
watch_objects(struct api *api, const struct watch_source *source, const struct watch_listener *listener)
{
	struct watch_objects *w = xcalloc(1, sizeof *w);

	w->listener = *listener;
	w->object.max = WATCH_OBJECT_MAX;
	watch_begin(&w->watch, &ops, api, source);
	return &w->watch;
}
