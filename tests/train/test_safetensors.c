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
	static const struct tensor tensors[] = { { .name = "b.weight", .dtype = TENSOR_F32, .rank = 2, .shape = { 2, 3 }, .n = 6 },
		{ .name = "a \"quoted\" é", .dtype = TENSOR_F32, .rank = 1, .shape = { 4 }, .n = 4 }, { .name = "none", .dtype = TENSOR_F32, .rank = 1, .shape = { 0 }, .n = 0 } };
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

/* Every number of 16 bits comes back as the same bits. */
static void
test_all_halves(enum tensor_dtype dtype)
{
	int other = 0;

	for (uint32_t bits = 0; bits < 65536; bits++) {
		unsigned char bytes[2] = { (unsigned char)bits, (unsigned char)(bits >> 8) }, back[2];
		struct tensor t = { .name = "x", .dtype = dtype, .n = 1, .data = bytes };
		float x;

		if (tensor_floats(&t, &x, NULL))
			other++;
		else if (!isnan(x))
			other += !tensor_pack(dtype, &x, 1, back) || memcmp(bytes, back, 2) != 0;
		else
			other += !tensor_pack(dtype, &x, 1, back) || (back[1] & 0x7F) < 0x7C;
	}
	is_int(other, 0, "%s: all come back", tensor_dtype_name(dtype));
}

static void
test_rounding(void)
{
	static const struct {
		float number;
		unsigned half, brain;
		bool half_fits, brain_fits;
	} cases[] = {
		{ 1.0f, 0x3C00, 0x3F80, true, true },
		{ -2.0f, 0xC000, 0xC000, true, true },
		{ 1.00048828125f, 0x3C00, 0x3F80, true, true }, /* 1 + 2^-11, half way to an odd number */
		{ 1.00146484375f, 0x3C02, 0x3F80, true, true }, /* 1 + 3 * 2^-11, half way to an even one */
		{ 1.00390625f, 0x3C04, 0x3F80, true, true }, /* 1 + 2^-8 */
		{ 1.01171875f, 0x3C0C, 0x3F82, true, true }, /* 1 + 3 * 2^-8 */
		{ 65504.0f, 0x7BFF, 0x4780, true, true },
		{ 65519.9f, 0x7BFF, 0x4780, true, true },
		{ 65520.0f, 0x7C00, 0x4780, false, true },
		{ -1e30f, 0xFC00, 0xF14A, false, true },
		{ 3.4028235e38f, 0x7C00, 0x7F80, false, false },
		{ 0x1p-24f, 0x0001, 0x3380, true, true },
		{ 0x1p-25f, 0x0000, 0x3300, true, true },
		{ 0x1.8p-25f, 0x0001, 0x3340, true, true },
		{ -0x1.ff8p-15f, 0x83FF, 0xB880, true, true }, /* the largest that is not normal */
		{ 0x1.fffp-15f, 0x0400, 0x3880, true, true }, /* and what rounds to the first that is */
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		unsigned char half[2], brain[2];
		bool half_fits = tensor_pack(TENSOR_F16, &cases[i].number, 1, half), brain_fits = tensor_pack(TENSOR_BF16, &cases[i].number, 1, brain);

		is_int(half[0] | half[1] << 8, cases[i].half, "%a as half precision", (double)cases[i].number);
		is_int(brain[0] | brain[1] << 8, cases[i].brain, "%a as bfloat16", (double)cases[i].number);
		ok(half_fits == cases[i].half_fits && brain_fits == cases[i].brain_fits, "%a fits or not", (double)cases[i].number);
	}
}

/* A file of each dtype, and a number that does not fit. */
static void
test_written_dtypes(void)
{
	struct tensor large = { .name = "large", .dtype = TENSOR_F16, .rank = 1, .shape = { 200000 }, .n = 200000 };
	static const enum tensor_dtype dtypes[] = { TENSOR_F32, TENSOR_F16, TENSOR_BF16 };
	CLEANUP(freep) char *folder = test_temp_dir();
	struct error err = { "" };
	char path[4096];

	snprintf(path, sizeof(path), "%s/a.safetensors", folder);
	for (size_t i = 0; i < ARRAY_LEN(dtypes); i++) {
		struct tensor t[] = { { .name = "a", .dtype = dtypes[i], .rank = 1, .shape = { 3 }, .n = 3 },
			{ .name = "b", .dtype = dtypes[i], .rank = 1, .shape = { 5 }, .n = 5 } };
		struct safetensors *file;
		float x[5] = { 0 };

		ok(!safetensors_write(path, t, 2, fill, t, NULL, 0, &err), "%s is written: %s", tensor_dtype_name(dtypes[i]), err.text);
		file = safetensors_open(path, &err);
		ok(file && safetensors_find(file, "b")->dtype == dtypes[i] && !tensor_floats(safetensors_find(file, "b"), x, &err) &&
				fabsf(x[3] - 103.0f / 3) < 0.2f,
			"and read: %s", err.text);
		safetensors_close(file);
	}
	ok(safetensors_write(path, &large, 1, fill, &large, NULL, 0, &err) != 0, "a number past 65504 is no half");
	contains(err.text, "the tensor `large` holds a number that F16 has no room for", "and told so");
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
	test_all_halves(TENSOR_F16);
	test_all_halves(TENSOR_BF16);
	test_rounding();
	test_written_dtypes();
	test_cut();
	return done_testing();
}
