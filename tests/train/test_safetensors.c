#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "runtime/train/safetensors.h"
#include "tests/tap.h"

/* The bytes of a file: its header, then n bytes of numbers. */
static void
put_file(struct buf *buf, const char *header, uint64_t said, size_t n)
{
	unsigned char length[8];

	for (int i = 0; i < 8; i++)
		length[i] = (unsigned char)(said >> 8 * i);
	buf_clear(buf);
	buf_add(buf, length, sizeof(length));
	buf_puts(buf, header);
	buf_repeat(buf, '\1', n);
}

static void
test_bad(void)
{
	static const struct {
		const char *header;
		size_t data;
		const char *want;
	} cases[] = {
		{ "", 0, "does not begin" },
		{ "[]", 0, "does not begin" },
		{ "{", 0, "header" },
		{ "{}", 1, "1 bytes behind" },
		{ "{\"a\":1}", 0, "has not just" },
		{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"more\":1}}", 8, "has not just" },
		{ "{\"a\":{\"dtype\":\"F33\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "`F33`" },
		{ "{\"a\":{\"dtype\":\"F32\",\"shape\":2,\"data_offsets\":[0,8]}}", 8, "no shape" },
		{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8, "0 and more" },
		{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,2],\"data_offsets\":[0,8]}}", 8, "no shape" },
		{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,8]}}", 8, "larger than the file" },
		{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, "4 bytes where" },
		{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", 8, "outside" },
		{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 7, "outside" },
		{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}}", 8, "no two" },
		{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, "a hole" },
		{ "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]}}", 3,
		  "overlaps" },
		{ "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}", 2,
		  "header" },
		{ "{\"__metadata__\":{\"a\":1}}", 0, "no text" },
		{ "{\"__metadata__\":[]}", 0, "no object" },
	};
	struct buf buf = { 0 };
	struct error err;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		put_file(&buf, cases[i].header, strlen(cases[i].header), cases[i].data);
		ok(!safetensors_parse((const unsigned char *)buf.data, buf.len, &err), "is refused: %s", cases[i].header);
		contains(err.text, cases[i].want, "and told why");
	}
	put_file(&buf, "{}", 3, 0);
	ok(!safetensors_parse((const unsigned char *)buf.data, buf.len, &err), "a header that is cut off");
	contains(err.text, "cut off", "and told why");
	put_file(&buf, "{}", UINT64_MAX, 0);
	ok(!safetensors_parse((const unsigned char *)buf.data, buf.len, &err), "a huge header");
	contains(err.text, "at most", "and told why");
	buf_release(&buf);
}

static void
test_dtypes(void)
{
	static const char header[] = "{\"h\":{\"dtype\":\"F16\",\"shape\":[5],\"data_offsets\":[0,10]},"
				     "\"b\":{\"dtype\":\"BF16\",\"shape\":[],\"data_offsets\":[10,12]},"
				     "\"d\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[12,20]},"
				     "\"none\":{\"dtype\":\"F32\",\"shape\":[3,0],\"data_offsets\":[20,20]},"
				     "\"i\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[20,28]}}";
	static const unsigned char data[] = { 0x00, 0x3C, 0x00, 0xC0, 0x01, 0x00, 0x00, 0x7C, 0x55, 0x35, 0xC0, 0x3F, 0, 0, 0, 0, 0, 0, 0x04,
		0x40, 1, 0, 0, 0, 0, 0, 0, 0 };
	struct buf buf = { 0 };
	struct error err = { "" };
	struct safetensors *file;
	float x[5];

	put_file(&buf, header, strlen(header), 0);
	buf_add(&buf, data, sizeof(data));
	file = safetensors_parse((const unsigned char *)buf.data, buf.len, &err);
	if (!ok(file != NULL, "many dtypes: %s", err.text))
		return;
	is_int((int64_t)safetensors_count(file), 5, "tensors");
	ok(!tensor_floats(safetensors_find(file, "h"), x, &err) && x[0] == 1 && x[1] == -2 && x[2] == ldexpf(1, -24) && isinf(x[3]) &&
		   fabsf(x[4] - 0.3333f) < 1e-4f, "halves");
	ok(!tensor_floats(safetensors_find(file, "b"), x, &err) && x[0] == 1.5f, "bfloat16");
	ok(!tensor_floats(safetensors_find(file, "d"), x, &err) && x[0] == 2.5f, "double");
	ok(!tensor_floats(safetensors_find(file, "none"), x, &err), "nothing");
	ok(tensor_floats(safetensors_find(file, "i"), x, &err) != 0, "a whole number is no floating point");
	contains(err.text, "I64", "and told so");
	safetensors_close(file);
	buf_release(&buf);
}

static void
fill(void *context, size_t i, float *ret)
{
	const struct tensor *tensors = context;

	for (size_t k = 0; k < tensors[i].n; k++)
		ret[k] = (float)(i * 100 + k) / 3;
}

static void
test_round_trip(void)
{
	static const struct tensor tensors[] = { { .name = "b.weight", .rank = 2, .shape = { 2, 3 }, .n = 6 },
		{ .name = "a \"quoted\" é", .rank = 1, .shape = { 4 }, .n = 4 }, { .name = "none", .rank = 1, .shape = { 0 }, .n = 0 } };
	static const char *const metadata[][2] = { { "format", "pt" }, { "step", "12" } };
	CLEANUP(freep) char *folder = test_temp_dir();
	struct error err = { "" };
	struct safetensors *file;
	char path[4096];
	float x[6];

	snprintf(path, sizeof(path), "%s/a.safetensors", folder);
	ok(!safetensors_write(path, tensors, 3, fill, (void *)(uintptr_t)tensors, metadata, 2, &err), "written: %s", err.text);
	file = safetensors_open(path, &err);
	if (!ok(file != NULL, "read: %s", err.text))
		return;
	is_str(safetensors_metadata(file, "step"), "12", "metadata");
	is_str(safetensors_metadata(file, "other"), NULL, "that there is not");
	for (size_t i = 0; i < 2; i++) {
		const struct tensor *t = safetensors_find(file, tensors[i].name);
		bool same = t && !tensor_floats(t, x, NULL) && t->n == tensors[i].n && t->rank == tensors[i].rank;

		for (size_t k = 0; same && k < t->n; k++)
			same = x[k] == (float)(i * 100 + k) / 3;
		ok(same, "%s is what it was", tensors[i].name);
	}
	ok(((uintptr_t)safetensors_item(file, 0)->data & 63) == 0, "the numbers lie where they can be mapped");
	safetensors_close(file);
	ok(!safetensors_open(folder, &err), "a folder is none: %s", err.text);
	ok(!safetensors_open("/dev/null", &err), "nor is an empty file: %s", err.text);
	ok(safetensors_write("/dev/full", tensors, 3, fill, (void *)(uintptr_t)tensors, metadata, 2, &err) != 0, "a full disk: %s", err.text);
	test_remove_tree(folder);
}

/* A file that is cut at any byte is refused. */
static void
test_cut(void)
{
	static const char header[] = "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";
	struct buf buf = { 0 };
	size_t accepted = 0;

	put_file(&buf, header, strlen(header), 8);
	for (size_t len = 0; len < buf.len; len++) {
		struct safetensors *file = safetensors_parse((const unsigned char *)buf.data, len, NULL);

		accepted += file != NULL;
		safetensors_close(file);
	}
	is_int((int64_t)accepted, 0, "no part of a file is a file");
	buf_release(&buf);
}

int
main(void)
{
	test_bad();
	test_dtypes();
	test_round_trip();
	test_cut();
	return done_testing();
}
