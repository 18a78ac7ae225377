#include "config.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/value.h"
#include "runtime/train/safetensors.h"

enum { ALIGN = 64 /* where the numbers begin: a reader may map them */ };

static void
write_entry(struct buf *buf, const struct tensor *t, size_t from)
{
	value_write_json_string(buf, t->name, strlen(t->name));
	buf_puts(buf, ":{\"dtype\":\"F32\",\"shape\":[");
	for (size_t i = 0; i < t->rank; i++)
		buf_printf(buf, "%s%zu", i ? "," : "", t->shape[i]);
	buf_printf(buf, "],\"data_offsets\":[%zu,%zu]}", from, from + t->n * sizeof(float));
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
		at += tensors[i].n * sizeof(float);
	}
	buf_putc(buf, '}');
	buf_repeat(buf, ' ', (ALIGN - buf->len % ALIGN) % ALIGN);
	len = htole64(buf->len - 8);
	memcpy(buf->data, &len, sizeof(len));
}

/* The numbers of one tensor, in the file's order of bytes. */
static bool
write_numbers(FILE *file, const struct tensor *t, size_t i, safetensors_source source, void *context)
{
	float *numbers = xmalloc((t->n + 1) * sizeof(*numbers));
	bool written;

	source(context, i, numbers);
	for (size_t k = 0; k < t->n; k++) {
		uint32_t word;

		memcpy(&word, &numbers[k], sizeof(word));
		word = htole32(word);
		memcpy(&numbers[k], &word, sizeof(word));
	}
	written = fwrite(numbers, sizeof(*numbers), t->n, file) == t->n;
	free(numbers);
	return written;
}

int
safetensors_write(const char *path, const struct tensor *tensors, size_t n, safetensors_source source, void *context,
	const char *const (*metadata)[2], size_t n_metadata, struct error *err)
{
	CLEANUP(buf_release) struct buf header = { 0 };
	FILE *file = fopen(path, "wbe");
	bool written;

	if (!file)
		return error_errno(err, errno, "cannot make `%s`", path);
	write_header(&header, tensors, n, metadata, n_metadata);
	written = fwrite(header.data, 1, header.len, file) == header.len;
	for (size_t i = 0; written && i < n; i++)
		written = write_numbers(file, &tensors[i], i, source, context);
	written = written && !fflush(file) && !fsync(fileno(file));
	if (!written)
		error_errno(err, errno, "cannot write `%s`", path);
	if (fclose(file) && written)
		return error_errno(err, errno, "cannot write `%s`", path);
	return written ? 0 : -1;
}
