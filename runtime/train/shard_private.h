/* What writing and reading token shards share. */
#ifndef RUNTIME_TRAIN_SHARD_PRIVATE_H
#define RUNTIME_TRAIN_SHARD_PRIVATE_H

#include "runtime/train/shard.h"

/* Goes on with a CRC-32 that begins with 0. */
uint32_t shard_checksum(uint32_t so_far, const void *bytes, size_t len);
void shard_write_header(const struct shard_info *info, uint32_t checksum, unsigned char ret[SHARD_HEADER]);

/* ---- shard_file.c ---- */

/* One file, mapped. */
struct shard_file {
	const unsigned char *bytes; /* all of it */
	size_t len;
	struct shard_info info;
	uint32_t width;
	uint64_t table; /* where the offsets begin */
	uint64_t first; /* the number, in the whole, of its first document */
};

/* On failure *err names the file, and nothing is left to be closed. */
int shard_file_open(struct shard_file *file, const char *path, struct error *err);
void shard_file_close(struct shard_file *file);
uint32_t shard_file_digest(const struct shard_file *file);
uint64_t shard_file_length(const struct shard_file *file, uint64_t document, uint32_t field);
int shard_file_read(const struct shard_file *file, uint64_t document, uint32_t field, struct token_ids *ret, struct error *err);

#endif
