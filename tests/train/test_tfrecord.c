/* Files of records and tf.Example: what is damaged is refused, what Tensor2Tensor may write is read. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/train/example.h"
#include "runtime/train/proto_read.h"
#include "runtime/train/tfrecord.h"
#include "tests/tap.h"

/* Reads all records of the bytes; how many there were, or -1. */
static int
count(char *bytes, size_t len, struct error *err)
{
	FILE *file = fmemopen(bytes, len, "rb");
	struct tfrecord *records = tfrecord_from(file, "file");
	const unsigned char *record;
	int n = 0, more;
	size_t size;

	while ((more = tfrecord_next(records, &record, &size, err)) > 0)
		n++;
	tfrecord_close(records);
	return more < 0 ? -1 : n;
}

static void
test_records(void)
{
	CLEANUP(buf_release) struct buf file = { 0 };
	struct error err = { "" };
	size_t first;
	int refused = 0;

	/* A record of no bytes, and how TensorFlow's own writer begins an event file's first. */
	tfrecord_write(&file, "", 0);
	is_mem(file.data, file.len, "\0\0\0\0\0\0\0\0\x29\x03\x98\x07\xD8\xEA\x82\xA2", 16, "an empty record");
	first = file.len;
	tfrecord_write(&file, "some bytes", 10);
	is_int(count(file.data, file.len, &err), 2, "two records: %s", err.text);
	for (size_t len = first + 1; len < file.len; len++)
		refused += count(file.data, len, &err) == -1 && strstr(err.text, "`file`, record 2: the file is cut off") != NULL;
	is_int(refused, (int64_t)(file.len - first - 1), "cut off anywhere in the second it is refused");
	refused = 0;
	for (size_t i = 0; i < 8 * file.len; i++) {
		file.data[i / 8] = (char)(file.data[i / 8] ^ 1 << i % 8);
		refused += count(file.data, file.len, &err) == -1;
		file.data[i / 8] = (char)(file.data[i / 8] ^ 1 << i % 8);
	}
	is_int(refused, (int64_t)(8 * file.len), "with any bit turned too");
	ok(!tfrecord_open("/nowhere/file", &err), "a file that is not there: %s", err.text);
}

/* A length with a right checksum, and no bytes behind it. */
static void
test_long(void)
{
	static char head[] = "\0\0\0\x05\0\0\0\0\0\0\0\0";
	struct error err = { "" };
	CLEANUP(buf_release) struct buf file = { 0 };

	tfrecord_write(&file, head, 8);
	memcpy(head + 8, file.data + 8 + 4 + 8, 4);
	is_int(count(head, 12, &err), -1, "80 MiB are refused before there is memory for them");
	contains(err.text, "too long", "and told so");
}

static const struct {
	const char *what, *bytes;
	size_t len;
	const char *ids; /* or NULL: */
	const char *error;
} EXAMPLES[] = {
#define BYTES(s) s, sizeof(s) - 1
	{ "packed ids", BYTES("\x0A\x12\x0A\x10\x0A\x06inputs\x12\x06\x1A\x04\x0A\x02\x05\x07"), "5 7", NULL },
	{ "ids one by one", BYTES("\x0A\x12\x0A\x10\x0A\x06inputs\x12\x06\x1A\x04\x08\x05\x08\x07"), "5 7", NULL },
	{ "an id of two bytes", BYTES("\x0A\x12\x0A\x10\x0A\x06inputs\x12\x06\x1A\x04\x0A\x02\xAC\x02"), "300", NULL },
	{ "no ids", BYTES("\x0A\x0E\x0A\x0C\x0A\x06inputs\x12\x02\x1A\x00"), "", NULL },
	{ "the other feature first", BYTES("\x0A\x21\x0A\x0D\x0A\x03pos\x12\x06\x1A\x04\x0A\x02\x01\x02\x0A\x10\x0A\x06inputs\x12\x06\x1A\x04\x0A\x02\x05\x07"), "5 7", NULL },
	{ "the value before its name", BYTES("\x0A\x12\x0A\x10\x12\x06\x1A\x04\x0A\x02\x05\x07\x0A\x06inputs"), "5 7", NULL },
	{ "fields that nobody knows", BYTES("\x12\x01x\x0A\x17\x0A\x15\x18\x09\x0A\x06inputs\x12\x09\x1A\x07\x15\x01\x02\x03\x04\x08\x05"), "5", NULL },
	{ "nothing", BYTES(""), NULL, "it has no `inputs`" },
	{ "another name", BYTES("\x0A\x12\x0A\x10\x0A\x06output\x12\x06\x1A\x04\x0A\x02\x05\x07"), NULL, "it has no `inputs`" },
	{ "texts", BYTES("\x0A\x11\x0A\x0F\x0A\x06inputs\x12\x05\x0A\x03\x0A\x01x"), NULL, "no whole numbers" },
	{ "a negative number", BYTES("\x0A\x1B\x0A\x19\x0A\x06inputs\x12\x0F\x1A\x0D\x0A\x0B\x05\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"), NULL, "no token" },
	{ "a number of eleven bytes", BYTES("\x0A\x1B\x0A\x19\x0A\x06inputs\x12\x0F\x1A\x0D\x0A\x0B\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"), NULL, "no tf.Example" },
	{ "a length past the end", BYTES("\x0A\x7F\x0A"), NULL, "no tf.Example" },
	{ "a length past the end within", BYTES("\x0A\x12\x0A\x10\x0A\x06inputs\x12\x06\x1A\x04\x0A\x09\x05\x07"), NULL, "no tf.Example" },
	{ "a field of number 0", BYTES("\x02\x00"), NULL, "no tf.Example" },
	{ "a group", BYTES("\x0B\x0C"), NULL, "no tf.Example" },
	{ "a text", BYTES("hello"), NULL, "no tf.Example" },
#undef BYTES
};

static void
test_examples(void)
{
	for (size_t i = 0; i < ARRAY_LEN(EXAMPLES); i++) {
		CLEANUP(buf_release) struct buf said = { 0 };
		struct token_ids ids = { 0 };
		struct error err = { "" };
		int result = example_read((const unsigned char *)EXAMPLES[i].bytes, EXAMPLES[i].len, "inputs", &ids, &err);

		for (size_t k = 0; k < ids.n; k++)
			buf_printf(&said, "%s%u", k ? " " : "", ids.items[k]);
		if (EXAMPLES[i].ids) {
			ok(!result, "%s: is read: %s", EXAMPLES[i].what, err.text);
			is_str(buf_text(&said), EXAMPLES[i].ids, "%s", EXAMPLES[i].what);
		} else {
			ok(result != 0, "%s: is refused", EXAMPLES[i].what);
			contains(err.text, EXAMPLES[i].error, "and told so");
		}
		vec_release(&ids);
	}
}

static void
test_fields(void)
{
	static const unsigned char bytes[] = "\x09\x01\x02\x03\x04\x05\x06\x07\x08\x15\x0A\x0B\x0C\x0D\x18\xFF\x01";
	struct proto_reader r = { bytes, bytes + sizeof(bytes) - 1 };
	struct proto_field field;

	is_int(proto_next(&r, &field), 1, "a field");
	ok(field.number == 1 && field.value == 0x0807060504030201 && !field.is_bytes, "of eight bytes");
	is_int(proto_next(&r, &field), 1, "another");
	ok(field.number == 2 && field.value == 0x0D0C0B0A, "of four");
	is_int(proto_next(&r, &field), 1, "a third");
	ok(field.number == 3 && field.value == 255, "a varint");
	is_int(proto_next(&r, &field), 0, "and no more");
	for (size_t len = 1; len < 9; len++) {
		r = (struct proto_reader){ bytes, bytes + len };
		is_int(proto_next(&r, &field), -1, "cut off after %zu bytes", len);
	}
}

int
main(void)
{
	test_records();
	test_long();
	test_examples();
	test_fields();
	return done_testing();
}
