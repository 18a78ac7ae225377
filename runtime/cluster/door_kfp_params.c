/* A run's arguments against the parameters that the workflow has: the server says little about them, and takes a missing one as an
 * empty text. */
#include "config.h"

#include <stdint.h>
#include <string.h>

#include "runtime/cluster/door_kfp_private.h"
#include "runtime/cluster/edit.h"

enum { NAME_MAX_CHECKED = 64, NEAR_MAX = 4 };

static const char *
name_of(const struct value *parameters, size_t at)
{
	const char *name = value_text(value_get(value_item(parameters, at), "name"));

	return name ? name : "";
}

/* How many letters lie between two names; large for long ones. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_CHECKED + 1], n = strlen(a), m = strlen(b);

	if (n > NAME_MAX_CHECKED || m > NAME_MAX_CHECKED)
		return SIZE_MAX;
	for (size_t j = 0; j <= m; j++)
		row[j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			best = row[j] + 1 < best ? row[j] + 1 : best;
			row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
		}
	}
	return row[m];
}

static int
refuse_unknown(const char *name, const struct value *parameters, struct api_failure *ret)
{
	struct buf help = { 0 };
	size_t n_near = 0, n = value_count(parameters);

	api_refuse(ret, API_REFUSED, "the pipeline has no parameter `%.200s`", name);
	for (size_t i = 0; i < n && n_near < NEAR_MAX; i++)
		if (distance(name, name_of(parameters, i)) <= 1 + strlen(name) / 4)
			buf_printf(&help, "%s`%.200s`", n_near++ ? ", " : "did you mean ", name_of(parameters, i));
	for (size_t i = 0; !n_near && i < n && i < 12; i++)
		buf_printf(&help, "%s`%.100s`", i ? ", " : "it has ", name_of(parameters, i));
	if (n_near)
		buf_putc(&help, '?');
	api_say(ret->help, "%s", help.len ? buf_text(&help) : "it has none");
	buf_release(&help);
	return -1;
}

static const char *
argument(const struct door_submission *submission, const char *name)
{
	for (size_t i = 0; i < submission->n_args; i++)
		if (!strcmp(submission->args[i][0], name))
			return submission->args[i][1];
	return NULL;
}

static int
check_names(const struct door_submission *submission, const struct value *parameters, struct api_failure *ret)
{
	size_t n = value_count(parameters);

	for (size_t i = 0; i < submission->n_args; i++) {
		bool known = false;

		for (size_t j = 0; j < n && !known; j++)
			known = !strcmp(submission->args[i][0], name_of(parameters, j));
		if (!known)
			return refuse_unknown(submission->args[i][0], parameters, ret);
	}
	for (size_t j = 0; j < n; j++) {
		const struct value *value = value_get(value_item(parameters, j), "value");

		if ((value && value->kind != VALUE_NULL) || argument(submission, name_of(parameters, j)))
			continue;
		api_refuse(ret, API_REFUSED, "the parameter `%.200s` of the pipeline has no value", name_of(parameters, j));
		api_say(ret->help, "give it one: Kubeflow Pipelines would take it as an empty text");
		return -1;
	}
	return 0;
}

int
door_kfp_check_args(const struct door_submission *submission, const struct value *parameters, struct arena *arena,
		    const struct value **ret, struct api_failure *ret_failure)
{
	const struct value **items = arena_alloc(arena, (submission->n_args + 1) * sizeof(*items));
	struct buf text = { 0 };
	size_t len;

	if (check_names(submission, parameters, ret_failure))
		return -1;
	for (size_t i = 0; i < submission->n_args; i++)
		items[i] = edit_texts(arena, "name", submission->args[i][0], "value", submission->args[i][1], NULL);
	*ret = value_list(arena, items, submission->n_args);
	value_write_json(&text, *ret);
	len = text.len;
	buf_release(&text);
	if (len <= KFP_PARAMETERS_MAX)
		return 0;
	api_refuse(ret_failure, API_REFUSED, "the parameters are %zu bytes long, and Kubeflow Pipelines takes %d", len, (int)KFP_PARAMETERS_MAX);
	api_say(ret_failure->help, "pass large data as a file (an artifact) or by an address, not as a parameter");
	return -1;
}
