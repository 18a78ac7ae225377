#include "config.h"

#include "runtime/train/example.h"

#include <string.h>

#include "base/macros.h"
#include "runtime/train/proto.h"
#include "runtime/train/proto_read.h"

/* The fields of tensorflow/core/example: example.proto and feature.proto. A map is a row of entries. */
enum {
	EXAMPLE_FEATURES = 1, FEATURES_FEATURE = 1, ENTRY_KEY = 1, ENTRY_VALUE = 2, FEATURE_INTEGERS = 3, INTEGERS_VALUE = 1,
};

static int
no_example(struct error *err)
{
	return error_set(err, "it is no tf.Example");
}

static int
add_id(uint64_t id, const char *feature, struct token_ids *ret, struct error *err)
{
	if (id > INT32_MAX)
		return error_set(err, "its `%s` hold a number that is no token", feature);
	vec_push(ret, (uint32_t)id);
	return 0;
}

/* Numbers come in packed rows, one by one, or both. */
static int
read_integers(struct proto_reader list, const char *feature, struct token_ids *ret, struct error *err)
{
	struct proto_field field;
	int more;

	while ((more = proto_next(&list, &field)) > 0) {
		struct proto_reader row = { field.bytes, field.bytes + field.len };
		uint64_t id;

		if (field.number != INTEGERS_VALUE)
			continue;
		if (!field.is_bytes && add_id(field.value, feature, ret, err))
			return -1;
		while (field.is_bytes && (more = proto_next_varint(&row, &id)) > 0)
			if (add_id(id, feature, ret, err))
				return -1;
		if (more < 0)
			break;
	}
	return more < 0 ? no_example(err) : 0;
}

static int
read_feature(struct proto_reader value, const char *feature, struct token_ids *ret, struct error *err)
{
	struct proto_field field;
	int more;

	while ((more = proto_next(&value, &field)) > 0) {
		if (field.number != FEATURE_INTEGERS || !field.is_bytes)
			return error_set(err, "its `%s` are no whole numbers", feature);
		if (read_integers((struct proto_reader){ field.bytes, field.bytes + field.len }, feature, ret, err))
			return -1;
	}
	return more < 0 ? no_example(err) : 0;
}

/* 1: the entry is of this feature. */
static int
find_value(struct proto_reader entry, const char *feature, struct proto_reader *ret, struct error *err)
{
	struct proto_field field;
	bool found = false;
	int more;

	*ret = (struct proto_reader){ NULL, NULL };
	while ((more = proto_next(&entry, &field)) > 0) {
		if (field.number == ENTRY_KEY && field.is_bytes)
			found = field.len == strlen(feature) && !memcmp(field.bytes, feature, field.len);
		if (field.number == ENTRY_VALUE && field.is_bytes)
			*ret = (struct proto_reader){ field.bytes, field.bytes + field.len };
	}
	return more < 0 ? no_example(err) : found;
}

/* 1: it is among these. */
static int
find_feature(struct proto_reader features, const char *feature, struct proto_reader *ret, struct error *err)
{
	struct proto_field field;
	int more;

	while ((more = proto_next(&features, &field)) > 0)
		if (field.number == FEATURES_FEATURE && field.is_bytes) {
			int found = find_value((struct proto_reader){ field.bytes, field.bytes + field.len }, feature, ret, err);

			if (found)
				return found;
		}
	return more < 0 ? no_example(err) : 0;
}

int
example_read(const unsigned char *bytes, size_t len, const char *feature, struct token_ids *ret, struct error *err)
{
	struct proto_reader example = { bytes, bytes + len }, value;
	struct proto_field field;
	int more;

	while ((more = proto_next(&example, &field)) > 0)
		if (field.number == EXAMPLE_FEATURES && field.is_bytes) {
			int found = find_feature((struct proto_reader){ field.bytes, field.bytes + field.len }, feature, &value, err);

			if (found)
				return found < 0 ? -1 : read_feature(value, feature, ret, err);
		}
	return more < 0 ? no_example(err) : error_set(err, "it has no `%s`", feature);
}

static void
write_feature(struct buf *buf, const char *name, const struct token_ids *ids)
{
	size_t entry = proto_begin(buf, FEATURES_FEATURE), value, integers, row;

	proto_text(buf, ENTRY_KEY, name);
	value = proto_begin(buf, ENTRY_VALUE);
	integers = proto_begin(buf, FEATURE_INTEGERS);
	row = proto_begin(buf, INTEGERS_VALUE);
	for (size_t i = 0; i < ids->n; i++)
		proto_varint(buf, ids->items[i]);
	proto_end(buf, row);
	proto_end(buf, integers);
	proto_end(buf, value);
	proto_end(buf, entry);
}

void
example_write(struct buf *buf, const char *const *names, const struct token_ids *features, size_t n)
{
	size_t all = proto_begin(buf, EXAMPLE_FEATURES);

	for (size_t i = 0; i < n; i++)
		write_feature(buf, names[i], &features[i]);
	proto_end(buf, all);
}
