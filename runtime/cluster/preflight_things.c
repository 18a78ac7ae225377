/* Are the service account, Secrets and config maps that a workflow names in its namespace, with the keys? */
#include "config.h"

#include <string.h>

#include "runtime/cluster/preflight_private.h"

static const struct {
	const char *word, *resource;
} things[] = {
	[NEED_SECRET] = { "Secret", "secrets" },
	[NEED_CONFIG_MAP] = { "config map", "configmaps" },
	[NEED_CLAIM] = { "volume claim", "persistentvolumeclaims" },
};

/* Ours is a name of Kubernetes, or the dry run has said so; yet nothing but that may become part of a path. */
static bool
is_name(const char *text)
{
	return *text && !text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-.")];
}

/* False: stop asking. */
static bool
check_account(struct flight *flight, const char *account)
{
	const struct api_request request = flight_get(flight, "/api/v1", "", "serviceaccounts", account);
	struct api_failure failure;

	if (flight_call(flight, &request, flight->arena, &failure)) {
		flight->ret->n_checked++;
		return true;
	}
	if (failure.kind == API_NOT_FOUND) {
		flight_add(flight, PREFLIGHT_MISSING, flight_print(flight, "the namespace `%s` has no service account `%s`, as which the run's pods would work",
			flight->namespace_, account), flight_print(flight, "create it: `kubectl create serviceaccount %s -n %s`; or name another in the "
			"pipeline: `settings { service_account \"…\" }`", account, flight->namespace_))->why =
			"without it no pod of the run is created";
		return true;
	}
	flight_add_failure(flight, &failure, flight_print(flight, "whether the service account `%s` is there is not known", account));
	return failure.kind == API_FORBIDDEN;
}

static void
add_missing(struct flight *flight, const struct need *need)
{
	const char *word = things[need->kind].word, *secret = need->kind == NEED_SECRET ? "secret generic" : "configmap";
	const char *key = need->key ? need->key : "KEY";
	struct preflight_finding *f;

	if (need->kind == NEED_CLAIM) {
		f = flight_add(flight, PREFLIGHT_MISSING, flight_print(flight, "the namespace `%s` has no %s `%s`, which a step mounts", flight->namespace_, word,
			need->name), "claim it with `kubectl apply`, or name one that is there: `kubectl get pvc`");
		f->template = need->template;
		f->why = "a pod that mounts it waits for ever (Unschedulable)";
		return;
	}
	flight_add(flight, PREFLIGHT_MISSING, flight_print(flight, "the namespace `%s` has no %s `%s`", flight->namespace_, word, need->name),
		flight_print(flight, "create it: `kubectl create %s %s -n %s --from-file=%s=FILE`", secret, need->name, flight->namespace_, key))
		->template = need->template;
}

static bool
has_key(const struct value *answer, const char *key)
{
	return value_get(value_get(answer, "data"), key) || value_get(value_get(answer, "binaryData"), key);
}

static void
check_keys(struct flight *flight, const struct needs *needs, size_t first, const struct value *answer)
{
	const struct need *named = &needs->things.items[first];

	for (size_t i = first; i < needs->things.n; i++) {
		const struct need *need = &needs->things.items[i];
		struct preflight_finding *f;

		if (need->kind != named->kind || strcmp(need->name, named->name) != 0 || !need->key || has_key(answer, need->key))
			continue;
		f = flight_add(flight, PREFLIGHT_MISSING, flight_print(flight, "the %s `%s` in the namespace `%s` has no key `%s`", things[need->kind].word,
			need->name, flight->namespace_, need->key), flight_print(flight, "add the key to it, or name one that it has"));
		f->template = need->template;
		f->why = "a pod that needs it waits for ever (CreateContainerConfigError)";
	}
}

static struct api_request
thing_request(struct flight *flight, const struct need *need)
{
	struct api_request request = flight_get(flight, "/api/v1", "", things[need->kind].resource, need->name);

	request.secret = need->kind == NEED_SECRET;
	return request;
}

static bool
check_thing(struct flight *flight, const struct needs *needs, size_t at)
{
	const struct need *need = &needs->things.items[at];
	const struct api_request request = thing_request(flight, need);
	struct arena *scratch = arena_new(); /* what a Secret holds goes as soon as its keys are seen */
	struct api_failure failure;
	const struct value *answer = flight_call(flight, &request, scratch, &failure);
	bool go_on = true;

	if (answer) {
		flight->ret->n_checked++;
		check_keys(flight, needs, at, answer);
	} else if (failure.kind == API_NOT_FOUND) {
		add_missing(flight, need);
	} else {
		flight_add_failure(flight, &failure, flight_print(flight, "whether the %s `%s` is there is not known", things[need->kind].word, need->name))
			->template = need->template;
		go_on = failure.kind == API_FORBIDDEN;
	}
	arena_free(scratch);
	return go_on;
}

static bool
seen_before(const struct needs *needs, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (needs->things.items[i].kind == needs->things.items[at].kind && !strcmp(needs->things.items[i].name, needs->things.items[at].name))
			return true;
	return false;
}

void
flight_check_things(struct flight *flight, const struct needs *needs)
{
	if (is_name(needs->account) && !check_account(flight, needs->account))
		return;
	for (size_t i = 0; i < needs->things.n && flight->ret->findings.n < PREFLIGHT_FINDINGS_MAX; i++)
		if (is_name(needs->things.items[i].name) && !seen_before(needs, i) && !check_thing(flight, needs, i))
			return;
}

void
flight_foresee_things(struct flight *flight, const struct needs *needs)
{
	struct api_request request;

	if (is_name(needs->account)) {
		request = flight_get(flight, "/api/v1", "", "serviceaccounts", needs->account);
		flight_foresee(flight, &request);
	}
	for (size_t i = 0; i < needs->things.n && i < PREFLIGHT_FINDINGS_MAX; i++)
		if (is_name(needs->things.items[i].name) && !seen_before(needs, i)) {
			request = thing_request(flight, &needs->things.items[i]);
			flight_foresee(flight, &request);
		}
}
