#include "config.h"

#include "runtime/train/safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macros.h"
#include "base/map.h"
#include "base/value.h"

enum { LENGTH = 8 /* bytes before the header */ };

struct safetensors {
	void *mapped; /* NULL: the bytes are the caller's */
	size_t len;
	struct arena *arena;
	struct tensor *items;
	size_t n;
	struct map by_name;
	const struct value *metadata;
};

static const struct dtype {
	const char *name;
	size_t size;
} DTYPES[TENSOR_DTYPES] = {
	[TENSOR_F64] = { "F64", 8 },
	[TENSOR_F32] = { "F32", 4 },
	[TENSOR_F16] = { "F16", 2 },
	[TENSOR_BF16] = { "BF16", 2 },
	[TENSOR_I64] = { "I64", 8 },
	[TENSOR_I32] = { "I32", 4 },
	[TENSOR_I16] = { "I16", 2 },
	[TENSOR_I8] = { "I8", 1 },
	[TENSOR_U64] = { "U64", 8 },
	[TENSOR_U32] = { "U32", 4 },
	[TENSOR_U16] = { "U16", 2 },
	[TENSOR_U8] = { "U8", 1 },
	[TENSOR_BOOL] = { "BOOL", 1 },
};

const char *
tensor_dtype_name(enum tensor_dtype dtype)
{
	return DTYPES[dtype].name;
}

size_t
tensor_dtype_size(enum tensor_dtype dtype)
{
	return DTYPES[dtype].size;
}

/* ---- the header ---- */

static int
read_dtype(struct tensor *t, const struct value *value, struct error *err)
{
	const char *name = value_text(value);

	for (size_t i = 0; name && i < TENSOR_DTYPES; i++)
		if (!strcmp(DTYPES[i].name, name)) {
			t->dtype = (enum tensor_dtype)i;
			return 0;
		}
	return error_set(err, "the tensor `%s` has no dtype that is known: `%s`", t->name, name ? name : "");
}

static int
read_shape(struct tensor *t, const struct value *shape, size_t max, struct error *err)
{
	if (!shape || shape->kind != VALUE_LIST || shape->list.n > SAFETENSORS_RANK_MAX)
		return error_set(err, "the tensor `%s` has no shape of up to %d sizes", t->name, SAFETENSORS_RANK_MAX);
	t->rank = shape->list.n;
	t->n = 1;
	for (size_t i = 0; i < t->rank; i++) {
		const struct value *size = shape->list.items[i];

		if (size->kind != VALUE_INTEGER || size->integer < 0)
			return error_set(err, "a size of the tensor `%s` is no number of 0 and more", t->name);
		t->shape[i] = (size_t)size->integer;
		if (__builtin_mul_overflow(t->n, t->shape[i], &t->n) || t->n > max)
			return error_set(err, "the tensor `%s` would be larger than the file", t->name);
	}
	return 0;
}

static int
read_offsets(struct tensor *t, const struct value *offsets, const unsigned char *data, size_t len, struct error *err)
{
	int64_t from, to;

	if (!offsets || offsets->kind != VALUE_LIST || offsets->list.n != 2 || offsets->list.items[0]->kind != VALUE_INTEGER ||
	    offsets->list.items[1]->kind != VALUE_INTEGER)
		return error_set(err, "the tensor `%s` has no two data_offsets", t->name);
	from = offsets->list.items[0]->integer;
	to = offsets->list.items[1]->integer;
	if (from < 0 || to < from || (uint64_t)to > len)
		return error_set(err, "the tensor `%s` lies outside of the file: bytes %lld to %lld of %zu", t->name, (long long)from,
			(long long)to, len);
	if ((uint64_t)(to - from) != t->n * DTYPES[t->dtype].size)
		return error_set(err, "the tensor `%s` has %lld bytes where its shape and dtype want %zu", t->name, (long long)(to - from),
			t->n * DTYPES[t->dtype].size);
	t->data = data + from;
	return 0;
}

static int
read_tensor(struct tensor *t, const char *name, const struct value *dict, const unsigned char *data, size_t len, struct error *err)
{
	*t = (struct tensor){ .name = name };
	if (dict->kind != VALUE_DICT || dict->dict.n != 3)
		return error_set(err, "the tensor `%s` has not just dtype, shape and data_offsets", name);
	return read_dtype(t, value_get(dict, "dtype"), err) || read_shape(t, value_get(dict, "shape"), len, err) ||
	       read_offsets(t, value_get(dict, "data_offsets"), data, len, err) ? -1 : 0;
}

static int
by_place(const void *a, const void *b)
{
	const struct tensor *x = a, *y = b;

	if (x->data != y->data)
		return x->data < y->data ? -1 : 1;
	return x->n && y->n ? 0 : x->n ? 1 : y->n ? -1 : 0;
}

/* The tensors tile the data, in the order of their places. */
static int
check_tiling(struct safetensors *file, const unsigned char *data, size_t len, struct error *err)
{
	const unsigned char *at = data;

	if (file->n)
		qsort(file->items, file->n, sizeof(*file->items), by_place);
	for (size_t i = 0; i < file->n; i++) {
		const struct tensor *t = &file->items[i];

		if (t->data != at)
			return error_set(err, "the tensor `%s` %s", t->name, t->data < at ? "overlaps another" : "has a hole before it");
		at += t->n * DTYPES[t->dtype].size;
		map_set(&file->by_name, t->name, &file->items[i]);
	}
	if (at != data + len)
		return error_set(err, "there are %zu bytes behind the last tensor", (size_t)(data + len - at));
	return 0;
}

static int
read_metadata(struct safetensors *file, const struct value *dict, struct error *err)
{
	if (dict->kind != VALUE_DICT)
		return error_set(err, "`__metadata__` is no object");
	for (size_t i = 0; i < dict->dict.n; i++)
		if (dict->dict.items[i]->kind != VALUE_STRING)
			return error_set(err, "`%s` of `__metadata__` is no text", dict->dict.keys[i]);
	file->metadata = dict;
	return 0;
}

static int
read_header(struct safetensors *file, const struct value *header, const unsigned char *data, size_t len, struct error *err)
{
	if (header->kind != VALUE_DICT)
		return error_set(err, "the header is no object");
	if (header->dict.n > SAFETENSORS_TENSORS_MAX)
		return error_set(err, "there are more than %d tensors", SAFETENSORS_TENSORS_MAX);
	file->items = xcalloc(header->dict.n + 1, sizeof(*file->items));
	for (size_t i = 0; i < header->dict.n; i++) {
		const char *name = header->dict.keys[i];

		if (!strcmp(name, "__metadata__") ? read_metadata(file, header->dict.items[i], err) :
						    read_tensor(&file->items[file->n++], name, header->dict.items[i], data, len, err))
			return -1;
	}
	return check_tiling(file, data, len, err);
}

static int
parse(struct safetensors *file, const unsigned char *bytes, size_t len, struct error *err)
{
	uint64_t header_len = 0;
	const struct value *header;

	if (len < LENGTH)
		return error_set(err, "it has %zu bytes: too few for safetensors", len);
	for (int i = LENGTH; i-- > 0;)
		header_len = header_len << 8 | bytes[i];
	if (header_len > SAFETENSORS_HEADER_MAX)
		return error_set(err, "its header would have %llu bytes, where at most %d are taken", (unsigned long long)header_len,
			SAFETENSORS_HEADER_MAX);
	if (header_len > len - LENGTH)
		return error_set(err, "it is cut off: its header would have %llu bytes, and %zu are there", (unsigned long long)header_len,
			len - LENGTH);
	if (!header_len || bytes[LENGTH] != '{')
		return error_set(err, "its header does not begin with `{`");
	header = value_read_json(file->arena, (const char *)bytes + LENGTH, header_len, err);
	if (!header)
		return error_prefix(err, "its header");
	return read_header(file, header, bytes + LENGTH + header_len, len - LENGTH - header_len, err);
}

struct safetensors *
safetensors_parse(const unsigned char *bytes, size_t len, struct error *err)
{
	struct safetensors *file = xcalloc(1, sizeof(*file));

	file->arena = arena_new();
	file->len = len;
	if (!parse(file, bytes, len, err))
		return file;
	safetensors_close(file);
	return NULL;
}

struct safetensors *
safetensors_open(const char *path, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct safetensors *file;
	struct stat st;
	void *bytes;

	if (fd < 0) {
		error_errno(err, errno, "cannot open `%s`", path);
		return NULL;
	}
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || !st.st_size) {
		close(fd);
		error_set(err, "`%s` holds no safetensors", path);
		return NULL;
	}
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (bytes == MAP_FAILED) {
		error_errno(err, errno, "cannot map `%s` into memory", path);
		return NULL;
	}
	file = safetensors_parse(bytes, (size_t)st.st_size, err);
	if (file) {
		file->mapped = bytes;
	} else {
		munmap(bytes, (size_t)st.st_size);
		error_prefix(err, "`%s`", path);
	}
	return file;
}

void
safetensors_close(struct safetensors *file)
{
	if (!file)
		return;
	if (file->mapped)
		munmap(file->mapped, file->len);
	map_release(&file->by_name);
	free(file->items);
	arena_free(file->arena);
	free(file);
}

size_t
safetensors_count(const struct safetensors *file)
{
	return file->n;
}

const struct tensor *
safetensors_item(const struct safetensors *file, size_t i)
{
	return &file->items[i];
}

const struct tensor *
safetensors_find(const struct safetensors *file, const char *name)
{
	return map_get(&file->by_name, name);
}

const char *
safetensors_metadata(const struct safetensors *file, const char *key)
{
	return file->metadata ? value_text(value_get(file->metadata, key)) : NULL;
}

/* ---- numbers ---- */

static float
half(uint16_t bits)
{
	int exponent = bits >> 10 & 31, fraction = bits & 1023;
	float value;

	if (exponent == 31)
		value = fraction ? NAN : INFINITY;
	else
		value = ldexpf((float)(exponent ? fraction + 1024 : fraction), (exponent ? exponent : 1) - 25);
	return bits & 0x8000 ? -value : value;
}

static uint64_t
bits_of(const unsigned char *at, size_t size)
{
	uint64_t bits = 0;

	while (size-- > 0)
		bits = bits << 8 | at[size];
	return bits;
}

int
tensor_floats(const struct tensor *t, float *ret, struct error *err)
{
	size_t size = DTYPES[t->dtype].size;

	if (t->dtype != TENSOR_F64 && t->dtype != TENSOR_F32 && t->dtype != TENSOR_F16 && t->dtype != TENSOR_BF16)
		return error_set(err, "the tensor `%s` is of dtype %s, and floating point is wanted", t->name, DTYPES[t->dtype].name);
	for (size_t i = 0; i < t->n; i++) {
		uint64_t bits = bits_of(t->data + i * size, size);
		uint32_t word = (uint32_t)(t->dtype == TENSOR_BF16 ? bits << 16 : bits);
		double wide;

		if (t->dtype == TENSOR_F64) {
			memcpy(&wide, &bits, sizeof(wide));
			ret[i] = (float)wide;
		} else if (t->dtype == TENSOR_F16) {
			ret[i] = half((uint16_t)bits);
		} else {
			memcpy(&ret[i], &word, sizeof(word));
		}
	}
	return 0;
}
