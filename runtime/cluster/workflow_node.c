#include "config.h"

#include "runtime/cluster/workflow_private.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_tree.h"
#include "base/rfc3339.h"

/* A block that is first measured (block NULL: nothing is written, pointers are of no use), then filled. */
struct pack {
	char *block;
	size_t used;
};

static void *
pack_room(struct pack *pack, size_t size, size_t align)
{
	size_t at = (pack->used + align - 1) / align * align;

	pack->used = at + size;
	return pack->block ? pack->block + at : NULL;
}

static const char *
pack_text(struct pack *pack, const char *text)
{
	size_t size = text ? strlen(text) + 1 : 0;
	char *copy = text ? pack_room(pack, size, 1) : NULL;

	return copy ? memcpy(copy, text, size) : NULL;
}

static const struct value *pack_value(struct pack *pack, const struct value *value);

static const struct value **
pack_items(struct pack *pack, const struct value *const *items, size_t n)
{
	const struct value **copy = pack_room(pack, n * sizeof(*copy), alignof(void *));

	for (size_t i = 0; i < n; i++) {
		const struct value *item = pack_value(pack, items[i]);

		if (copy)
			copy[i] = item;
	}
	return copy;
}

static const char **
pack_keys(struct pack *pack, const char *const *keys, size_t n)
{
	const char **copy = pack_room(pack, n * sizeof(*copy), alignof(void *));

	for (size_t i = 0; i < n; i++) {
		const char *key = pack_text(pack, keys[i]);

		if (copy)
			copy[i] = key;
	}
	return copy;
}

static const struct value *
pack_value(struct pack *pack, const struct value *value)
{
	struct value *copy = pack_room(pack, sizeof *copy, alignof(struct value)), v = *value;

	switch (value->kind) {
	case VALUE_STRING:
		v.string.text = pack_text(pack, value->string.text);
		break;
	case VALUE_LIST:
		v.list.items = pack_items(pack, value->list.items, value->list.n);
		break;
	case VALUE_DICT:
		v.dict.keys = pack_keys(pack, value->dict.keys, value->dict.n);
		v.dict.items = pack_items(pack, value->dict.items, value->dict.n);
		break;
	default:
		break;
	}
	if (copy)
		*copy = v;
	return copy;
}

/* ---- Argo's fields ---- */

static const char *
text_of(const struct value *dict, const char *key)
{
	return value_text(value_get(dict, key));
}

static const char *
text_or(const struct value *dict, const char *key, const char *otherwise)
{
	const char *text = value_text_at(dict, key);

	return text ? text : otherwise;
}

static int64_t
time_of(const struct value *dict, const char *key)
{
	const char *text = text_of(dict, key);
	int64_t ms = text ? rfc3339_read(text) : 0;

	return ms > 0 ? ms : 0;
}

static bool
flag_of(const struct value *dict, const char *key)
{
	const struct value *flag = value_get(dict, key);

	return flag && flag->kind == VALUE_BOOLEAN && flag->boolean;
}

static enum workflow_node_type
type_of(const char *name)
{
	static const struct {
		const char *name;
		enum workflow_node_type type;
	} types[] = {
		{ "Pod", WORKFLOW_POD }, { "DAG", WORKFLOW_DAG }, { "Steps", WORKFLOW_STEPS }, { "StepGroup", WORKFLOW_STEP_GROUP },
		{ "TaskGroup", WORKFLOW_TASK_GROUP }, { "Retry", WORKFLOW_RETRY }, { "Skipped", WORKFLOW_SKIPPED },
		{ "Suspend", WORKFLOW_SUSPEND },
	};

	for (size_t i = 0; name && i < ARRAY_LEN(types); i++)
		if (strcmp(name, types[i].name) == 0)
			return types[i].type;
	return WORKFLOW_OTHER;
}

static enum phase
phase_of(const struct value *node)
{
	const char *name = text_of(node, "phase");
	enum phase phase;

	return name && phase_from_name(name, &phase) == 0 ? phase : PHASE_PENDING;
}

static int
exit_code_of(const struct value *outputs)
{
	const char *text = value_text_at(outputs, "exitCode");
	char *end;
	long code = text ? strtol(text, &end, 10) : -1;

	return text && !*end && code >= 0 && code <= 255 ? (int)code : -1;
}

static const char *
template_of(const struct value *node)
{
	const char *name = value_text_at(node, "templateName");

	return name ? name : value_text_at(value_get(node, "templateRef"), "template");
}

static const char *const *
pack_children(struct pack *pack, const struct value *children, size_t *ret_n)
{
	const char **copy = pack_room(pack, value_count(children) * sizeof(*copy), alignof(void *));
	size_t n = 0;

	for (size_t i = 0; i < value_count(children); i++) {
		const char *id = value_text(children->list.items[i]), *text = pack_text(pack, id);

		if (id && copy)
			copy[n] = text;
		n += id != NULL;
	}
	*ret_n = n;
	return copy;
}

/* A parameter's value; Argo reads a number or a Boolean there, too. */
static const char *
pack_plain(struct pack *pack, const struct value *value)
{
	CLEANUP(buf_release) struct buf text = { 0 };

	if (value)
		value_write_plain(&text, value);
	return pack_text(pack, value ? buf_text(&text) : "");
}

/* Fills at most one port of `ports` (NULL: measured only); returns how many. */
static size_t
pack_port(struct pack *pack, const char *name, const struct value *text, const struct value *artifact, struct workflow_port *port)
{
	struct workflow_port filled = { 0 };

	if (!name)
		return 0;
	filled.name = pack_text(pack, name);
	if (artifact)
		filled.artifact = pack_value(pack, artifact);
	else
		filled.text = pack_plain(pack, text);
	if (port)
		*port = filled;
	return 1;
}

static const struct workflow_port *
pack_outputs(struct pack *pack, const struct value *outputs, size_t *ret_n)
{
	const struct value *parameters = value_get(outputs, "parameters"), *artifacts = value_get(outputs, "artifacts");
	const struct value *result = value_get(outputs, "result");
	size_t max = value_count(parameters) + value_count(artifacts) + 1, n = 0;
	struct workflow_port *ports = outputs ? pack_room(pack, max * sizeof *ports, alignof(struct workflow_port)) : NULL;

	for (size_t i = 0; i < value_count(parameters); i++) {
		const struct value *p = parameters->list.items[i];

		n += pack_port(pack, text_of(p, "name"), value_get(p, "value"), NULL, ports ? &ports[n] : NULL);
	}
	for (size_t i = 0; i < value_count(artifacts); i++) {
		const struct value *a = artifacts->list.items[i];

		n += pack_port(pack, text_of(a, "name"), NULL, a, ports ? &ports[n] : NULL);
	}
	if (result)
		n += pack_port(pack, "result", result, NULL, ports ? &ports[n] : NULL);
	*ret_n = n;
	return ports;
}

static void
pack_node(struct pack *pack, const char *id, const struct value *v)
{
	const struct value *outputs = value_get(v, "outputs");
	struct workflow_node *at = pack_room(pack, sizeof *at, alignof(struct workflow_node)), node = { 0 };

	node.children = pack_children(pack, value_get(v, "children"), &node.n_children);
	node.outputs = pack_outputs(pack, outputs, &node.n_outputs);
	node.id = pack_text(pack, id);
	node.name = pack_text(pack, text_or(v, "name", id));
	node.display = pack_text(pack, text_or(v, "displayName", id));
	node.template = pack_text(pack, template_of(v));
	node.boundary = pack_text(pack, text_or(v, "boundaryID", ""));
	node.message = pack_text(pack, value_text_at(v, "message"));
	node.host = pack_text(pack, value_text_at(v, "hostNodeName"));
	node.waits = pack_text(pack, value_text_at(value_get(v, "synchronizationStatus"), "waiting"));
	node.type = type_of(text_of(v, "type"));
	node.phase = phase_of(v);
	node.started_ms = time_of(v, "startedAt");
	node.ended_ms = time_of(v, "finishedAt");
	node.exit_code = exit_code_of(outputs);
	node.hit = flag_of(value_get(v, "memoizationStatus"), "hit");
	node.hooked = flag_of(value_get(v, "nodeFlag"), "hooked");
	if (at)
		*at = node;
}

static struct workflow_node *
settle(const char *id, const struct value *value)
{
	struct pack pack = { 0 };

	pack_node(&pack, id, value);
	pack.block = xmalloc(pack.used);
	pack.used = 0;
	pack_node(&pack, id, value);
	return (void *)pack.block;
}

struct workflow_node *
workflow_node_read(const char *id, const char *bytes, size_t n, struct error *err)
{
	struct arena *arena = arena_new();
	const struct value *value = json_tree_read(arena, bytes, n, err);
	struct workflow_node *node = NULL;

	if (!value)
		error_prefix(err, "node `%s`", id);
	else if (value->kind != VALUE_DICT)
		error_set(err, "not a Workflow: node `%s` is no object", id);
	else
		node = settle(id, value);
	arena_free(arena);
	return node;
}

struct workflow_node *
workflow_node_removed(const struct workflow_node *node)
{
	struct pack pack = { 0 };
	struct workflow_node left = { .type = node->type, .phase = PHASE_PENDING, .exit_code = -1, .removed = true };

	for (int round = 0; round < 2; round++) {
		struct workflow_node *at = pack_room(&pack, sizeof *at, alignof(struct workflow_node));

		left.id = pack_text(&pack, node->id);
		left.name = pack_text(&pack, node->name);
		left.display = pack_text(&pack, node->display);
		left.template = pack_text(&pack, node->template);
		left.boundary = pack_text(&pack, node->boundary);
		if (at)
			*at = left;
		else
			pack = (struct pack){ .block = xmalloc(pack.used) };
	}
	return (void *)pack.block;
}

/* Eight bytes at a time, each mixed by a multiplication (the constants are those of MurmurHash3's finaliser). No secret: whoever
 * could make two texts of one hash can as well send either of them. */
struct workflow_print
workflow_print_of(const char *bytes, size_t n)
{
	uint64_t hash = 0xff51afd7ed558ccdU ^ n, word;

	for (size_t i = 0; i < n; i += sizeof word) {
		word = 0;
		memcpy(&word, bytes + i, n - i < sizeof word ? n - i : sizeof word);
		hash = (hash ^ word) * 0xc4ceb9fe1a85ec53U;
		hash ^= hash >> 32;
	}
	return (struct workflow_print){ .hash = hash, .len = n };
}
