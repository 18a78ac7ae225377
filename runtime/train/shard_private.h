/* What writing and reading a shard share. */
#ifndef RUNTIME_TRAIN_SHARD_PRIVATE_H
#define RUNTIME_TRAIN_SHARD_PRIVATE_H

#include "runtime/train/shard.h"

/* Goes on with a CRC-32 that begins with 0. */
uint32_t shard_checksum(uint32_t so_far, const void *bytes, size_t len);
void shard_write_header(const struct shard_info *info, uint32_t checksum, unsigned char ret[SHARD_HEADER]);

#endif
