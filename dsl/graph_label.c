#include "config.h"

#include "dsl/graph_label.h"

#include <inttypes.h>
#include <string.h>

enum { HEAD_MAX = 400, BADGES_MAX = 5 };

/* The end of a head: its block's brace, outside quotes and brackets. */
static size_t
head_length(const char *text, size_t len)
{
	size_t depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\\' && quoted)
			i++;
		else if (text[i] == '"')
			quoted = !quoted;
		else if (quoted)
			continue;
		else if (text[i] == '(' || text[i] == '[')
			depth++;
		else if ((text[i] == ')' || text[i] == ']') && depth)
			depth--;
		else if (!depth && text[i] == '{')
			return i;
	}
	return len;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The text with each run of blanks as one and none at the ends. */
static char *
squeeze(struct arena *arena, const char *text, size_t len)
{
	char *out = arena_alloc(arena, len + 1), *at = out;

	for (size_t i = 0; i < len; i++) {
		if (!is_blank(text[i]))
			*at++ = text[i];
		else if (at > out && at[-1] != ' ')
			*at++ = ' ';
	}
	if (at > out && at[-1] == ' ')
		at--;
	*at = '\0';
	return out;
}

static const char *
source_head(struct arena *arena, struct span span)
{
	size_t len;

	if (!span.source || span.start >= span.end || span.end > span.source->len)
		return "";
	len = head_length(span.source->text + span.start, span.end - span.start);
	return squeeze(arena, span.source->text + span.start, len > HEAD_MAX ? HEAD_MAX : len);
}

static bool
begins_with(const char *text, const char *word)
{
	size_t len = strlen(word);

	return !strncmp(text, word, len) && (!text[len] || text[len] == ' ');
}

/* The head with its words in front, whether its span holds them or not. */
static const char *
if_label(struct arena *arena, const struct plan_group *group, const char *head)
{
	if (group->is_else)
		return "else";
	if (begins_with(head, "else"))
		return head;
	if (!begins_with(head, "if"))
		head = arena_printf(arena, *head ? "if %s" : "if", head);
	return group->arm ? arena_printf(arena, "else %s", head) : head;
}

const char *
graph_group_label(struct arena *arena, const struct plan_group *group)
{
	const char *head = source_head(arena, group->span);

	if (group->label)
		return group->label;
	switch (group->kind) {
	case GROUP_IF:
		return if_label(arena, group, head);
	case GROUP_FOR:
		if (begins_with(head, "for"))
			return head;
		return group->variable ? arena_printf(arena, "for %s", group->variable) : "for";
	case GROUP_WHILE:
		return begins_with(head, "while") ? head : "while";
	case GROUP_EXIT:
		return "on exit";
	case GROUP_NESTED:
		return *head ? head : "pipeline";
	case GROUP_ROOT:
		break;
	}
	return "pipeline";
}

/* "gcr.io/google-samples/ml-pipeline-t2ttrain:v3ap@sha256:…" to "ml-pipeline-t2ttrain:v3ap". */
static const char *
image_name(struct arena *arena, const char *image)
{
	const char *digest = strchr(image, '@'), *slash = NULL;
	size_t len = digest ? (size_t)(digest - image) : strlen(image);

	for (size_t i = 0; i < len; i++)
		if (image[i] == '/')
			slash = image + i;
	if (slash)
		len -= (size_t)(slash + 1 - image);
	return arena_strndup(arena, slash ? slash + 1 : image, len);
}

const char *
graph_step_sublabel(struct arena *arena, const struct plan_step *step)
{
	const struct component *c = step->component;
	const char *image = c->image ? c->image : step->settings->image;

	if (step->settings->display)
		return step->settings->display;
	if (c->display)
		return c->display;
	if (image)
		return image_name(arena, image);
	if (c->name && strcmp(c->name, step->name) != 0)
		return c->name;
	if (c->script_language)
		return arena_printf(arena, "%s script", c->script_language);
	return NULL;
}

static const char *
gpu_badge(struct arena *arena, const struct expr *gpu)
{
	if (gpu->kind == EXPR_VALUE && gpu->value && gpu->value->kind == VALUE_INTEGER)
		return arena_printf(arena, "gpu %" PRId64, gpu->value->integer);
	return "gpu";
}

static const char *
timeout_badge(struct arena *arena, int64_t seconds)
{
	if (seconds % 3600 == 0)
		return arena_printf(arena, "timeout %" PRId64 "h", seconds / 3600);
	if (seconds % 60 == 0)
		return arena_printf(arena, "timeout %" PRId64 "m", seconds / 60);
	return arena_printf(arena, "timeout %" PRId64 "s", seconds);
}

size_t
graph_step_badges(struct arena *arena, const struct plan_step *step, const char *const **ret_badges)
{
	const struct settings *s = step->settings;
	const char **badges = arena_alloc(arena, BADGES_MAX * sizeof *badges);
	size_t n = 0;

	if (s->gpu)
		badges[n++] = gpu_badge(arena, s->gpu);
	if (s->preemptible != PREEMPTIBLE_NO)
		badges[n++] = "preemptible";
	if (s->retry.set)
		badges[n++] = arena_printf(arena, "retry %" PRId64, s->retry.limit);
	if (s->timeout > 0)
		badges[n++] = timeout_badge(arena, s->timeout);
	*ret_badges = badges;
	return n;
}
