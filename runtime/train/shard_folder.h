/* Documents as token shards of a limited size, in a folder, or as one file: what std.tokenize writes. */
#ifndef RUNTIME_TRAIN_SHARD_FOLDER_H
#define RUNTIME_TRAIN_SHARD_FOLDER_H

#include "runtime/train/shard.h"

struct shard_folder;

/* A file ends with the document that brings it to `tokens` ids; 0: there is one file only, at the path itself. Of info the same as in
 * shard_create. NULL with *err set. */
struct shard_folder *shard_folder_create(const char *path, const struct shard_info *info, uint64_t tokens, struct error *err);
int shard_folder_add(struct shard_folder *folder, const struct token_ids *fields, struct error *err);
/* Both free it. The folder is there when it is whole, and not before; where finishing fails nothing is left of it. */
int shard_folder_finish(struct shard_folder *folder, struct shard_info *ret, size_t *ret_files, struct error *err);
void shard_folder_abandon(struct shard_folder *folder);

#endif
