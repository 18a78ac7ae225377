#include "config.h"

#include <endian.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/value.h"
#include "runtime/train/safetensors.h"

enum { ALIGN = 64 /* where the numbers begin: a reader may map them */ };

/* ---- numbers ---- */

/* The nearest of half precision, of two the even one. */
static uint16_t
half_of(float number)
{
	uint32_t bits, sign;

	memcpy(&bits, &number, sizeof(bits));
	sign = bits >> 16 & 0x8000;
	bits &= 0x7FFFFFFF;
	if (bits > 0x7F800000)
		return (uint16_t)(sign | 0x7E00);
	if (bits >= 0x477FF000)
		return (uint16_t)(sign | 0x7C00);
	if (bits < 0x38800000)
		return (uint16_t)(sign | (uint32_t)lrintf(fabsf(number) * 0x1p24f));
	bits += 0xFFF + (bits >> 13 & 1);
	return (uint16_t)(sign | (bits - 0x38000000) >> 13);
}

static uint16_t
brain_of(float number)
{
	uint32_t bits;

	memcpy(&bits, &number, sizeof(bits));
	if (isnan(number))
		return (uint16_t)(bits >> 16 | 0x40);
	return (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

bool
tensor_pack(enum tensor_dtype dtype, const float *numbers, size_t n, unsigned char *ret)
{
	bool fits = true;

	for (size_t i = 0; i < n; i++) {
		uint16_t word = 0;
		uint32_t bits;

		if (dtype == TENSOR_F32) {
			memcpy(&bits, &numbers[i], sizeof(bits));
			bits = htole32(bits);
			memcpy(ret + 4 * i, &bits, sizeof(bits));
			continue;
		}
		word = dtype == TENSOR_F16 ? half_of(numbers[i]) : brain_of(numbers[i]);
		fits = fits && (!isfinite(numbers[i]) || (dtype == TENSOR_F16 ? (word & 0x7C00) != 0x7C00 : (word & 0x7F80) != 0x7F80));
		ret[2 * i] = (unsigned char)word;
		ret[2 * i + 1] = (unsigned char)(word >> 8);
	}
	return fits;
}

/* ---- the file ---- */

static void
write_entry(struct buf *buf, const struct tensor *t, size_t from)
{
	value_write_json_string(buf, t->name, strlen(t->name));
	buf_printf(buf, ":{\"dtype\":\"%s\",\"shape\":[", tensor_dtype_name(t->dtype));
	for (size_t i = 0; i < t->rank; i++)
		buf_printf(buf, "%s%zu", i ? "," : "", t->shape[i]);
	buf_printf(buf, "],\"data_offsets\":[%zu,%zu]}", from, from + t->n * tensor_dtype_size(t->dtype));
}

static void
write_header(struct buf *buf, const struct tensor *tensors, size_t n, const char *const (*metadata)[2], size_t n_metadata)
{
	uint64_t len;
	size_t at = 0;

	buf_add(buf, "\0\0\0\0\0\0\0\0{", 9);
	buf_puts(buf, "\"__metadata__\":{");
	for (size_t i = 0; i < n_metadata; i++) {
		buf_puts(buf, i ? "," : "");
		value_write_json_string(buf, metadata[i][0], strlen(metadata[i][0]));
		buf_putc(buf, ':');
		value_write_json_string(buf, metadata[i][1], strlen(metadata[i][1]));
	}
	buf_putc(buf, '}');
	for (size_t i = 0; i < n; i++) {
		buf_putc(buf, ',');
		write_entry(buf, &tensors[i], at);
		at += tensors[i].n * tensor_dtype_size(tensors[i].dtype);
	}
	buf_putc(buf, '}');
	buf_repeat(buf, ' ', (ALIGN - buf->len % ALIGN) % ALIGN);
	len = htole64(buf->len - 8);
	memcpy(buf->data, &len, sizeof(len));
}

/* The numbers of one tensor. */
static int
write_numbers(FILE *file, const struct tensor *t, size_t i, safetensors_source source, void *context, struct error *err)
{
	size_t size = tensor_dtype_size(t->dtype);
	float *numbers = xmalloc((t->n + 1) * sizeof(*numbers));
	unsigned char *bytes = xmalloc(t->n * size + 1);
	int result = 0;

	source(context, i, numbers);
	if (!tensor_pack(t->dtype, numbers, t->n, bytes))
		result = error_set(err, "the tensor `%s` holds a number that %s has no room for", t->name, tensor_dtype_name(t->dtype));
	else if (fwrite(bytes, size, t->n, file) != t->n)
		result = error_errno(err, errno, "tensor `%s`", t->name);
	free(numbers);
	free(bytes);
	return result;
}

int
safetensors_write(const char *path, const struct tensor *tensors, size_t n, safetensors_source source, void *context,
	const char *const (*metadata)[2], size_t n_metadata, struct error *err)
{
	CLEANUP(buf_release) struct buf header = { 0 };
	FILE *file = fopen(path, "wbe");
	int result;

	if (!file)
		return error_errno(err, errno, "cannot make `%s`", path);
	write_header(&header, tensors, n, metadata, n_metadata);
	result = fwrite(header.data, 1, header.len, file) == header.len ? 0 : error_errno(err, errno, "cannot write `%s`", path);
	for (size_t i = 0; !result && i < n; i++)
		if (write_numbers(file, &tensors[i], i, source, context, err))
			result = error_prefix(err, "cannot write `%s`", path);
	if (!result && (fflush(file) || fsync(fileno(file))))
		result = error_errno(err, errno, "cannot write `%s`", path);
	if (fclose(file) && !result)
		return error_errno(err, errno, "cannot write `%s`", path);
	return result;
}
