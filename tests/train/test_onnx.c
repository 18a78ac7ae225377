/* What onnx's own checker does not see in tests/train/export_vs_onnxruntime.py: what is too large, too full, or does not fit. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/train/onnx.h"
#include "tests/tap.h"

static void
fill(void *context, size_t which, float *ret)
{
	const size_t *sizes = context;

	for (size_t i = 0; i < sizes[which]; i++)
		ret[i] = (float)(1000 * which + i);
}

static struct onnx *
graph_of(const size_t *sizes, size_t n, enum tensor_dtype dtype)
{
	static const struct onnx_size shape[] = { { .size = 1 } };
	struct onnx *g = onnx_new("graph");
	const char *x = onnx_input(g, "x", ONNX_FLOAT, shape, 1);

	onnx_output(g, "y", ONNX_FLOAT, shape, 1);
	for (size_t i = 0; i < n; i++) {
		char name[32];

		snprintf(name, sizeof(name), "weight %zu", i);
		x = onnx_node(g, "Add", x, onnx_weight(g, name, 0, sizes[i], dtype, i), NULL);
	}
	onnx_result(g, x, "y");
	return g;
}

/* Protocol buffers end at 2 GiB: that is told before anything is written. */
static void
test_too_large(const char *path)
{
	static const size_t sizes[] = { 400000000, 136870912 };
	struct onnx *g = graph_of(sizes, 2, TENSOR_F32);
	struct error err = { "" };
	struct stat st;

	is_int((int64_t)onnx_weights_size(g), 2147483648, "two weights of 2 GiB together");
	ok(onnx_write(g, path, NULL, fill, NULL, &err) != 0, "are not within a graph");
	contains(err.text, "more than 2 GiB", "and told so");
	ok(stat(path, &st) != 0, "nothing is written");
	ok(!onnx_write(g, path, "weights.data", NULL, NULL, &err), "but beside it: %s", err.text);
	ok(!stat(path, &st) && st.st_size < 2000, "which takes nothing of them");
	onnx_free(g);
}

/* Each weight begins where it can be mapped, and the rest is zeros. */
static void
test_weights(const char *path)
{
	static size_t sizes[] = { 3, 1024, 1025, 1 };
	static const size_t places[] = { 0, 4096, 8192, 16384 };
	struct onnx *g = graph_of(sizes, 4, TENSOR_F32);
	struct error err = { "" };
	CLEANUP(freep) char *bytes = NULL;
	size_t len = 0;

	ok(!onnx_write_weights(g, path, fill, sizes, &err), "weights are written: %s", err.text);
	bytes = test_read_file(path, &len);
	is_int((int64_t)len, 16388, "up to the last one");
	for (size_t i = 0; bytes && len == 16388 && i < ARRAY_LEN(places); i++) {
		float first, last;

		memcpy(&first, bytes + places[i], sizeof(first));
		memcpy(&last, bytes + places[i] + 4 * (sizes[i] - 1), sizeof(last));
		ok(first == (float)(1000 * i) && last == (float)(1000 * i + sizes[i] - 1), "weight %zu is at %zu: %g to %g", i, places[i],
			(double)first, (double)last);
	}
	onnx_free(g);
}

static void
test_failures(const char *path)
{
	static size_t sizes[] = { 3, 70000 };
	struct onnx *half = graph_of(sizes, 2, TENSOR_F16), *single = graph_of(sizes, 2, TENSOR_F32);
	struct error err = { "" };

	ok(onnx_write(half, path, NULL, fill, sizes, &err) != 0, "70999 is no half");
	contains(err.text, "the tensor `weight 1` holds a number that F16 has no room for", "and told so");
	ok(onnx_write_weights(half, path, fill, sizes, &err) != 0, "nor in a file of its own");
	ok(onnx_write(single, "/dev/full", NULL, fill, sizes, &err) != 0, "a full disk: %s", err.text);
	contains(err.text, "/dev/full", "is named");
	ok(onnx_write_weights(single, "/dev/full", fill, sizes, &err) != 0, "a full disk: %s", err.text);
	ok(onnx_write(single, "/nowhere/graph", NULL, fill, sizes, &err) != 0, "no folder: %s", err.text);
	onnx_free(half);
	onnx_free(single);
}

int
main(void)
{
	CLEANUP(freep) char *folder = test_temp_dir();
	char path[4096];

	snprintf(path, sizeof(path), "%s/file", folder);
	test_too_large(path);
	test_weights(path);
	test_failures(path);
	test_remove_tree(folder);
	return done_testing();
}
