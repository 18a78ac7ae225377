#include "config.h"

#include "kernel/message.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uuid/uuid.h>

#include "base/macros.h"
#include "base/value.h"

struct parent *
parent_new(const char *json, size_t len)
{
	struct parent *parent = xmalloc(sizeof *parent + len + 1);

	atomic_init(&parent->refs, 1);
	parent->len = len;
	memcpy(parent->json, json, len);
	parent->json[len] = '\0';
	return parent;
}

struct parent *
parent_ref(struct parent *parent)
{
	if (parent)
		atomic_fetch_add_explicit(&parent->refs, 1, memory_order_relaxed);
	return parent;
}

void
parent_unref(struct parent *parent)
{
	if (parent && atomic_fetch_sub_explicit(&parent->refs, 1, memory_order_acq_rel) == 1)
		free(parent);
}

/* Looks at brackets outside strings only; whether the text is JSON is the parser's to say. */
static bool
too_deep(struct slice text)
{
	bool in_string = false;
	size_t depth = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > MESSAGE_DEPTH_MAX)
				return true;
		} else if ((c == '}' || c == ']') && depth) {
			depth--;
		}
	}
	return false;
}

json_t *
message_parse(const char *what, struct slice text, struct error *err)
{
	json_error_t why;
	json_t *json;

	if (too_deep(text)) {
		error_set(err, "%s is nested more than %d levels deep", what, MESSAGE_DEPTH_MAX);
		return NULL;
	}
	json = json_loadb(text.data ? text.data : "", text.len, JSON_REJECT_DUPLICATES, &why);
	if (!json) {
		error_set(err, "%s is not JSON: %s", what, why.text);
		return NULL;
	}
	if (json_is_object(json))
		return json;
	json_decref(json);
	error_set(err, "%s is not an object", what);
	return NULL;
}

/* One block: the slices, then their bytes. */
static void
copy_idents(struct request *request, const struct envelope *envelope)
{
	size_t total = 0;
	char *at;

	for (size_t i = 0; i < envelope->n_idents; i++)
		total += envelope->idents[i].len;
	request->n_idents = envelope->n_idents;
	request->idents = xmalloc(envelope->n_idents * sizeof *request->idents + total + 1);
	at = (char *)(request->idents + envelope->n_idents);
	for (size_t i = 0; i < envelope->n_idents; i++) {
		request->idents[i] = (struct slice){ at, envelope->idents[i].len };
		if (envelope->idents[i].len)
			memcpy(at, envelope->idents[i].data, envelope->idents[i].len);
		at += envelope->idents[i].len;
	}
}

static int
check_header(const json_t *header, const char *session_id, struct error *err)
{
	static const char *const fields[] = { "msg_id", "msg_type" };
	const char *session = json_string_value(json_object_get(header, "session"));

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		const json_t *field = json_object_get(header, fields[i]);

		if (!json_is_string(field) || !json_string_length(field) || json_string_length(field) > MESSAGE_ID_MAX)
			return error_set(err, "a header has no good `%s`", fields[i]);
	}
	/* Anybody may read what we sign on iopub; sent back to us, it would carry a good signature. */
	if (session && !strcmp(session, session_id))
		return error_set(err, "a message of our own came back");
	return 0;
}

struct request *
request_decode(enum channel channel, const struct envelope *envelope, const char *session_id, struct error *err)
{
	json_t *header = message_parse("a header", envelope->header, err);
	struct request *request;
	struct error why;

	if (!header)
		return NULL;
	if (check_header(header, session_id, err) < 0) {
		json_decref(header);
		return NULL;
	}
	request = xcalloc(1, sizeof *request);
	request->channel = channel;
	request->header = header;
	request->msg_type = json_string_value(json_object_get(header, "msg_type"));
	request->parent = parent_new(envelope->header.data, envelope->header.len);
	copy_idents(request, envelope);
	request->metadata = message_parse("metadata", envelope->metadata, &why);
	if (request->metadata)
		request->content = message_parse("content", envelope->content, &why);
	else
		request->metadata = json_object();
	if (!request->content)
		request->problem = xstrdup(why.text);
	return request;
}

void
request_free(struct request *request)
{
	if (!request)
		return;
	parent_unref(request->parent);
	json_decref(request->header);
	json_decref(request->metadata);
	json_decref(request->content);
	free(request->idents);
	free(request->problem);
	free(request);
}

void
writer_init(struct writer *writer)
{
	const char *user = getenv("USER");
	CLEANUP(buf_release) struct buf quoted = { .max = sizeof writer->username };
	uuid_t uuid;

	uuid_generate_random(uuid);
	uuid_unparse_lower(uuid, writer->session_id);
	value_write_json_string(&quoted, user ? user : "username", strlen(user ? user : "username"));
	if (quoted.overflow || quoted.len < 2)
		snprintf(writer->username, sizeof writer->username, "username");
	else
		snprintf(writer->username, sizeof writer->username, "%.*s", (int)quoted.len - 2, quoted.data + 1);
	atomic_init(&writer->count, 0);
}

void
timestamp_format(const struct timespec *when, char ret[TIMESTAMP_SIZE])
{
	struct tm tm;
	size_t n;

	gmtime_r(&when->tv_sec, &tm);
	n = strftime(ret, TIMESTAMP_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(ret + n, TIMESTAMP_SIZE - n, ".%06uZ", (unsigned)(when->tv_nsec / 1000) % 1000000u);
}

void
writer_header(struct writer *writer, const char *msg_type, const struct timespec *when, struct buf *ret)
{
	uint_least64_t id = atomic_fetch_add_explicit(&writer->count, 1, memory_order_relaxed);
	char date[TIMESTAMP_SIZE];

	timestamp_format(when, date);
	buf_printf(ret,
		"{\"msg_id\":\"%s_%" PRIuLEAST64 "\",\"session\":\"%s\",\"username\":\"%s\",\"date\":\"%s\",\"msg_type\":\"%s\","
		"\"version\":\"" PROTOCOL_VERSION "\"}",
		writer->session_id, id, writer->session_id, writer->username, date, msg_type);
}

static int
dump_piece(const char *bytes, size_t len, void *data)
{
	struct buf *buf = data;

	buf_add(buf, bytes, len);
	return buf->overflow ? -1 : 0;
}

void
message_dump(const json_t *json, struct buf *ret)
{
	if (json_dump_callback(json, dump_piece, ret, JSON_COMPACT | JSON_ENCODE_ANY) < 0 && !ret->overflow)
		BUG("JSON that cannot be written");
}
