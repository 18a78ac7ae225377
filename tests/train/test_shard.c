#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/buf.h"
#include "runtime/train/shard_folder.h"
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

/* ---- folders ---- */

/* Documents of one field and six ids each, which count up. */
static size_t
write_folder(const char *path, uint64_t documents, uint64_t limit, uint32_t vocabulary)
{
	struct shard_info info = { .fields = 1, .vocabulary = vocabulary, .tokenizer = "12345678" };
	struct error err = { "" };
	struct shard_folder *folder = shard_folder_create(path, &info, limit, &err);
	struct token_ids ids = { 0 };
	size_t files = 0;

	for (uint32_t d = 0; folder && d < documents; d++) {
		ids.n = 0;
		for (uint32_t i = 0; i < 6; i++)
			vec_push(&ids, (6 * d + i) % vocabulary);
		shard_folder_add(folder, &ids, &err);
	}
	ok(folder && !shard_folder_finish(folder, &info, &files, &err), "%llu documents are written %s", (unsigned long long)documents, err.text);
	is_int((int64_t)info.documents, (int64_t)documents, "all of them");
	is_int((int64_t)info.tokens, 6 * (int64_t)documents, "with their tokens");
	vec_release(&ids);
	return files;
}

static uint32_t
check_documents(const char *path, uint64_t documents, uint32_t vocabulary)
{
	struct error err = { "" };
	struct shard *shard = shard_open(path, &err);
	struct token_ids ids = { 0 };
	bool same = shard != NULL;
	uint32_t digest = shard ? shard_digest(shard) : 0;

	is_str(err.text, "", "opened");
	for (uint64_t d = 0; same && d < documents; d++) {
		ids.n = 0;
		same = shard_length(shard, d, 0) == 6 && !shard_read(shard, d, 0, &ids, NULL);
		for (uint32_t i = 0; same && i < 6; i++)
			same = ids.items[i] == (6 * d + i) % vocabulary;
	}
	ok(same && shard_info(shard)->documents == documents && shard_info(shard)->tokens == 6 * documents, "the documents are what was written");
	vec_release(&ids);
	shard_close(shard);
	return digest;
}

static void
test_folders(const char *folder)
{
	static const struct {
		uint64_t documents, limit;
		size_t files;
	} cases[] = { { 20, 0, 1 }, { 20, 18, 7 }, { 20, 17, 7 }, { 21, 18, 7 }, { 20, 1, 20 }, { 20, 1000, 1 }, { 0, 100, 1 }, { 1, 6, 1 } };
	struct buf path = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		buf_clear(&path);
		buf_printf(&path, "%s/case-%zu", folder, i);
		is_int((int64_t)write_folder(buf_text(&path), cases[i].documents, cases[i].limit, 300), (int64_t)cases[i].files, "in so many files");
		check_documents(buf_text(&path), cases[i].documents, 300);
	}
	ok(check_documents(buf_text(&path), 1, 300) != 0, "one has a digest");
	buf_release(&path);
}

static void
refuses(const char *path, const char *why)
{
	struct error err = { "" };
	struct shard *shard = shard_open(path, &err);

	ok(!shard, "refused");
	contains(err.text, why, "and told why");
	shard_close(shard);
}

static void
change_byte(const char *path, long at)
{
	FILE *file = fopen(path, "r+b");

	fseek(file, at, SEEK_SET);
	fputc('X', file);
	fclose(file);
}

/* Of a folder's files one is damaged, missing, too many, or of another writing: each is named. */
static void
test_bad_folders(const char *folder)
{
	struct buf path = { 0 }, second = { 0 }, other = { 0 };

	buf_printf(&path, "%s/bad", folder);
	buf_printf(&second, "%s/bad/tokens-00001-of-00003", folder);
	buf_printf(&other, "%s/other", folder);
	write_folder(buf_text(&path), 9, 18, 300);
	change_byte(buf_text(&second), 70);
	refuses(buf_text(&path), "tokens-00001-of-00003`: the file is damaged: its checksum differs");
	change_byte(buf_text(&second), 8);
	refuses(buf_text(&path), "tokens-00001-of-00003`: a token shard of version 88, of which only 1 is known");
	ok(!truncate(buf_text(&second), 100), "cut");
	refuses(buf_text(&path), "tokens-00001-of-00003`");
	unlink(buf_text(&second));
	refuses(buf_text(&path), "tokens-00001-of-00003`: No such file");
	write_shard(buf_text(&second), 300, 2);
	refuses(buf_text(&path), "tokens-00001-of-00003`: fields, vocabulary or tokenizer are not those of the shards before it");
	test_remove_tree(buf_text(&path));
	write_folder(buf_text(&path), 9, 18, 300);
	buf_clear(&second);
	buf_printf(&second, "%s/bad/tokens-00000-of-00002", folder);
	write_shard(buf_text(&second), 300, 2);
	refuses(buf_text(&path), "of several writings are mixed");
	ok(!mkdir(buf_text(&other), 0777), "an empty folder");
	refuses(buf_text(&other), "a folder without token shards");
	buf_release(&path);
	buf_release(&second);
	buf_release(&other);
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
	test_folders(folder);
	test_bad_folders(folder);
	ok(!shard_open("nowhere", &err), "a file that is not there");
	contains(err.text, "cannot open `nowhere`", "is named");
	ok(!shard_create("no/such/folder", &(struct shard_info){ .fields = 1, .vocabulary = 2 }, &err), "a place that is not there");
	buf_release(&path);
	test_remove_tree(folder);
	free(folder);
	return done_testing();
}
