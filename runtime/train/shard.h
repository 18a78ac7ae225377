/* Token shards: documents as token ids on disk, for training to map into memory.
 *
 * A document has the same number of fields as every other (an issue: its body, its title); a field is a run of ids, maybe empty.
 * All numbers are little-endian:
 *
 *      0  8 bytes  "lateentk"
 *      8  u32      1, the version
 *     12  u32      bytes of an id: 2, or 4 where the vocabulary has more than 65536
 *     16  u32      fields of a document, 1 to SHARD_FIELDS_MAX
 *     20  u32      the size of the vocabulary: ids are below
 *     24  u64      documents
 *     32  u64      ids in all
 *     40  u64      where the table of offsets begins: 64 + the ids' bytes, rounded up to a multiple of 8
 *     48  8 bytes  the first of the tokenizer's SHA-256, to tell one from another
 *     56  u32      CRC-32 (zlib's) of all bytes behind the header
 *     60  u32      CRC-32 of the 60 bytes before
 *     64           the ids, field by field, document by document
 *                  documents * fields + 1 offsets, u64: field f of document d is the ids from offset [d * fields + f] up to the next
 *
 * Many of them make one in a folder, whose files are called `tokens-00000-of-00017` and so on; their documents are counted on.
 *
 * A reader takes nothing on trust: sizes, both checksums and the order of the offsets are checked when a shard is opened, ids when
 * they are read. */
#ifndef RUNTIME_TRAIN_SHARD_H
#define RUNTIME_TRAIN_SHARD_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "runtime/train/token_ids.h"

enum { SHARD_HEADER = 64, SHARD_FIELDS_MAX = 16, SHARD_TOKENIZER = 8, SHARD_FILES_MAX = 99999 };
#define SHARD_NAME "tokens-%05zu-of-%05zu"

struct shard_info {
	uint32_t fields, vocabulary;
	uint64_t documents, tokens;
	unsigned char tokenizer[SHARD_TOKENIZER];
};

/* ---- writing ---- */

struct shard_writer;

/* Of info, fields, vocabulary and tokenizer are taken. NULL with *err set. */
struct shard_writer *shard_create(const char *path, const struct shard_info *info, struct error *err);
/* The fields of the next document: as many as there are, each a run of ids. */
int shard_add(struct shard_writer *writer, const struct token_ids *fields, struct error *err);
/* Both free the writer. Finishing makes the file whole and gives its numbers; where that fails nothing is left of it. */
int shard_finish(struct shard_writer *writer, struct shard_info *ret, struct error *err);
void shard_abandon(struct shard_writer *writer);

/* ---- reading ---- */

struct shard;

/* A file, or a folder of them. A file that is damaged, missing, or does not belong to the others is named. */
struct shard *shard_open(const char *path, struct error *err);
void shard_close(struct shard *shard); /* NULL is fine */
const struct shard_info *shard_info(const struct shard *shard);
/* Ids of one field. */
uint64_t shard_length(const struct shard *shard, uint64_t document, uint32_t field);
/* What tells a shard from others: the checksum of its contents, of several files that of their checksums. */
uint32_t shard_digest(const struct shard *shard);
/* Appends the ids of one field. document and field are below what shard_info says. */
int shard_read(const struct shard *shard, uint64_t document, uint32_t field, struct token_ids *ret, struct error *err);

#endif
