#include "config.h"

#include "kernel/session_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

/* The place that a client means: code with a cursor. Since 5.2 it counts code points, before that UTF-16 units. */
struct place_in_code {
	const char *code;
	size_t len, cursor;
	bool utf16;
};

static bool
counts_utf16(const struct request *request)
{
	const char *version = json_string_value(json_object_get(request->header, "version"));
	char *end;
	long major, minor;

	if (!version)
		return false;
	major = strtol(version, &end, 10);
	minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;
	return major > 0 && (major < 5 || (major == 5 && minor < 2));
}

static size_t
utf16_offset(const char *text, size_t len, size_t units)
{
	size_t at = 0;

	while (at < len && units > 0) {
		uint32_t c;
		size_t n = utf8_decode(text + at, len - at, &c);
		size_t width = c > 0xFFFF ? 2 : 1;

		if (width > units)
			break;
		at += n;
		units -= width;
	}
	return at;
}

static size_t
utf16_count(const char *text, size_t len)
{
	size_t units = 0;

	for (size_t at = 0; at < len;) {
		uint32_t c;

		at += utf8_decode(text + at, len - at, &c);
		units += c > 0xFFFF ? 2 : 1;
	}
	return units;
}

static size_t
to_bytes(const struct place_in_code *place, size_t position)
{
	return place->utf16 ? utf16_offset(place->code, place->len, position)
			    : utf8_offset(place->code, place->len, position);
}

static json_int_t
from_bytes(const struct place_in_code *place, size_t offset)
{
	if (offset > place->len)
		offset = place->len;
	return (json_int_t)(place->utf16 ? utf16_count(place->code, offset) : utf8_count(place->code, offset));
}

/* A position that is missing or past the end means the end; a negative one the start. */
static bool
read_place(const struct request *request, struct place_in_code *ret)
{
	const json_t *code = json_object_get(request->content, "code");
	const json_t *cursor = json_object_get(request->content, "cursor_pos");

	if (!json_is_string(code) || json_string_length(code) > SESSION_CODE_MAX)
		return false;
	*ret = (struct place_in_code){
		.code = json_string_value(code),
		.len = json_string_length(code),
		.utf16 = counts_utf16(request),
	};
	ret->cursor = ret->len;
	if (json_is_integer(cursor))
		ret->cursor = json_integer_value(cursor) < 0 ? 0 : to_bytes(ret, (size_t)json_integer_value(cursor));
	return true;
}

static json_t *
bad_code(void)
{
	return error_content("InvalidRequest", "`code` must be a string of at most 8 MiB");
}

/* JupyterLab reads the types by index, beside `matches`. */
static void
add_match(json_t *matches, json_t *types, json_t *item, json_int_t start, json_int_t end)
{
	json_t *text = json_object_get(item, "text");

	if (!json_is_string(text))
		return;
	json_array_append(matches, text);
	json_object_set_new(item, "start", json_integer(start));
	json_object_set_new(item, "end", json_integer(end));
	if (!json_object_get(item, "type"))
		json_object_set_new(item, "type", json_string("<unknown>"));
	json_array_append(types, item);
}

void
handle_complete(struct session *session, const struct request *request, struct answer *answer)
{
	const struct language *language = session->language;
	struct place_in_code place;
	size_t start, end, i;
	json_t *items, *item, *matches, *types;
	json_int_t from, to;

	if (!read_place(request, &place)) {
		answer->content = bad_code();
		return;
	}
	start = end = place.cursor;
	items = language->ops->complete(language->self, place.code, place.len, place.cursor, &start, &end);
	matches = json_array();
	types = json_array();
	from = from_bytes(&place, start);
	to = from_bytes(&place, end);
	json_array_foreach(items, i, item)
		add_match(matches, types, item, from, to);
	json_decref(items);
	answer->content = json_pack("{s:s, s:o, s:I, s:I, s:{s:o}}", "status", "ok", "matches", matches, "cursor_start", from,
		"cursor_end", to, "metadata", "_jupyter_types_experimental", types);
}

void
handle_inspect(struct session *session, const struct request *request, struct answer *answer)
{
	const struct language *language = session->language;
	json_int_t level = json_integer_value(json_object_get(request->content, "detail_level"));
	struct place_in_code place;
	json_t *data;

	if (!read_place(request, &place)) {
		answer->content = bad_code();
		return;
	}
	data = language->ops->inspect(language->self, place.code, place.len, place.cursor, level > 0);
	answer->content = json_pack("{s:s, s:b, s:o, s:{}}", "status", "ok", "found", data != NULL, "data",
		data ? data : json_object(), "metadata");
}

void
handle_is_complete(struct session *session, const struct request *request, struct answer *answer)
{
	static const char *const names[] = {
		[CODE_COMPLETE] = "complete",
		[CODE_INCOMPLETE] = "incomplete",
		[CODE_INVALID] = "invalid",
		[CODE_UNKNOWN] = "unknown",
	};
	const struct language *language = session->language;
	struct place_in_code place;
	const char *indent = "";
	enum completeness verdict;

	if (!read_place(request, &place)) {
		answer->content = bad_code();
		return;
	}
	verdict = language->ops->is_complete(language->self, place.code, place.len, &indent);
	answer->content = json_pack("{s:s}", "status", names[verdict]);
	if (verdict == CODE_INCOMPLETE)
		json_object_set_new(answer->content, "indent", json_string(indent));
}

static int
int_field(const json_t *content, const char *name, int otherwise)
{
	const json_t *field = json_object_get(content, name);
	json_int_t value = json_is_integer(field) ? json_integer_value(field) : otherwise;

	return value < -1000000000 ? -1000000000 : value > 1000000000 ? 1000000000 : (int)value;
}

static json_t *
history_of(struct history *history, const json_t *content)
{
	const char *type = json_string_value(json_object_get(content, "hist_access_type"));
	const char *pattern = json_string_value(json_object_get(content, "pattern"));
	bool outputs = json_is_true(json_object_get(content, "output"));
	bool unique = json_is_true(json_object_get(content, "unique"));

	if (type && !strcmp(type, "range"))
		return history_range(history, int_field(content, "session", 0), int_field(content, "start", 1),
			int_field(content, "stop", 0), outputs);
	if (type && !strcmp(type, "tail"))
		return history_tail(history, int_field(content, "n", 10), outputs);
	if (type && !strcmp(type, "search"))
		return history_search(history, pattern ? pattern : "*", int_field(content, "n", 0), unique, outputs);
	return NULL;
}

void
handle_history(struct session *session, const struct request *request, struct answer *answer)
{
	json_t *entries = history_of(session->history, request->content);

	if (entries)
		answer->content = json_pack("{s:s, s:o}", "status", "ok", "history", entries);
	else
		answer->content = error_content("InvalidRequest", "hist_access_type must be range, tail or search");
}
