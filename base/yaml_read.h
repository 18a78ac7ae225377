/* What the files that read YAML share: one text being read. Failing functions return -1 with the problem set. */
#ifndef BASE_YAML_READ_H
#define BASE_YAML_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yaml.h>

#include "base/map.h"
#include "base/yaml.h"

enum { YAML_CHECKPOINT = 64 /* characters */ };

/* libyaml counts characters, spans count bytes: the byte of every YAML_CHECKPOINTth character. */
struct yaml_offsets {
	uint32_t *items;
	size_t n, cap;
};

struct yaml_reading {
	struct arena *arena;
	struct source *source;
	struct yaml_offsets offsets;
	yaml_parser_t parser;
	struct map anchors; /* name to struct yaml_node, finished ones only */
	yaml_mark_t last_end; /* of the last event that has text */
	size_t nodes, text; /* so far, aliases expanded */
	struct yaml_problem *problem;
};

int yaml_fail(struct yaml_reading *r, struct span span, const char *format, ...) PRINTF_LIKE(3, 4);
struct span yaml_span_of(const struct yaml_reading *r, const yaml_mark_t *start, const yaml_mark_t *end);
struct span yaml_event_span(const struct yaml_reading *r, const yaml_event_t *event);
int yaml_next_event(struct yaml_reading *r, yaml_event_t *event);
/* Where a collection ends; the event that ends a block stands where the next token begins. */
yaml_mark_t yaml_end_of(const struct yaml_reading *r, const yaml_event_t *end_event);
/* Counts what was read against the ceilings. */
int yaml_count(struct yaml_reading *r, size_t nodes, size_t text, struct span span);
void yaml_set_anchor(struct yaml_reading *r, const yaml_char_t *anchor, const struct yaml_node *node);
int yaml_check_collection_tag(struct yaml_reading *r, const yaml_char_t *tag, const char *want, struct span span);
int yaml_check_scalar(struct yaml_reading *r, const yaml_event_t *event);
/* A List or Dict without items; its weights are what was counted since before it began. */
struct yaml_node *yaml_new_collection(struct yaml_reading *r, size_t nodes_before, size_t text_before, struct span span);
const struct value **yaml_values_of(struct yaml_reading *r, const struct yaml_node *const *nodes, size_t n);

/* Each reads the node that begins with the event. */
int yaml_read_scalar(struct yaml_reading *r, const yaml_event_t *event, const struct yaml_node **ret);
int yaml_read_alias(struct yaml_reading *r, const yaml_event_t *event, const struct yaml_node **ret);
int yaml_read_dict(struct yaml_reading *r, const yaml_event_t *event, int depth, const struct yaml_node **ret);
int yaml_read_node(struct yaml_reading *r, const yaml_event_t *event, int depth, const struct yaml_node **ret);

#endif
