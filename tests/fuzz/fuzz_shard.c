/* A byte that says what is done, then a token shard. Whatever that is: it is refused, or all of its documents can be read, and come once each in
 * the batches of an epoch, packed and padded. With an odd first byte both checksums are made right first, or nothing would get past them. */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "base/macros.h"
#include "runtime/train/loader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
put_checksum(uint8_t *at, const uint8_t *bytes, size_t len)
{
	uint32_t checksum = (uint32_t)crc32(0, bytes, (uInt)len);

	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(checksum >> (8 * i));
}

static bool
all_can_be_read(const struct shard *shard)
{
	const struct shard_info *info = shard_info(shard);
	struct token_ids ids = { 0 };
	uint64_t tokens = 0;
	bool good = true;

	for (uint64_t d = 0; d < info->documents; d++)
		for (uint32_t f = 0; f < info->fields; f++) {
			ids.n = 0;
			good = !shard_read(shard, d, f, &ids, NULL) && good;
			if (good && ids.n != shard_length(shard, d, f))
				BUG("field %u of document %llu has %zu ids", f, (unsigned long long)d, ids.n);
			tokens += shard_length(shard, d, f);
		}
	if (tokens != info->tokens)
		BUG("the fields have %llu ids", (unsigned long long)tokens);
	vec_release(&ids);
	return good;
}

static void
try_epoch(struct loader *loader, size_t max)
{
	struct loader_cursor cursor = { 0 };
	size_t documents = 0;

	for (size_t i = loader_batches(loader, 0); i > 0; i--) {
		const struct model_batch *b;

		if (loader_next(loader, &cursor, &b, NULL))
			BUG("a document that was read before cannot be read");
		if (!b->N || b->N > max || b->longest > b->N || loader_tokens(loader) > b->N || (size_t)b->starts[b->documents] != b->N)
			BUG("a batch of %zu tokens", b->N);
		documents += b->documents;
	}
	if (cursor.epoch || documents != loader_documents(loader, false))
		BUG("%zu of %zu documents are in the batches", documents, loader_documents(loader, false));
}

static void
try_shard(const char *path, uint8_t what)
{
	struct loader_options options = { .context = 8 + (what >> 3), .dev_share = what & 4 ? 0.3 : 0, .target_only = what & 2, .seed = what };
	struct shard *shard = shard_open(path, NULL);
	bool good = shard && all_can_be_read(shard);

	options.tokens = options.context + 5;
	for (int padded = 0; shard && padded < 2; padded++) {
		struct loader *loader;

		options.padding = padded ? LOADER_BUCKETED : LOADER_PACKED;
		loader = loader_open(shard, &options, NULL);
		if (loader && !good)
			BUG("a shard with a bad id is taken");
		if (loader)
			try_epoch(loader, options.tokens);
		loader_close(loader);
	}
	shard_close(shard);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;
	char path[64];
	int fd;

	if (size < 2)
		return 0;
	fd = memfd_create("shard", MFD_CLOEXEC);
	copy = xmalloc(size - 1);
	memcpy(copy, data + 1, size - 1);
	if (data[0] & 1 && size > SHARD_HEADER) {
		put_checksum(copy + 56, copy + SHARD_HEADER, size - 1 - SHARD_HEADER);
		put_checksum(copy + 60, copy, 60);
	}
	if (fd < 0 || write(fd, copy, size - 1) != (ssize_t)(size - 1))
		BUG("no file can be written");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	try_shard(path, data[0]);
	close(fd);
	free(copy);
	return 0;
}
