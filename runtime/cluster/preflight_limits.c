/* What the namespace lets in: quotas over all of it (ResourceQuota), and limits for one container (LimitRange). */
#include "config.h"

#include <string.h>

#include "runtime/cluster/edit.h"
#include "runtime/cluster/preflight_private.h"
#include "runtime/cluster/quantity.h"

/* What a quota or limit counts, and what of a container it counts. */
struct counted {
	const char *word; /* "CPUs" */
	int64_t asked;
	bool said, bytes; /* said: the container says it, which a quota demands */
};

static bool
count_for(const char *key, const struct need_resources *r, struct counted *ret)
{
	*ret = (struct counted){ .said = true };
	if (!strcmp(key, "requests.cpu") || !strcmp(key, "cpu"))
		*ret = (struct counted){ "CPUs", r->cpu, r->requests_cpu || r->limits_cpu, false };
	else if (!strcmp(key, "requests.memory") || !strcmp(key, "memory"))
		*ret = (struct counted){ "of memory", r->memory, r->requests_memory || r->limits_memory, true };
	else if (!strcmp(key, "limits.cpu"))
		*ret = (struct counted){ "CPUs (as a limit)", r->cpu_max, r->limits_cpu, false };
	else if (!strcmp(key, "limits.memory"))
		*ret = (struct counted){ "of memory (as a limit)", r->memory_max, r->limits_memory, true };
	else if (!strcmp(key, "requests.nvidia.com/gpu"))
		*ret = (struct counted){ "GPUs", r->gpus, true, false };
	else if (!strcmp(key, "pods") || !strcmp(key, "count/pods"))
		*ret = (struct counted){ "pods", 1000, true, false };
	else
		return false;
	return true;
}

static const char *
name_of(struct flight *flight, const struct value *object)
{
	const char *name = edit_text_in(object, "metadata", "name");

	return name ? api_plain(flight->arena, name, 100) : "";
}

/* ---- limit ranges ---- */

/* The default that the namespace gives a container which does not say it. */
static bool
has_default(const struct value *ranges, const char *key)
{
	const char *bare = strrchr(key, '.') ? strrchr(key, '.') + 1 : key;
	bool limit = !strncmp(key, "limits.", 7);

	for (size_t i = 0; i < value_count(ranges); i++) {
		const struct value *limits = value_get(value_get(value_item(ranges, i), "spec"), "limits");

		for (size_t l = 0; l < value_count(limits); l++)
			if (value_get(value_get(value_item(limits, l), "default"), bare) ||
			    (!limit && value_get(value_get(value_item(limits, l), "defaultRequest"), bare)))
				return true;
	}
	return false;
}

static void
judge_range(struct flight *flight, const struct value *range, const struct value *limit, const struct need_resources *r)
{
	static const char *const keys[] = { "cpu", "memory" };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		bool bytes = i == 1;
		int64_t max, min, most = bytes ? r->memory_max : r->cpu_max, asked = bytes ? r->memory : r->cpu;
		bool over = quantity_of(value_get(value_get(limit, "max"), keys[i]), &max) && (most > max || asked > max);
		bool under = quantity_of(value_get(value_get(limit, "min"), keys[i]), &min) && asked && asked < min;
		struct preflight_finding *f;

		if (!over && !under)
			continue;
		f = flight_add(flight, PREFLIGHT_NOT_ALLOWED, flight_print(flight, "the namespace `%s` allows a container %s %s of %s, and a step asks for %s",
			flight->namespace_, over ? "at most" : "no less than", quantity_text(flight->arena, over ? max : min, bytes), bytes ? "memory" : "a CPU",
			quantity_text(flight->arena, over ? (most > max ? most : asked) : asked, bytes)),
			"ask for what it allows, or have whoever runs the cluster change it: `kubectl describe limitrange`");
		f->template = r->template;
		f->why = flight_print(flight, "the limit range `%s` says so; the step's pod would not be created", name_of(flight, range));
	}
}

static void
judge_ranges(struct flight *flight, const struct value *ranges, const struct needs *needs)
{
	for (size_t i = 0; i < value_count(ranges); i++) {
		const struct value *limits = value_get(value_get(value_item(ranges, i), "spec"), "limits");

		for (size_t l = 0; l < value_count(limits); l++) {
			const char *type = value_text(value_get(value_item(limits, l), "type"));

			for (size_t r = 0; type && !strcmp(type, "Container") && r < needs->resources.n; r++)
				judge_range(flight, value_item(ranges, i), value_item(limits, l), &needs->resources.items[r]);
		}
	}
}

/* ---- quotas ---- */

static const char HOW_QUOTA[] = "ask for less, or have whoever runs the cluster change it: `kubectl describe resourcequota`";

/* The template that asks for most of it; and the first that does not say how much. */
static void
judge_key(struct flight *flight, const struct value *quota, const struct value *ranges, const char *key, const struct needs *needs)
{
	const struct value *status = value_get(quota, "status"), *hard = value_get(value_get(status, "hard"), key);
	const struct need_resources *most = NULL, *silent = NULL;
	struct counted c, greatest = { 0 };
	int64_t max, used = 0;
	struct preflight_finding *f;

	if (!hard)
		hard = value_get(value_get(value_get(quota, "spec"), "hard"), key);
	quantity_of(value_get(value_get(status, "used"), key), &used);
	if (!quantity_of(hard, &max))
		return;
	for (size_t i = 0; i < needs->resources.n; i++) {
		const struct need_resources *r = &needs->resources.items[i];

		if (!count_for(key, r, &c))
			return;
		if (!c.said && !silent)
			silent = r;
		if (!most || c.asked > greatest.asked) {
			most = r;
			greatest = c;
		}
	}
	if (silent && !has_default(ranges, key)) {
		f = flight_add(flight, PREFLIGHT_NOT_ALLOWED, flight_print(flight, "the namespace `%s` wants every container to say its `%s`, and a step does not",
			flight->namespace_, key), "say it, by the step's settings `cpu` and `memory`");
		f->template = silent->template;
		f->why = flight_print(flight, "the quota `%s` counts it; a pod that does not say it is not created", name_of(flight, quota));
	}
	if (!most || greatest.asked <= max - (used < max ? used : max))
		return;
	f = flight_add(flight, greatest.asked > max ? PREFLIGHT_NOT_ALLOWED : PREFLIGHT_FULL, greatest.asked > max ?
		flight_print(flight, "the namespace `%s` allows %s %s in all, and one step asks for %s", flight->namespace_,
			quantity_text(flight->arena, max, greatest.bytes), greatest.word, quantity_text(flight->arena, greatest.asked, greatest.bytes)) :
		flight_print(flight, "of the %s %s that the namespace `%s` allows, %s are used now", quantity_text(flight->arena, max, greatest.bytes),
			greatest.word, flight->namespace_, quantity_text(flight->arena, used, greatest.bytes)), HOW_QUOTA);
	f->template = most->template;
	f->why = flight_print(flight, greatest.asked > max ? "the quota `%s` says so; the step's pod would never be created" :
		"the quota `%s` says so; a step's pod is created only once others are gone", name_of(flight, quota));
}

/* One that counts only some pods (by priority or class) says nothing about ours. */
static bool
is_for_all(const struct value *quota)
{
	const struct value *spec = value_get(quota, "spec");

	return !value_count(value_get(spec, "scopes")) && !value_get(spec, "scopeSelector");
}

static void
judge_quotas(struct flight *flight, const struct value *quotas, const struct value *ranges, const struct needs *needs)
{
	for (size_t i = 0; i < value_count(quotas); i++) {
		const struct value *hard = value_get(value_get(value_item(quotas, i), "spec"), "hard");

		for (size_t k = 0; hard && hard->kind == VALUE_DICT && k < hard->dict.n && is_for_all(value_item(quotas, i)); k++)
			judge_key(flight, value_item(quotas, i), ranges, hard->dict.keys[k], needs);
	}
}

/* ---- */

static const struct value *
items_of(struct flight *flight, const char *plural, const char *unknown)
{
	const struct api_request request = flight_get(flight, "/api/v1", "", plural, NULL);
	struct api_failure failure;
	const struct value *answer = flight_call(flight, &request, flight->arena, &failure);

	if (answer)
		flight->ret->n_checked++;
	else if (failure.kind != API_NOT_FOUND)
		flight_add_failure(flight, &failure, unknown);
	return value_get(answer, "items");
}

void
flight_foresee_limits(struct flight *flight)
{
	const struct api_request quotas = flight_get(flight, "/api/v1", "", "resourcequotas", NULL);
	const struct api_request ranges = flight_get(flight, "/api/v1", "", "limitranges", NULL);

	flight_foresee(flight, &quotas);
	flight_foresee(flight, &ranges);
}

void
flight_check_limits(struct flight *flight, const struct needs *needs)
{
	const struct value *ranges = items_of(flight, "limitranges", "whether the namespace limits what a container may ask for is not known");
	const struct value *quotas = items_of(flight, "resourcequotas", "whether a quota of the namespace stands against it is not known");

	judge_ranges(flight, ranges, needs);
	judge_quotas(flight, quotas, ranges, needs);
}
