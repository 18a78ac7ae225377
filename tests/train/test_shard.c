#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/buf.h"
#include "runtime/train/shard.h"
#include "tests/tap.h"

/* Documents of two fields: lengths 0, 1, 2… and ids that count up. */
static void
write_shard(const char *path, uint32_t vocabulary, uint64_t documents)
{
	struct shard_info info = { .fields = 2, .vocabulary = vocabulary, .tokenizer = "12345678" };
	struct shard_writer *writer = shard_create(path, &info, NULL);
	uint32_t next = 0, length = 0;
	bool written = true;

	for (uint64_t d = 0; d < documents; d++) {
		struct token_ids fields[2] = { 0 };

		for (int f = 0; f < 2; f++, length++)
			for (uint32_t i = 0; i < length; i++)
				vec_push(&fields[f], next++ % vocabulary);
		written = written && !shard_add(writer, fields, NULL);
		vec_release(&fields[0]);
		vec_release(&fields[1]);
	}
	ok(written && !shard_finish(writer, &info, NULL), "%llu documents are written", (unsigned long long)documents);
	is_int((int64_t)info.tokens, next, "with their tokens");
}

static void
test_round_trip(const char *path, uint32_t vocabulary, uint64_t documents)
{
	struct error err = { "" };
	struct shard *shard;
	uint32_t next = 0, length = 0;
	bool same = true;

	write_shard(path, vocabulary, documents);
	shard = shard_open(path, &err);
	is_str(err.text, "", "opened");
	if (!shard)
		return;
	is_int((int64_t)shard_info(shard)->documents, (int64_t)documents, "documents");
	is_int(shard_info(shard)->vocabulary, vocabulary, "vocabulary");
	is_mem(shard_info(shard)->tokenizer, 8, "12345678", 8, "tokenizer");
	for (uint64_t d = 0; d < documents; d++)
		for (uint32_t f = 0; f < 2; f++, length++) {
			struct token_ids ids = { 0 };

			same = same && !shard_read(shard, d, f, &ids, &err) && ids.n == length;
			for (size_t i = 0; same && i < ids.n; i++)
				same = ids.items[i] == next++ % vocabulary;
			vec_release(&ids);
		}
	ok(same, "all ids are what was written");
	shard_close(shard);
}

/* The file cut, or with a byte changed, is refused; so is a header that lies with its checksum made right. */
static void
test_damage(const char *path)
{
	static const struct {
		size_t at;
		unsigned char byte;
	} lies[] = { { 8, 2 }, { 12, 4 }, { 16, 0 }, { 16, 3 }, { 16, 255 }, { 22, 7 }, { 24, 9 }, { 31, 255 }, { 32, 9 }, { 39, 255 }, { 40, 0 }, { 47, 255 } };
	size_t len = 0, refused = 0;
	char *bytes;

	write_shard(path, 300, 3);
	bytes = test_read_file(path, &len);
	for (size_t i = 0; i < 2 * len + ARRAY_LEN(lies); i++) {
		FILE *file = fopen(path, "wb");
		size_t cut = i < len ? i : len, at = i < len ? len : i < 2 * len ? i - len : lies[i - 2 * len].at;
		char *copy = malloc(len + 1);
		struct shard *shard;

		memcpy(copy, bytes, len);
		copy[at] = i < 2 * len ? (char)(copy[at] ^ 1) : (char)lies[i - 2 * len].byte;
		if (i >= 2 * len) {
			uint32_t checksum = (uint32_t)crc32(0, (const Bytef *)copy, 60);

			for (int b = 0; b < 4; b++)
				copy[60 + b] = (char)(checksum >> (8 * b));
		}
		fwrite(copy, 1, cut, file);
		fclose(file);
		shard = shard_open(path, NULL);
		refused += !shard;
		if (shard)
			tap_note("taken: cut %zu, changed %zu", cut, at);
		shard_close(shard);
		free(copy);
	}
	is_int((int64_t)refused, (int64_t)(2 * len + ARRAY_LEN(lies)), "cut anywhere, changed anywhere, or lying: refused");
	free(bytes);
}

int
main(void)
{
	char *folder = test_temp_dir();
	struct buf path = { 0 };
	struct error err = { "" };

	buf_printf(&path, "%s/tokens", folder);
	test_round_trip(path.data, 300, 40);
	test_round_trip(path.data, 65536, 400);
	test_round_trip(path.data, 65537, 400);
	test_round_trip(path.data, 300, 0);
	test_damage(path.data);
	ok(!shard_open("nowhere", &err), "a file that is not there");
	contains(err.text, "cannot open `nowhere`", "is named");
	ok(!shard_create("no/such/folder", &(struct shard_info){ .fields = 1, .vocabulary = 2 }, &err), "a place that is not there");
	buf_release(&path);
	test_remove_tree(folder);
	free(folder);
	return done_testing();
}
