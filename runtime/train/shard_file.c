#include "config.h"

#include "runtime/train/shard_private.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/macros.h"

static const char MAGIC[8] = { 'l', 'a', 't', 'e', 'e', 'n', 't', 'k' };

uint32_t
shard_checksum(uint32_t so_far, const void *bytes, size_t len)
{
	return (uint32_t)crc32_z(so_far, bytes, len);
}

static uint64_t
ids_end(const struct shard_info *info)
{
	return SHARD_HEADER + info->tokens * (info->vocabulary > 65536 ? 4 : 2);
}

static void
put32(unsigned char *at, uint32_t number)
{
	number = htole32(number);
	memcpy(at, &number, sizeof(number));
}

static void
put64(unsigned char *at, uint64_t number)
{
	number = htole64(number);
	memcpy(at, &number, sizeof(number));
}

static uint32_t
get32(const unsigned char *at)
{
	uint32_t number;

	memcpy(&number, at, sizeof(number));
	return le32toh(number);
}

static uint64_t
get64(const unsigned char *at)
{
	uint64_t number;

	memcpy(&number, at, sizeof(number));
	return le64toh(number);
}

void
shard_write_header(const struct shard_info *info, uint32_t checksum, unsigned char ret[SHARD_HEADER])
{
	memcpy(ret, MAGIC, sizeof(MAGIC));
	put32(ret + 8, 1);
	put32(ret + 12, info->vocabulary > 65536 ? 4 : 2);
	put32(ret + 16, info->fields);
	put32(ret + 20, info->vocabulary);
	put64(ret + 24, info->documents);
	put64(ret + 32, info->tokens);
	put64(ret + 40, (ids_end(info) + 7) & ~(uint64_t)7);
	memcpy(ret + 48, info->tokenizer, SHARD_TOKENIZER);
	put32(ret + 56, checksum);
	put32(ret + 60, shard_checksum(0, ret, 60));
}

/* ---- reading ---- */

static int
read_header(struct shard_file *file, struct error *err)
{
	const unsigned char *header = file->bytes;
	struct shard_info *info = &file->info;
	/* Past this the sums below could wrap around. */
	const uint64_t max = file->len;

	if (file->len < SHARD_HEADER || memcmp(header, MAGIC, sizeof(MAGIC)) != 0)
		return error_set(err, "not a token shard");
	if (get32(header + 8) != 1)
		return error_set(err, "a token shard of version %u, of which only 1 is known", get32(header + 8));
	if (get32(header + 60) != shard_checksum(0, header, 60))
		return error_set(err, "the header is damaged: its checksum differs");
	file->width = get32(header + 12);
	info->fields = get32(header + 16);
	info->vocabulary = get32(header + 20);
	info->documents = get64(header + 24);
	info->tokens = get64(header + 32);
	file->table = get64(header + 40);
	memcpy(info->tokenizer, header + 48, SHARD_TOKENIZER);
	if (file->width != (info->vocabulary > 65536 ? 4 : 2) || !info->fields || info->fields > SHARD_FIELDS_MAX || info->tokens > max ||
	    info->documents > max || file->table != ((ids_end(info) + 7) & ~(uint64_t)7) ||
	    file->len != file->table + 8 * (info->documents * info->fields + 1))
		return error_set(err, "the header and the file's %zu bytes do not agree", file->len);
	return 0;
}

static int
check_body(const struct shard_file *file, struct error *err)
{
	const unsigned char *table = file->bytes + file->table;
	uint64_t n = file->info.documents * file->info.fields, last = 0;

	if (get32(file->bytes + 56) != shard_checksum(0, file->bytes + SHARD_HEADER, file->len - SHARD_HEADER))
		return error_set(err, "the file is damaged: its checksum differs");
	for (uint64_t i = 0; i <= n; i++) {
		uint64_t offset = get64(table + 8 * i);

		if (offset < last || (!i && offset) || (i == n && offset != file->info.tokens))
			return error_set(err, "the offsets are out of order at %llu", (unsigned long long)i);
		last = offset;
	}
	return 0;
}

static int
map_file(struct shard_file *file, const char *path, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *bytes;

	if (fd < 0)
		return error_errno(err, errno, "cannot open `%s`", path);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size < SHARD_HEADER) {
		close(fd);
		return error_set(err, "`%s`: not a token shard", path);
	}
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (bytes == MAP_FAILED)
		return error_errno(err, errno, "cannot map `%s` into memory", path);
	file->bytes = bytes;
	file->len = (size_t)st.st_size;
	return 0;
}

int
shard_file_open(struct shard_file *file, const char *path, struct error *err)
{
	*file = (struct shard_file){ 0 };
	if (map_file(file, path, err))
		return -1;
	if (!read_header(file, err) && !check_body(file, err))
		return 0;
	shard_file_close(file);
	return error_prefix(err, "`%s`", path);
}

void
shard_file_close(struct shard_file *file)
{
	if (file->bytes)
		munmap((void *)(uintptr_t)file->bytes, file->len);
	file->bytes = NULL;
}

uint32_t
shard_file_digest(const struct shard_file *file)
{
	return get32(file->bytes + 56);
}

static const unsigned char *
offset_of(const struct shard_file *file, uint64_t document, uint32_t field)
{
	if (document >= file->info.documents || field >= file->info.fields)
		BUG("field %u of document %llu", field, (unsigned long long)document);
	return file->bytes + file->table + 8 * (document * file->info.fields + field);
}

uint64_t
shard_file_length(const struct shard_file *file, uint64_t document, uint32_t field)
{
	const unsigned char *offset = offset_of(file, document, field);

	return get64(offset + 8) - get64(offset);
}

int
shard_file_read(const struct shard_file *file, uint64_t document, uint32_t field, struct token_ids *ret, struct error *err)
{
	const unsigned char *offset = offset_of(file, document, field);
	uint64_t from = get64(offset), to = get64(offset + 8);

	for (; from < to; from++) {
		const unsigned char *place = file->bytes + SHARD_HEADER + from * file->width;
		uint32_t id = file->width == 4 ? get32(place) : (uint32_t)place[0] | (uint32_t)place[1] << 8;

		if (id >= file->info.vocabulary)
			return error_set(err, "the shard has the id %u in a vocabulary of %u", id, file->info.vocabulary);
		vec_push(ret, id);
	}
	return 0;
}
