#include "config.h"

#include "runtime/cluster/workflow_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/rfc3339.h"

/* Where in the object: what holds others, then texts and the like. */
enum place {
	AT_NOWHERE, AT_TOP, AT_METADATA, AT_LABELS, AT_SPEC, AT_STATUS, AT_NODES, AT_RESULTS,
	AT_LEAF, AT_KIND = AT_LEAF, AT_NAME, AT_UID, AT_NAMESPACE, AT_VERSION, AT_COMPLETED, AT_SUSPEND, AT_SHUTDOWN, AT_PHASE,
	AT_MESSAGE, AT_STARTED, AT_ENDED, AT_COMPRESSED, AT_OFFLOADED, AT_RESULT,
};

static const struct {
	enum place in;
	const char *key;
	enum place place;
} fields[] = {
	{ AT_TOP, "kind", AT_KIND },
	{ AT_TOP, "metadata", AT_METADATA },
	{ AT_METADATA, "name", AT_NAME },
	{ AT_METADATA, "uid", AT_UID },
	{ AT_METADATA, "namespace", AT_NAMESPACE },
	{ AT_METADATA, "resourceVersion", AT_VERSION },
	{ AT_METADATA, "labels", AT_LABELS },
	{ AT_LABELS, "workflows.argoproj.io/completed", AT_COMPLETED },
	{ AT_TOP, "spec", AT_SPEC },
	{ AT_SPEC, "suspend", AT_SUSPEND },
	{ AT_SPEC, "shutdown", AT_SHUTDOWN },
	{ AT_TOP, "status", AT_STATUS },
	{ AT_STATUS, "phase", AT_PHASE },
	{ AT_STATUS, "message", AT_MESSAGE },
	{ AT_STATUS, "startedAt", AT_STARTED },
	{ AT_STATUS, "finishedAt", AT_ENDED },
	{ AT_STATUS, "nodes", AT_NODES },
	{ AT_STATUS, "compressedNodes", AT_COMPRESSED },
	{ AT_STATUS, "offloadNodeStatusVersion", AT_OFFLOADED },
	{ AT_STATUS, "taskResultsCompletionStatus", AT_RESULTS },
};

static enum place
field(enum place in, const char *key, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (fields[i].in == in && strlen(fields[i].key) == len && memcmp(fields[i].key, key, len) == 0)
			return fields[i].place;
	return in == AT_RESULTS ? AT_RESULT : AT_NOWHERE;
}

static void
drop_staged(struct workflow_reader *reader)
{
	for (size_t i = 0; i < reader->staged.n; i++)
		free(reader->staged.items[i].node);
	reader->staged.n = 0;
}

/* ---- nodes ---- */

static int
end_node(struct workflow_reader *reader, struct error *err)
{
	struct workflow_staged staged = { .print = workflow_print_of(buf_text(&reader->bytes), reader->bytes.len) };

	if (++reader->n_nodes > WORKFLOW_NODES_MAX)
		return error_set(err, "the workflow has more than %d nodes", WORKFLOW_NODES_MAX);
	if (reader->known(reader->context, buf_text(&reader->id), &staged.print))
		return 0;
	staged.node = workflow_node_read(buf_text(&reader->id), buf_text(&reader->bytes), reader->bytes.len, err);
	if (!staged.node)
		return -1;
	vec_push(&reader->staged, staged);
	return 0;
}

/* Within `nodes`, compressed or not. */
static int
node_told(struct workflow_reader *reader, struct json_scan *scan, enum json_event event, const char *text, size_t len,
	  struct error *err)
{
	switch (event) {
	case JSON_KEY:
		buf_clear(&reader->id);
		buf_clear(&reader->bytes);
		buf_add(&reader->id, text, len);
		scan->next = JSON_AS_WRITTEN;
		return 0;
	case JSON_RAW:
		buf_add(&reader->bytes, text, len);
		return 0;
	case JSON_RAW_END:
		return end_node(reader, err);
	default:
		return 0;
	}
}

static int
packed_told(void *context, struct json_scan *scan, enum json_event event, const char *text, size_t len, struct error *err)
{
	if (scan->depth == 0 && event != JSON_OBJECT && event != JSON_OBJECT_END)
		return error_set(err, "the compressed nodes are no object");
	return node_told(context, scan, event, text, len, err);
}

/* ---- the rest ---- */

static int
begin_container(struct workflow_reader *reader, size_t depth, bool is_object, struct error *err)
{
	if (depth == 0)
		reader->place = is_object ? AT_TOP : AT_NOWHERE;
	if (!is_object || reader->place >= AT_LEAF || reader->place == AT_NOWHERE || depth >= ARRAY_LEN(reader->places))
		return error_set(err, "not a Workflow: %s where none can be", is_object ? "an object" : "a list");
	reader->places[depth] = reader->place;
	reader->has_nodes |= reader->place == AT_NODES;
	return 0;
}

static int
begin_field(struct workflow_reader *reader, const char *key, size_t len)
{
	struct json_scan *scan = &reader->scan;

	reader->place = (unsigned char)field(reader->places[scan->depth - 1], key, len);
	if (reader->place == AT_NOWHERE)
		scan->next = JSON_SKIP;
	else if (reader->place == AT_COMPRESSED)
		scan->next = JSON_IN_PIECES;
	return 0;
}

static int64_t
time_of(const char *text)
{
	int64_t ms = rfc3339_read(text);

	return ms > 0 ? ms : 0;
}

static int
set_kind(const char *text, struct error *err)
{
	return strcmp(text, "Workflow") == 0 ? 0 : error_set(err, "not a Workflow: its kind is `%.60s`", text);
}

static int
set_text(struct workflow_reader *reader, const char *bytes, size_t len, struct error *err)
{
	struct workflow *head = &reader->head;
	const char *text = arena_strndup(reader->arena, bytes, len);

	switch ((enum place)reader->place) {
	case AT_KIND:
		return set_kind(text, err);
	case AT_NAME:
		head->name = text;
		break;
	case AT_UID:
		head->uid = text;
		break;
	case AT_NAMESPACE:
		head->namespace_ = text;
		break;
	case AT_VERSION:
		head->version = text;
		break;
	case AT_COMPLETED:
		reader->labelled = strcmp(text, "true") == 0;
		break;
	case AT_SHUTDOWN:
		head->shutdown = *text ? text : NULL;
		break;
	case AT_PHASE:
		if (phase_from_name(text, &head->phase))
			head->phase = PHASE_PENDING;
		break;
	case AT_MESSAGE:
		head->message = *text ? text : NULL;
		break;
	case AT_STARTED:
		head->started_ms = time_of(text);
		break;
	case AT_ENDED:
		head->ended_ms = time_of(text);
		break;
	case AT_OFFLOADED:
		head->offloaded = *text;
		break;
	default:
		break;
	}
	return 0;
}

static int
set_packed(struct workflow_reader *reader, enum json_event event, const char *text, size_t len, struct error *err)
{
	if (event == JSON_PIECE && !reader->packed)
		reader->packed = workflow_packed_new(&reader->packed_scan);
	if (event == JSON_PIECE)
		return workflow_packed_feed(reader->packed, text, len, err);
	if (!reader->packed)
		return 0;
	reader->has_nodes = true;
	return workflow_packed_end(reader->packed, err);
}

static void
set_literal(struct workflow_reader *reader, bool yes)
{
	if (reader->place == AT_SUSPEND)
		reader->head.suspended = yes;
	if (reader->place == AT_RESULT && !yes)
		reader->outstanding = true;
}

static int
told(void *context, struct json_scan *scan, enum json_event event, const char *text, size_t len, struct error *err)
{
	struct workflow_reader *reader = context;

	if (scan->depth == 3 && reader->places[2] == AT_NODES)
		return node_told(reader, scan, event, text, len, err);
	switch (event) {
	case JSON_OBJECT:
	case JSON_ARRAY:
		return begin_container(reader, scan->depth, event == JSON_OBJECT, err);
	case JSON_KEY:
		return begin_field(reader, text, len);
	case JSON_PIECE:
	case JSON_STRING:
		if (scan->depth == 0)
			break;
		return reader->place == AT_COMPRESSED ? set_packed(reader, event, text, len, err) : set_text(reader, text, len, err);
	case JSON_LITERAL:
		set_literal(reader, *text == 't');
		break;
	default:
		break;
	}
	if (scan->depth == 0 && event != JSON_OBJECT_END)
		return error_set(err, "not a Workflow: no object");
	return 0;
}

static void
reset(struct workflow_reader *reader)
{
	drop_staged(reader);
	workflow_packed_free(reader->packed);
	reader->packed = NULL;
	arena_free(reader->arena);
	reader->arena = NULL;
}

void
workflow_reader_begin(struct workflow_reader *reader)
{
	reset(reader);
	reader->scan.told = told;
	reader->packed_scan.told = packed_told;
	reader->scan.context = reader->packed_scan.context = reader;
	reader->bytes.max = reader->id.max = WORKFLOW_BYTES_MAX;
	json_scan_clear(&reader->scan);
	json_scan_clear(&reader->packed_scan);
	memset(reader->places, AT_NOWHERE, sizeof reader->places);
	reader->arena = arena_new();
	reader->head = (struct workflow){ .name = "", .uid = "", .namespace_ = "", .version = "" };
	reader->labelled = reader->outstanding = reader->has_nodes = reader->failed = false;
	reader->n_nodes = reader->n_bytes = 0;
}

void
workflow_reader_feed(struct workflow_reader *reader, const char *bytes, size_t n)
{
	if (reader->failed)
		return;
	reader->n_bytes += n;
	if (reader->n_bytes > WORKFLOW_BYTES_MAX) {
		error_set(&reader->error, "the workflow is longer than %d MiB", WORKFLOW_BYTES_MAX / 1024 / 1024);
		reader->failed = true;
		return;
	}
	reader->failed = json_scan_feed(&reader->scan, bytes, n, &reader->error) != 0;
}

int
workflow_reader_end(struct workflow_reader *reader, struct error *err)
{
	struct workflow *head = &reader->head;

	if (!reader->failed)
		reader->failed = json_scan_end(&reader->scan, &reader->error) != 0;
	if (!reader->failed && !*head->name)
		reader->failed = error_set(&reader->error, "not a Workflow: it has no name") != 0;
	if (reader->failed) {
		if (err)
			*err = reader->error;
		return -1;
	}
	head->completed = phase_ended(head->phase) && (reader->labelled || !reader->outstanding);
	return 0;
}

void
workflow_reader_release(struct workflow_reader *reader)
{
	reset(reader);
	vec_release(&reader->staged);
	json_scan_release(&reader->scan);
	json_scan_release(&reader->packed_scan);
	buf_release(&reader->id);
	buf_release(&reader->bytes);
}
