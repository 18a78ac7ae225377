#include "config.h"

#include "runtime/train/shard.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/macros.h"
#include "runtime/train/shard_private.h"

struct shard {
	struct shard_file *files;
	size_t n;
	struct shard_info info; /* of all of them */
	uint32_t digest;
};

/* ---- files of a folder ---- */

/* Reads `tokens-00003-of-00017`. */
static bool
read_name(const char *name, size_t *ret_i, size_t *ret_n)
{
	char again[64];

	if (sscanf(name, "tokens-%5zu-of-%5zu", ret_i, ret_n) != 2)
		return false;
	snprintf(again, sizeof(again), SHARD_NAME, *ret_i, *ret_n);
	return !strcmp(name, again);
}

/* How many files the folder must hold; an error when what it holds are not these. */
static int
count_files(const char *folder, size_t *ret, struct error *err)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	size_t i, n, seen = 0;
	bool mixed = false;

	if (!dir)
		return error_errno(err, errno, "cannot open `%s`", folder);
	*ret = 0;
	while ((entry = readdir(dir)))
		if (read_name(entry->d_name, &i, &n)) {
			mixed = mixed || (seen && n != *ret) || i >= n;
			*ret = n;
			seen++;
		}
	closedir(dir);
	if (mixed)
		return error_set(err, "`%s`: token shards of several writings are mixed", folder);
	if (!seen)
		return error_set(err, "`%s`: a folder without token shards (tokens-00000-of-00001)", folder);
	return 0;
}

static int
check_same(const struct shard_info *a, const struct shard_info *b, struct error *err)
{
	if (a->fields != b->fields || a->vocabulary != b->vocabulary || memcmp(a->tokenizer, b->tokenizer, SHARD_TOKENIZER) != 0)
		return error_set(err, "fields, vocabulary or tokenizer are not those of the shards before it");
	return 0;
}

static int
add_file(struct shard *shard, const char *path, struct error *err)
{
	struct shard_file *file = &shard->files[shard->n];
	unsigned char digest[4];
	uint32_t number;

	if (shard_file_open(file, path, err))
		return -1;
	number = shard_file_digest(file);
	file->first = shard->info.documents;
	if (!shard->n++) {
		shard->info = file->info;
		shard->digest = number;
		return 0;
	}
	if (check_same(&shard->info, &file->info, err))
		return error_prefix(err, "`%s`", path);
	shard->info.documents += file->info.documents;
	shard->info.tokens += file->info.tokens;
	for (int i = 0; i < 4; i++)
		digest[i] = (unsigned char)(number >> (8 * i));
	shard->digest = shard_checksum(shard->digest, digest, sizeof(digest));
	return 0;
}

static int
open_folder(struct shard *shard, const char *folder, struct error *err)
{
	CLEANUP(buf_release) struct buf path = { 0 };
	size_t n = 0;

	if (count_files(folder, &n, err))
		return -1;
	shard->files = xcalloc(n, sizeof(*shard->files));
	for (size_t i = 0; i < n; i++) {
		buf_clear(&path);
		buf_printf(&path, "%s/" SHARD_NAME, folder, i, n);
		if (add_file(shard, buf_text(&path), err))
			return -1;
	}
	return 0;
}

struct shard *
shard_open(const char *path, struct error *err)
{
	struct shard *shard = xcalloc(1, sizeof(*shard));
	struct stat st;
	int result;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		result = open_folder(shard, path, err);
	} else {
		shard->files = xcalloc(1, sizeof(*shard->files));
		result = add_file(shard, path, err);
	}
	if (!result)
		return shard;
	shard_close(shard);
	return NULL;
}

void
shard_close(struct shard *shard)
{
	if (!shard)
		return;
	for (size_t i = 0; i < shard->n; i++)
		shard_file_close(&shard->files[i]);
	free(shard->files);
	free(shard);
}

/* ---- documents ---- */

const struct shard_info *
shard_info(const struct shard *shard)
{
	return &shard->info;
}

uint32_t
shard_digest(const struct shard *shard)
{
	return shard->digest;
}

/* The file that a document is in. Files may be empty: of those that begin with the same document it is the last. */
static const struct shard_file *
file_of(const struct shard *shard, uint64_t document)
{
	size_t low = 0, high = shard->n;

	if (document >= shard->info.documents)
		BUG("document %" PRIu64 " of %" PRIu64, document, shard->info.documents);
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (shard->files[middle].first <= document)
			low = middle;
		else
			high = middle;
	}
	return &shard->files[low];
}

uint64_t
shard_length(const struct shard *shard, uint64_t document, uint32_t field)
{
	const struct shard_file *file = file_of(shard, document);

	return shard_file_length(file, document - file->first, field);
}

int
shard_read(const struct shard *shard, uint64_t document, uint32_t field, struct token_ids *ret, struct error *err)
{
	const struct shard_file *file = file_of(shard, document);

	return shard_file_read(file, document - file->first, field, ret, err);
}
