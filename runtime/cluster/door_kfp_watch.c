/* The server has no watch: a run is asked for again and again, sooner while it changes, later while it does not. The workflow is a
 * text within the answer's JSON; it goes into the model as it comes, and is never held as a whole. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_scan.h"
#include "runtime/cluster/door_kfp_private.h"

enum {
	SOON = 2000, LATE = 5000, /* milliseconds between two answers and the next question */
	LATE_AFTER_FAILURES = 30000,
	DENIALS_MAX = 3, /* in a row, before the right counts as taken away */
	BEHIND_MAX = 5, /* answers in which the run has ended and the workflow, which nobody reports any more, has not */
	ERROR_BODY_MAX = 64 * 1024,
	STATUS_MAX = 40,
};

/* Where in the answer the scan is. */
enum part { PART_NONE, PART_RUN, PART_RUNTIME };

struct door_watch {
	struct door_kfp *door;
	char *id; /* of the run */
	struct workflow_model *model;
	struct door_watcher watcher;
	struct http_stream *stream;
	struct http_timer *timer;
	long wait;
	unsigned failures, denials, behind;
	bool lost, renewed, renew;
	unsigned telling; /* within a call of the watcher, which may end the watch */
	bool dead;
	/* of the answer that comes in */
	struct http_reply reply; /* of a refusal with its body */
	struct json_scan scan;
	enum part part;
	bool is_status, in_model, seen, broken;
	struct error error;
	char status[STATUS_MAX];
};

static void ask(void *context);

/* ---- the watcher ---- */

static void
destroy(struct door_watch *watch)
{
	json_scan_release(&watch->scan);
	http_reply_release(&watch->reply);
	free(watch->id);
	free(watch);
}

/* Is the watch still there? */
static bool
told(struct door_watch *watch)
{
	watch->telling--;
	if (!watch->dead)
		return true;
	if (!watch->telling)
		destroy(watch);
	return false;
}

static bool
tell_change(struct door_watch *watch, const size_t *places, size_t n, bool head)
{
	watch->telling++;
	watch->watcher.changed(watch->watcher.context, places, n, head);
	return told(watch);
}

static bool
tell_reach(struct door_watch *watch, const struct api_failure *failure)
{
	if (watch->lost == (failure != NULL))
		return true;
	watch->lost = failure;
	watch->telling++;
	if (watch->watcher.reached)
		watch->watcher.reached(watch->watcher.context, failure);
	return told(watch);
}

static void
tell_end(struct door_watch *watch, const struct api_failure *failure)
{
	watch->telling++;
	watch->watcher.failed(watch->watcher.context, failure);
	told(watch);
}

static void
ask_again(struct door_watch *watch, long wait)
{
	struct http *http = watch->door->door.http;

	watch->timer = http->after(http, wait, ask, watch);
}

/* ---- an answer ---- */

static void
take_key(struct door_watch *watch, struct json_scan *scan, const char *text, size_t len)
{
#define IS(word) (len == strlen(word) && !memcmp(text, word, len))
	if (scan->depth == 1) {
		watch->part = IS("run") ? PART_RUN : IS("pipeline_runtime") ? PART_RUNTIME : PART_NONE;
		if (watch->part == PART_NONE)
			scan->next = JSON_SKIP;
	} else if (scan->depth == 2 && watch->part == PART_RUN && IS("status")) {
		watch->is_status = true;
	} else if (scan->depth == 2 && watch->part == PART_RUNTIME && IS("workflow_manifest")) {
		scan->next = JSON_IN_PIECES;
	} else {
		scan->next = JSON_SKIP;
	}
#undef IS
}

static int
take(void *context, struct json_scan *scan, enum json_event event, const char *text, size_t len, struct error *err)
{
	struct door_watch *watch = context;

	(void)err;
	if (event == JSON_KEY) {
		watch->is_status = false;
		take_key(watch, scan, text, len);
	} else if (event == JSON_PIECE) {
		if (!watch->in_model)
			workflow_model_begin(watch->model);
		watch->in_model = watch->seen = true;
		workflow_model_feed(watch->model, text, len);
	} else if (event == JSON_STRING && watch->is_status && len < STATUS_MAX) {
		memcpy(watch->status, text, len);
		watch->status[len] = '\0';
	}
	return 0;
}

static void
began(void *context, const struct http_reply *head)
{
	struct door_watch *watch = context;

	http_reply_release(&watch->reply);
	watch->reply = *head;
	watch->reply.body = (struct buf){ .max = ERROR_BODY_MAX };
	json_scan_clear(&watch->scan);
	watch->part = PART_NONE;
	watch->is_status = watch->in_model = watch->seen = watch->broken = false;
	*watch->status = '\0';
}

static bool
is_good(const struct door_watch *watch)
{
	return watch->reply.status == 200 && !api_asks_who(kfp_api(watch->door->kfp), &watch->reply);
}

static void
came(void *context, const char *bytes, size_t n)
{
	struct door_watch *watch = context;

	if (!is_good(watch))
		buf_add(&watch->reply.body, bytes, n);
	else if (!watch->broken && json_scan_feed(&watch->scan, bytes, n, &watch->error))
		watch->broken = true;
}

static void
drop_half(struct door_watch *watch)
{
	if (watch->in_model)
		workflow_model_drop(watch->model);
	watch->in_model = false;
}

/* ---- what comes of it ---- */

static bool
run_ended(const struct door_watch *watch)
{
	enum phase phase;

	return !phase_from_name(watch->status, &phase) && phase_ended(phase);
}

/* Its workflow was deleted before its end was reported: what is known of it is all that there will be. */
static void
give_up_workflow(struct door_watch *watch)
{
	workflow_model_gone(watch->model);
	tell_change(watch, NULL, 0, true);
}

static void
go_on(struct door_watch *watch, bool changed)
{
	if (workflow_model_head(watch->model)->completed)
		return;
	watch->behind = run_ended(watch) && !changed ? watch->behind + 1 : 0;
	if (watch->behind > BEHIND_MAX) {
		give_up_workflow(watch);
		return;
	}
	watch->wait = changed ? SOON : watch->wait * 5 / 4 < LATE ? watch->wait * 5 / 4 : (long)LATE;
	ask_again(watch, watch->wait);
}

static void
fail(struct door_watch *watch, const struct api_failure *failure)
{
	bool denied = failure->kind == API_UNKNOWN_USER || failure->kind == API_FORBIDDEN;
	long wait = SOON << (watch->failures < 4 ? watch->failures : 4);

	watch->failures++;
	watch->denials = denied ? watch->denials + 1 : 0;
	if (failure->kind == API_NOT_FOUND && *workflow_model_head(watch->model)->version) {
		give_up_workflow(watch);
	} else if (failure->kind == API_NOT_FOUND || failure->kind == API_REFUSED || watch->denials >= DENIALS_MAX) {
		tell_end(watch, failure);
	} else if (tell_reach(watch, failure)) {
		ask_again(watch, wait < LATE_AFTER_FAILURES ? wait : (long)LATE_AFTER_FAILURES);
	}
}

static void
fail_by(struct door_watch *watch, const char *why)
{
	struct api_failure failure;

	api_refuse(&failure, API_TROUBLE, "what `%s` says of the run cannot be read: %s", kfp_api(watch->door->kfp)->server, why);
	fail(watch, &failure);
}

static void
take_over(struct door_watch *watch)
{
	const size_t *places;
	bool head;
	size_t n;

	if (watch->broken || json_scan_end(&watch->scan, &watch->error)) {
		drop_half(watch);
		fail_by(watch, watch->error.text);
		return;
	}
	if (!watch->seen && run_ended(watch)) {
		struct api_failure failure;

		api_refuse(&failure, API_REFUSED, "the run has no Argo workflow, so its steps cannot be shown (it ended as %s)", watch->status);
		tell_end(watch, &failure);
		return;
	}
	watch->in_model = false;
	if (watch->seen && workflow_model_end(watch->model, &places, &n, &head, &watch->error)) {
		fail_by(watch, watch->error.text);
		return;
	}
	watch->failures = watch->denials = 0;
	watch->renewed = false;
	if (!tell_reach(watch, NULL))
		return;
	if (!watch->seen || (!n && !head))
		go_on(watch, false);
	else if (tell_change(watch, places, n, head))
		go_on(watch, true);
}

static void
ended(void *context, enum http_outcome outcome, const struct error *err)
{
	struct door_watch *watch = context;
	struct api *api = kfp_api(watch->door->kfp);
	const struct api_request request = { .method = "GET", .repeatable = true };
	struct arena *arena = arena_new();
	struct api_failure failure;

	watch->stream = NULL;
	if (outcome == HTTP_ANSWERED && is_good(watch)) {
		take_over(watch);
	} else if (outcome == HTTP_ANSWERED && !watch->renewed && api_asks_who(api, &watch->reply) && api_renewable(api)) {
		watch->renew = watch->renewed = true;
		ask_again(watch, 0);
	} else {
		drop_half(watch);
		if (outcome == HTTP_ANSWERED)
			api_explain_reply(api, &request, &watch->reply, arena, &failure);
		else
			api_explain_outcome(api, outcome, err, &failure);
		failure.answer = NULL; /* it goes with the arena */
		fail(watch, &failure);
	}
	arena_free(arena);
}

static void
ask(void *context)
{
	static const struct http_reply nothing;
	struct door_watch *watch = context;
	const struct http_listener listener = { began, came, ended, watch };
	struct arena *arena = arena_new();
	const struct api_request request = { .method = "GET", .path = door_kfp_path(arena, "/runs/", watch->id, ""), .repeatable = true };
	struct http *http = watch->door->door.http;
	struct http_request asked;
	struct api_failure failure;

	watch->timer = NULL;
	began(watch, &nothing);
	if (api_prepare(kfp_api(watch->door->kfp), &request, watch->renew, arena, &asked, &failure)) {
		fail(watch, &failure);
	} else {
		watch->renew = false;
		watch->stream = http->open(http, &asked, &listener);
	}
	arena_free(arena);
}

/* ---- the door's ---- */

struct door_watch *
door_kfp_watch(struct door *base, const struct door_run *run, struct workflow_model *model, const struct door_watcher *watcher)
{
	struct door_kfp *door = (struct door_kfp *)base;
	struct door_watch *watch = xcalloc(1, sizeof *watch);

	watch->door = door;
	watch->id = xstrdup(run->id);
	watch->model = model;
	watch->watcher = *watcher;
	watch->wait = SOON;
	watch->scan = (struct json_scan){ .told = take, .context = watch };
	vec_push(&door->watches, watch);
	ask_again(watch, 0);
	return watch;
}

void
door_kfp_unwatch(struct door *base, struct door_watch *watch)
{
	struct door_kfp *door = (struct door_kfp *)base;

	if (!watch)
		return;
	for (size_t i = 0; i < door->watches.n; i++)
		if (door->watches.items[i] == watch)
			door->watches.items[i] = door->watches.items[--door->watches.n];
	base->http->close(base->http, watch->stream);
	base->http->cancel(base->http, watch->timer);
	watch->stream = NULL;
	watch->timer = NULL;
	drop_half(watch);
	if (watch->telling)
		watch->dead = true;
	else
		destroy(watch);
}

const struct workflow *
door_kfp_workflow(const struct door_kfp *door, const char *run)
{
	for (size_t i = 0; i < door->watches.n; i++)
		if (!strcmp(door->watches.items[i]->id, run))
			return workflow_model_head(door->watches.items[i]->model);
	return NULL;
}

enum door_kfp_node
door_kfp_node(const struct door_kfp *door, const char *run, const char *node)
{
	for (size_t i = 0; i < door->watches.n; i++) {
		const struct workflow_model *model = door->watches.items[i]->model;
		size_t place;

		if (strcmp(door->watches.items[i]->id, run) != 0)
			continue;
		place = workflow_model_find(model, node);
		if (workflow_model_head(model)->completed || (place != SIZE_MAX && phase_ended(workflow_model_node(model, place)->phase)))
			return DOOR_KFP_ENDED;
		return DOOR_KFP_GOES_ON;
	}
	return DOOR_KFP_UNKNOWN;
}
