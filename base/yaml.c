#include "config.h"

#include "base/yaml.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/yaml_read.h"
#include "base/yaml_scalar.h"

static void
count_characters(struct yaml_offsets *offsets, const struct source *source)
{
	size_t characters = 0;

	for (size_t i = 0; i < source->len; i++) {
		if (((unsigned char)source->text[i] & 0xC0) == 0x80)
			continue;
		if (characters++ % YAML_CHECKPOINT == 0)
			vec_push(offsets, (uint32_t)i);
	}
}

static uint32_t
byte_of(const struct yaml_reading *r, size_t character)
{
	const struct source *source = r->source;
	size_t at = character / YAML_CHECKPOINT, left = character % YAML_CHECKPOINT;
	size_t byte;

	if (at >= r->offsets.n)
		return (uint32_t)source->len;
	for (byte = r->offsets.items[at]; left && byte < source->len; left--)
		do
			byte++;
		while (byte < source->len && ((unsigned char)source->text[byte] & 0xC0) == 0x80);
	return (uint32_t)byte;
}

struct span
yaml_span_of(const struct yaml_reading *r, const yaml_mark_t *start, const yaml_mark_t *end)
{
	struct span span = { r->source, byte_of(r, start->index), byte_of(r, end->index) };

	/* An absent item starts where the next token does, and may end before. */
	if (span.end < span.start)
		span.end = span.start;
	/* A block scalar ends where the next token begins. */
	while (span.end > span.start && strchr(" \t\r\n", r->source->text[span.end - 1]))
		span.end--;
	return span;
}

struct span
yaml_event_span(const struct yaml_reading *r, const yaml_event_t *event)
{
	return yaml_span_of(r, &event->start_mark, &event->end_mark);
}

int
yaml_fail(struct yaml_reading *r, struct span span, const char *format, ...)
{
	CLEANUP(buf_release) struct buf text = { 0 };
	va_list args;

	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	r->problem->span = span;
	return error_set(&r->problem->error, "%s", buf_text(&text));
}

static int
fail_as_parser(struct yaml_reading *r)
{
	const yaml_parser_t *p = &r->parser;
	size_t at = p->problem_mark.index;
	struct span span = { r->source, byte_of(r, at), byte_of(r, at + 1) };

	if (p->error == YAML_READER_ERROR) {
		span.start = p->problem_offset < r->source->len ? (uint32_t)p->problem_offset : (uint32_t)r->source->len;
		span.end = span.start < r->source->len ? span.start + 1 : span.start;
	}
	return yaml_fail(r, span, "%s%s%s", p->context ? p->context : "", p->context ? ": " : "",
		p->problem ? p->problem : "cannot be read");
}

int
yaml_next_event(struct yaml_reading *r, yaml_event_t *event)
{
	if (!yaml_parser_parse(&r->parser, event))
		return fail_as_parser(r);
	if (event->end_mark.index > event->start_mark.index)
		r->last_end = event->end_mark;
	return 0;
}

yaml_mark_t
yaml_end_of(const struct yaml_reading *r, const yaml_event_t *end_event)
{
	return end_event->end_mark.index > end_event->start_mark.index ? end_event->end_mark : r->last_end;
}

int
yaml_count(struct yaml_reading *r, size_t nodes, size_t text, struct span span)
{
	r->nodes += nodes;
	r->text += text;
	if (r->nodes > YAML_NODES_MAX)
		return yaml_fail(r, span, "the text has more than %d nodes, aliases counted in full", YAML_NODES_MAX);
	if (r->text > YAML_TEXT_MAX)
		return yaml_fail(r, span, "the text is longer than %d MiB, aliases counted in full", YAML_TEXT_MAX / 1024 / 1024);
	return 0;
}

void
yaml_set_anchor(struct yaml_reading *r, const yaml_char_t *anchor, const struct yaml_node *node)
{
	if (anchor)
		map_set(&r->anchors, (const char *)anchor, (void *)(uintptr_t)node);
}

/* ---- tags ---- */

static const char *
core_tag(const yaml_char_t *tag)
{
	static const char prefix[] = "tag:yaml.org,2002:";

	if (strncmp((const char *)tag, prefix, sizeof prefix - 1))
		return NULL;
	return (const char *)tag + sizeof prefix - 1;
}

static int
fail_at_tag(struct yaml_reading *r, const yaml_char_t *tag, struct span span)
{
	const char *core = core_tag(tag);

	return yaml_fail(r, span, "the tag `%s%.100s` has no meaning here", core ? "!!" : "", core ? core : (const char *)tag);
}

int
yaml_check_collection_tag(struct yaml_reading *r, const yaml_char_t *tag, const char *want, struct span span)
{
	const char *core = tag ? core_tag(tag) : want;

	if (tag && !strcmp((const char *)tag, "!"))
		return 0;
	return core && !strcmp(core, want) ? 0 : fail_at_tag(r, tag, span);
}

/* The kind that a scalar's tag or, without one, its text gives it. */
static int
scalar_kind(struct yaml_reading *r, const yaml_event_t *event, enum value_kind *ret)
{
	static const struct {
		const char *tag;
		enum value_kind kind;
	} tags[] = { { "str", VALUE_STRING }, { "int", VALUE_INTEGER }, { "float", VALUE_FLOAT },
		     { "bool", VALUE_BOOLEAN }, { "null", VALUE_NULL } };
	const yaml_char_t *tag = event->data.scalar.tag;
	const char *core;

	*ret = VALUE_STRING;
	if (event->data.scalar.plain_implicit)
		*ret = yaml_scalar_kind((const char *)event->data.scalar.value, event->data.scalar.length);
	if (!tag || event->data.scalar.quoted_implicit || !strcmp((const char *)tag, "!"))
		return 0;
	core = core_tag(tag);
	for (size_t i = 0; core && i < ARRAY_LEN(tags); i++)
		if (!strcmp(core, tags[i].tag)) {
			*ret = tags[i].kind;
			return 0;
		}
	return fail_at_tag(r, tag, yaml_event_span(r, event));
}

/* ---- nodes ---- */

int
yaml_check_scalar(struct yaml_reading *r, const yaml_event_t *event)
{
	size_t len = event->data.scalar.length;

	if (memchr(event->data.scalar.value, 0, len))
		return yaml_fail(r, yaml_event_span(r, event), "the text holds a NUL character");
	/* Escapes such as "\uD800" can make what is not UTF-8. */
	if (!utf8_valid((const char *)event->data.scalar.value, len))
		return yaml_fail(r, yaml_event_span(r, event), "the text holds a character that is none");
	return yaml_count(r, 1, len, yaml_event_span(r, event));
}

int
yaml_read_scalar(struct yaml_reading *r, const yaml_event_t *event, const struct yaml_node **ret)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	struct yaml_node *node = arena_new_struct(r->arena, struct yaml_node);
	enum value_kind kind;

	if (yaml_check_scalar(r, event) || scalar_kind(r, event, &kind))
		return -1;
	node->value = yaml_scalar_value(r->arena, kind, text, len);
	if (!node->value && event->data.scalar.tag)
		return yaml_fail(r, yaml_event_span(r, event), "`%.60s` is not what its tag says", text);
	if (!node->value)
		node->value = value_stringn(r->arena, text, len);
	node->span = yaml_event_span(r, event);
	node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	node->weight = 1;
	node->text_weight = len;
	yaml_set_anchor(r, event->data.scalar.anchor, node);
	*ret = node;
	return 0;
}

int
yaml_read_alias(struct yaml_reading *r, const yaml_event_t *event, const struct yaml_node **ret)
{
	const char *name = (const char *)event->data.alias.anchor;

	*ret = map_get(&r->anchors, name);
	if (!*ret)
		return yaml_fail(r, yaml_event_span(r, event), "no finished node before this has the anchor `%.100s`", name);
	return yaml_count(r, (*ret)->weight, (*ret)->text_weight, yaml_event_span(r, event));
}

struct nodes {
	const struct yaml_node **items;
	size_t n, cap;
};

/* Up to the event that ends the collection; that event's end goes to *ret_end. */
static int
read_items(struct yaml_reading *r, int depth, struct nodes *nodes, yaml_mark_t *ret_end)
{
	for (;;) {
		const struct yaml_node *node = NULL;
		yaml_event_t event;
		bool end;
		int rc = 0;

		if (yaml_next_event(r, &event))
			return -1;
		end = event.type == YAML_SEQUENCE_END_EVENT;
		if (end)
			*ret_end = yaml_end_of(r, &event);
		else
			rc = yaml_read_node(r, &event, depth + 1, &node);
		yaml_event_delete(&event);
		if (end || rc)
			return rc;
		vec_push(nodes, node);
	}
}

/* The weights are those of the counters since before it began. */
struct yaml_node *
yaml_new_collection(struct yaml_reading *r, size_t nodes_before, size_t text_before, struct span span)
{
	struct yaml_node *node = arena_new_struct(r->arena, struct yaml_node);

	node->span = span;
	node->weight = r->nodes - nodes_before;
	node->text_weight = r->text - text_before;
	return node;
}

const struct value **
yaml_values_of(struct yaml_reading *r, const struct yaml_node *const *nodes, size_t n)
{
	const struct value **values = arena_alloc(r->arena, n * sizeof *values);

	for (size_t i = 0; i < n; i++)
		values[i] = nodes[i]->value;
	return values;
}

static int
read_list(struct yaml_reading *r, const yaml_event_t *event, int depth, const struct yaml_node **ret)
{
	struct nodes nodes = { 0 };
	struct yaml_node *node;
	size_t nodes_before = r->nodes, text_before = r->text;
	yaml_mark_t end = event->end_mark;

	if (yaml_check_collection_tag(r, event->data.sequence_start.tag, "seq", yaml_event_span(r, event)) ||
	    yaml_count(r, 1, 0, yaml_event_span(r, event)))
		return -1;
	if (read_items(r, depth, &nodes, &end)) {
		vec_release(&nodes);
		return -1;
	}
	node = yaml_new_collection(r, nodes_before, text_before, yaml_span_of(r, &event->start_mark, &end));
	node->n = nodes.n;
	node->items = arena_copy(r->arena, nodes.items, nodes.n * sizeof *nodes.items);
	node->value = value_list(r->arena, yaml_values_of(r, node->items, node->n), node->n);
	vec_release(&nodes);
	yaml_set_anchor(r, event->data.sequence_start.anchor, node);
	*ret = node;
	return 0;
}

int
yaml_read_node(struct yaml_reading *r, const yaml_event_t *event, int depth, const struct yaml_node **ret)
{
	if (depth > YAML_DEPTH_MAX)
		return yaml_fail(r, yaml_event_span(r, event), "lists and maps nest deeper than %d levels", YAML_DEPTH_MAX);
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return yaml_read_scalar(r, event, ret);
	case YAML_ALIAS_EVENT:
		return yaml_read_alias(r, event, ret);
	case YAML_SEQUENCE_START_EVENT:
		return read_list(r, event, depth, ret);
	case YAML_MAPPING_START_EVENT:
		return yaml_read_dict(r, event, depth, ret);
	default:
		BUG("YAML event %d where a node is due", (int)event->type);
	}
}

/* ---- the stream ---- */

static int
read_event(struct yaml_reading *r, const yaml_event_t *event, struct nodes *documents)
{
	const struct yaml_node *node = NULL;

	switch (event->type) {
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_START_EVENT:
		return 0;
	case YAML_DOCUMENT_END_EVENT:
		/* Anchors end with their document. */
		map_release(&r->anchors);
		return 0;
	default:
		break;
	}
	if (documents->n == YAML_DOCUMENTS_MAX)
		return yaml_fail(r, yaml_event_span(r, event), "the text has more than %d documents", YAML_DOCUMENTS_MAX);
	if (yaml_read_node(r, event, 1, &node))
		return -1;
	vec_push(documents, node);
	return 0;
}

static int
read_stream(struct yaml_reading *r, struct nodes *documents)
{
	bool end = false;
	int rc = 0;

	while (!end && !rc) {
		yaml_event_t event;

		rc = yaml_next_event(r, &event);
		if (rc)
			break;
		end = event.type == YAML_STREAM_END_EVENT;
		rc = read_event(r, &event, documents);
		yaml_event_delete(&event);
	}
	return rc;
}

/* libyaml stops at bytes that are not UTF-8 too, but guesses at UTF-16 first and says less. */
static int
check_text(struct yaml_reading *r)
{
	const struct source *source = r->source;

	for (size_t i = 0; i < source->len;) {
		uint32_t cp;
		size_t n = utf8_decode(source->text + i, source->len - i, &cp);
		struct span span = { r->source, (uint32_t)i, (uint32_t)(i + n) };

		if (n == 1 && cp == UTF8_REPLACEMENT)
			return yaml_fail(r, span, "the text is not UTF-8");
		i += n;
	}
	return 0;
}

int
yaml_read(struct arena *arena, struct source *source, struct yaml *ret, struct yaml_problem *ret_problem)
{
	struct yaml_reading r = { .arena = arena, .source = source, .problem = ret_problem };
	struct nodes documents = { 0 };
	int rc;

	memset(ret_problem, 0, sizeof *ret_problem);
	if (check_text(&r))
		return -1;
	count_characters(&r.offsets, source);
	if (!yaml_parser_initialize(&r.parser))
		BUG("no memory for a YAML parser");
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)source->text, source->len);
	rc = read_stream(&r, &documents);
	yaml_parser_delete(&r.parser);
	map_release(&r.anchors);
	vec_release(&r.offsets);
	ret->n = documents.n;
	ret->documents = arena_copy(arena, documents.items, documents.n * sizeof *documents.items);
	vec_release(&documents);
	return rc;
}

const struct yaml_node *
yaml_get(const struct yaml_node *dict, const char *key)
{
	if (!dict || dict->value->kind != VALUE_DICT)
		return NULL;
	for (size_t i = 0; i < dict->n; i++)
		if (!strcmp(dict->value->dict.keys[i], key))
			return dict->items[i];
	return NULL;
}
