#include "config.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/macros.h"
#include "runtime/train/shard.h"
#include "runtime/train/shard_private.h"

struct shard_writer {
	char *path;
	FILE *file;
	struct shard_info info;
	uint32_t width, checksum;
	VEC(uint64_t) offsets; /* little-endian */
	VEC(unsigned char) bytes; /* of the field at hand */
};

static void
writer_free(struct shard_writer *writer)
{
	if (writer->file)
		fclose(writer->file);
	vec_release(&writer->offsets);
	vec_release(&writer->bytes);
	free(writer->path);
	free(writer);
}

void
shard_abandon(struct shard_writer *writer)
{
	struct stat st;

	/* A device or a pipe that was written to is not ours to remove. */
	if (lstat(writer->path, &st) == 0 && S_ISREG(st.st_mode))
		unlink(writer->path);
	writer_free(writer);
}

static int
write_bytes(struct shard_writer *writer, const void *bytes, size_t len, struct error *err)
{
	if (len && fwrite(bytes, 1, len, writer->file) != len)
		return error_errno(err, errno, "cannot write `%s`", writer->path);
	writer->checksum = shard_checksum(writer->checksum, bytes, len);
	return 0;
}

struct shard_writer *
shard_create(const char *path, const struct shard_info *info, struct error *err)
{
	static const unsigned char header[SHARD_HEADER];
	struct shard_writer *writer = xcalloc(1, sizeof(*writer));

	if (!info->fields || info->fields > SHARD_FIELDS_MAX)
		BUG("a shard of %u fields", info->fields);
	writer->path = xstrdup(path);
	writer->info = *info;
	writer->info.documents = writer->info.tokens = 0;
	writer->width = info->vocabulary > 65536 ? 4 : 2;
	vec_push(&writer->offsets, 0);
	writer->file = fopen(path, "wbe");
	if (!writer->file) {
		error_errno(err, errno, "cannot make `%s`", path);
		writer_free(writer);
		return NULL;
	}
	if (write_bytes(writer, header, sizeof(header), err)) {
		shard_abandon(writer);
		return NULL;
	}
	writer->checksum = 0;
	return writer;
}

static int
add_field(struct shard_writer *writer, const struct token_ids *ids, struct error *err)
{
	vec_reserve((void **)&writer->bytes.items, &writer->bytes.cap, ids->n * writer->width, 1);
	for (size_t i = 0; i < ids->n; i++) {
		uint16_t narrow = htole16((uint16_t)ids->items[i]);
		uint32_t wide = htole32(ids->items[i]);

		if (ids->items[i] >= writer->info.vocabulary)
			BUG("the id %u in a shard of a vocabulary of %u", ids->items[i], writer->info.vocabulary);
		memcpy(writer->bytes.items + i * writer->width, writer->width == 2 ? (void *)&narrow : (void *)&wide, writer->width);
	}
	writer->info.tokens += ids->n;
	vec_push(&writer->offsets, htole64(writer->info.tokens));
	return write_bytes(writer, writer->bytes.items, ids->n * writer->width, err);
}

int
shard_add(struct shard_writer *writer, const struct token_ids *fields, struct error *err)
{
	for (uint32_t i = 0; i < writer->info.fields; i++)
		if (add_field(writer, &fields[i], err))
			return -1;
	writer->info.documents++;
	return 0;
}

static int
write_rest(struct shard_writer *writer, struct error *err)
{
	static const unsigned char zeros[8];
	uint64_t at = SHARD_HEADER + writer->info.tokens * writer->width;
	unsigned char header[SHARD_HEADER];

	if (write_bytes(writer, zeros, (size_t)(-at & 7), err) ||
	    write_bytes(writer, writer->offsets.items, writer->offsets.n * sizeof(*writer->offsets.items), err))
		return -1;
	shard_write_header(&writer->info, writer->checksum, header);
	if (fseek(writer->file, 0, SEEK_SET) || fwrite(header, 1, sizeof(header), writer->file) != sizeof(header))
		return error_errno(err, errno, "cannot write the header of `%s`", writer->path);
	if (fflush(writer->file))
		return error_errno(err, errno, "cannot write `%s`", writer->path);
	return 0;
}

int
shard_finish(struct shard_writer *writer, struct shard_info *ret, struct error *err)
{
	if (write_rest(writer, err)) {
		shard_abandon(writer);
		return -1;
	}
	*ret = writer->info;
	writer_free(writer);
	return 0;
}
