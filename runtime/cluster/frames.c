#include "config.h"

#include "runtime/cluster/frames.h"

#include <string.h>

void
frames_init(struct frames *frames, const struct frames_sink *sink)
{
	*frames = (struct frames){ .sink = *sink };
}

void
frames_stop(struct frames *frames)
{
	frames->stopped = true;
}

bool
frames_is_whole(const struct frames *frames)
{
	return !frames->depth;
}

/* ---- strings ---- */

static void
keep_in(struct frames *f, char *place, size_t max)
{
	f->kept = place;
	f->kept_max = max;
	f->kept_len = 0;
}

/* Where the text belongs that is the value of the key at this level. */
static char *
place_of_value(struct frames *f, enum frames_role role)
{
	if (role == FRAMES_FRAME && !strcmp(f->key, "type"))
		return f->frame.type;
	if (role == FRAMES_LIST_METADATA && !strcmp(f->key, "resourceVersion"))
		return f->list_version;
	if (role != FRAMES_METADATA)
		return NULL;
	return !strcmp(f->key, "uid") ? f->frame.uid : !strcmp(f->key, "name") ? f->frame.name :
	       !strcmp(f->key, "resourceVersion") ? f->frame.version : NULL;
}

static void
begin_string(struct frames *f)
{
	enum frames_role role = f->depth < FRAMES_TRACKED && !f->skip ? f->roles[f->depth] : FRAMES_SKIP;

	f->in_string = true;
	f->kept = NULL;
	if (role == FRAMES_SKIP || role == FRAMES_ITEMS)
		return;
	if (!f->after_colon)
		keep_in(f, f->key, sizeof f->key);
	else if (place_of_value(f, role))
		keep_in(f, place_of_value(f, role), FRAMES_TEXT_MAX);
}

static void
end_string(struct frames *f)
{
	f->in_string = false;
	if (f->kept)
		f->kept[f->kept_len < f->kept_max ? f->kept_len : 0] = '\0';
}

/* Behind the string, or at the end of the piece. Escapes are kept as they are written: nothing that matters has any. */
static const char *
read_string(struct frames *f, const char *at, const char *end)
{
	for (; at < end; at++) {
		if (!f->escaped && *at == '"') {
			end_string(f);
			return at + 1;
		}
		f->escaped = !f->escaped && *at == '\\';
		if (f->kept && f->kept_len < f->kept_max)
			f->kept[f->kept_len++] = *at;
	}
	return at;
}

/* ---- levels ---- */

static enum frames_role
role_of(const struct frames *f, enum frames_role parent, bool dict)
{
	if (parent == FRAMES_ITEMS)
		return dict ? FRAMES_OBJECT : FRAMES_SKIP;
	if (parent == FRAMES_OBJECT)
		return dict && !strcmp(f->key, "metadata") ? FRAMES_METADATA : FRAMES_SKIP;
	if (parent != FRAMES_FRAME)
		return FRAMES_SKIP;
	if (!dict)
		return !strcmp(f->key, "items") ? FRAMES_ITEMS : FRAMES_SKIP;
	if (!strcmp(f->key, "object") || !strcmp(f->key, "error"))
		return FRAMES_OBJECT;
	if (!strcmp(f->key, "result") && f->depth == 1)
		return FRAMES_FRAME;
	return !strcmp(f->key, "metadata") ? FRAMES_LIST_METADATA : FRAMES_SKIP;
}

static void
begin_object(struct frames *f, enum frames_role parent)
{
	f->object = f->depth;
	f->frame.name[0] = f->frame.uid[0] = f->frame.version[0] = '\0';
	if (parent == FRAMES_ITEMS)
		f->frame.type[0] = '\0';
	else if (!strcmp(f->key, "error"))
		memcpy(f->frame.type, "ERROR", sizeof "ERROR");
	f->sink.begin(f->sink.context, &f->frame);
}

static int
open_level(struct frames *f, bool dict, struct error *err)
{
	enum frames_role parent = f->depth ? f->roles[f->depth] : FRAMES_SKIP, role;

	role = f->depth ? role_of(f, parent, dict) : FRAMES_FRAME;
	if (!f->depth && !dict)
		return error_set(err, "a frame is no JSON object");
	if (!f->depth) {
		f->frame = (struct frame){ .type = "" };
		f->list_version[0] = '\0';
		f->has_object = false;
	}
	/* A second object in one frame is none that we know. */
	if (role == FRAMES_OBJECT && (f->object || f->has_object))
		role = FRAMES_SKIP;
	if (++f->depth >= FRAMES_TRACKED)
		role = FRAMES_SKIP;
	if (f->depth < FRAMES_TRACKED)
		f->roles[f->depth] = role;
	if (role == FRAMES_SKIP)
		f->skip = f->depth;
	if (role == FRAMES_OBJECT)
		begin_object(f, parent);
	f->after_colon = false;
	f->key[0] = '\0';
	return 0;
}

static void
end_frame(struct frames *f)
{
	if (f->has_object)
		f->sink.end(f->sink.context, &f->frame);
	else if (*f->list_version)
		f->sink.listed(f->sink.context, f->list_version);
	f->has_object = false;
	f->list_version[0] = '\0';
}

/* Hands on what stands from *run to `end`, which both lie in the piece. */
static void
hand_on(struct frames *f, const char **run, const char *end)
{
	if (f->object && *run && end > *run && !f->stopped)
		f->sink.feed(f->sink.context, *run, (size_t)(end - *run));
	*run = NULL;
}

/* At the character that closes a level which matters. */
static void
close_level(struct frames *f, const char *at, const char **run)
{
	enum frames_role role = f->roles[f->depth], parent = f->roles[f->depth - 1];

	f->depth--;
	f->after_colon = false;
	f->key[0] = '\0';
	if (role == FRAMES_OBJECT && f->object == f->depth + 1) {
		hand_on(f, run, at + 1);
		f->object = 0;
		f->has_object = parent != FRAMES_ITEMS;
		if (!f->stopped && parent == FRAMES_ITEMS)
			f->sink.end(f->sink.context, &f->frame);
	} else if (role == FRAMES_FRAME && !f->stopped) {
		end_frame(f);
	}
}

/* ---- characters ---- */

/* Through what does not matter; back where it does, or at a string or the end of the piece. */
static const char *
skip_on(struct frames *f, const char *at, const char *end)
{
	for (; at < end; at++) {
		if (*at == '"') {
			begin_string(f);
			return at + 1;
		}
		if (*at == '{' || *at == '[') {
			if (++f->depth > FRAMES_DEPTH_MAX)
				return at;
		} else if ((*at == '}' || *at == ']') && f->depth-- == f->skip) {
			f->skip = 0;
			f->after_colon = false;
			f->key[0] = '\0';
			return at + 1;
		}
	}
	return at;
}

static int
read_mark(struct frames *f, const char *at, const char **run, struct error *err)
{
	switch (*at) {
	case '"':
		if (!f->depth)
			break;
		begin_string(f);
		return 0;
	case '{':
	case '[': {
		bool within = f->object != 0;
		int rc = open_level(f, *at == '{', err);

		if (!within && f->object)
			*run = at;
		return rc;
	}
	case '}':
	case ']':
		if (!f->depth || (*at == ']') != (f->roles[f->depth] == FRAMES_ITEMS))
			break;
		close_level(f, at, run);
		return 0;
	case ':':
		f->after_colon = true;
		return 0;
	case ',':
		f->after_colon = false;
		return 0;
	default:
		if (f->depth || *at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')
			return 0;
	}
	return error_set(err, "what came is no JSON");
}

int
frames_feed(struct frames *f, const char *bytes, size_t n, struct error *err)
{
	const char *at = bytes, *end = bytes + n, *run = f->object ? bytes : NULL;
	int rc = 0;

	while (at < end && !rc && !f->stopped) {
		if (f->in_string)
			at = read_string(f, at, end);
		else if (f->skip)
			at = skip_on(f, at, end);
		else
			rc = read_mark(f, at++, &run, err);
		if (f->depth > FRAMES_DEPTH_MAX)
			rc = error_set(err, "what came is nested more than %d levels deep", FRAMES_DEPTH_MAX);
	}
	hand_on(f, &run, rc ? at - 1 : end);
	return rc;
}
