/* Recurring runs. */
#include "config.h"

#include <string.h>

#include "runtime/cluster/door_kfp_private.h"
#include "runtime/cluster/edit.h"

enum { CRON_FIELDS = 5, CONCURRENCY_MAX = 10 };

/* Kubeflow's have a sixth field before the five, the second. */
static const char *
cron_of(const char *text, struct arena *arena)
{
	struct buf cron = { 0 };
	const char *ret;
	size_t n = 0;

	for (const char *at = text + strspn(text, " \t"); *at; n++) {
		size_t len = strcspn(at, " \t");

		buf_printf(&cron, " %.*s", (int)len, at);
		at += len;
		at += strspn(at, " \t");
	}
	ret = n == CRON_FIELDS ? arena_printf(arena, "0%s", buf_text(&cron)) : NULL;
	buf_release(&cron);
	return ret;
}

static int
check(const struct door_schedule *schedule, const char *cron, struct api_failure *ret)
{
	const char *zone = schedule->timezone;

	if (!cron) {
		api_refuse(ret, API_REFUSED, "`%.100s` is no time of five fields (minute, hour, day, month, day of the week)", schedule->cron);
		api_say(ret->help, "`0 6 * * 1` is every Monday at six");
		return -1;
	}
	if (schedule->concurrency < 1 || schedule->concurrency > CONCURRENCY_MAX) {
		api_refuse(ret, API_REFUSED, "Kubeflow Pipelines takes 1 to %d runs of a recurring run at once", (int)CONCURRENCY_MAX);
		return -1;
	}
	if (zone && strcmp(zone, "UTC") != 0 && strcmp(zone, "Etc/UTC") != 0) {
		api_refuse(ret, API_REFUSED, "recurring runs of Kubeflow Pipelines have no time zone of their own, so not `%.100s`", zone);
		api_say(ret->help, "say the time in UTC; or schedule it as a CronWorkflow, by the Kubernetes API (`context`), which has one");
		return -1;
	}
	return 0;
}

/* The id of the job of that token; NULL: there is none, or it is not known. */
static const char *
find(struct door_kfp *door, const char *token, struct arena *arena, struct api_failure *ret_failure)
{
	const char *path = arena_printf(arena, KFP_V1 "/jobs?page_size=1&%s%s",
		kfp_filter(arena, "description", arena_printf(arena, DOOR_KFP_TOKEN "%s", token)), door_kfp_owner_query(door, arena));
	const struct value *answer = kfp_get(door->kfp, path, KFP_LIST_BYTES_MAX, arena, ret_failure), *jobs = value_get(answer, "jobs");

	return value_count(jobs) ? value_text(value_get(value_item(jobs, 0), "id")) : NULL;
}

static const struct value *
more_of(const struct door_schedule *schedule, const char *cron, struct arena *arena)
{
	const char *most = arena_printf(arena, "%lld", (long long)schedule->concurrency);

	return edit_dict(arena, "enabled", value_boolean(true), "max_concurrency", value_string(arena, most), "no_catchup",
			 value_boolean(!schedule->catch_up), "trigger", edit_dict(arena, "cron_schedule", edit_texts(arena, "cron", cron, NULL), NULL),
			 NULL);
}

int
door_kfp_schedule(struct door *base, const struct door_submission *submission, const struct door_schedule *schedule,
		  struct arena *arena, const char **ret_id, struct api_failure *ret_failure)
{
	struct door_kfp *door = (struct door_kfp *)base;
	const char *cron = cron_of(schedule->cron, arena);
	const struct value *body, *answer;

	if (check(schedule, cron, ret_failure))
		return -1;
	body = door_kfp_body(door, submission, schedule->name, more_of(schedule, cron, arena), arena, ret_failure);
	if (!body)
		return -1;
	*ret_failure = (struct api_failure){ .kind = API_WRONG_SERVER };
	*ret_id = submission->token ? find(door, submission->token, arena, ret_failure) : NULL;
	if (*ret_id)
		return 0;
	if (*ret_failure->what)
		return -1;
	answer = kfp_post(door->kfp, KFP_V1 "/jobs", body, arena, ret_failure);
	*ret_id = value_text(value_get(answer, "id"));
	if (!answer && ret_failure->unsure && submission->token) {
		struct api_failure ignored;

		*ret_id = find(door, submission->token, arena, &ignored);
	}
	if (answer && !*ret_id)
		api_refuse(ret_failure, API_WRONG_SERVER, "`%s` took the recurring run without saying its id", kfp_api(door->kfp)->server);
	return *ret_id ? 0 : -1;
}
