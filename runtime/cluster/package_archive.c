/* Pipelines in archives: tar within gzip (POSIX ustar), and zip (APPNOTE 6.3.9, without its 64-bit and encrypted forms). */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "runtime/cluster/package_read.h"

/* zlib's windowBits: with a gzip header, and without any (within zip). */
enum { BITS_GZIP = MAX_WBITS + 16, BITS_RAW = -MAX_WBITS };
enum { TAR_BLOCK = 512, TAR_NAME = 100, TAR_SIZE = 124, TAR_TYPE = 156 };
enum { ZIP_END = 22, ZIP_ENTRY = 46, ZIP_LOCAL = 30, ZIP_COMMENT_MAX = 65535 };

static int
inflate_all(const char *bytes, size_t n, int bits, struct buf *ret, struct error *err)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (uInt)n };
	int rc = inflateInit2(&z, bits);

	while (rc == Z_OK) {
		char *room = buf_space(ret, 64 * 1024);

		if (!room)
			break;
		z.next_out = (Bytef *)room;
		z.avail_out = 64 * 1024;
		rc = inflate(&z, Z_NO_FLUSH);
		buf_commit(ret, 64 * 1024 - z.avail_out);
		if (rc == Z_OK && z.avail_out == 64 * 1024)
			rc = Z_BUF_ERROR; /* it ends before it is whole */
	}
	inflateEnd(&z);
	if (rc == Z_STREAM_END)
		return 0;
	return error_set(err, rc == Z_OK ? "what is in it is longer than %d bytes" : "it is broken, or cut off", (int)PACKAGE_BYTES_MAX);
}

/* 2: what is looked for first; 1: the next best; 0: not at all. */
static int
rank_of(const char *name, size_t len)
{
	static const char best[] = "pipeline.yaml", good[] = ".yaml";

	if (len >= sizeof best - 1 && !memcmp(name + len - (sizeof best - 1), best, sizeof best - 1) &&
	    (len == sizeof best - 1 || name[len - sizeof best] == '/'))
		return 2;
	return len >= sizeof good - 1 && !memcmp(name + len - (sizeof good - 1), good, sizeof good - 1);
}

/* ---- tar ---- */

static int
find_in_tar(const struct buf *tar, struct buf *ret, struct error *err)
{
	const char *found = NULL;
	size_t len = 0;
	int best = 0;

	for (size_t at = 0; at + TAR_BLOCK <= tar->len && tar->data[at];) {
		const char *head = tar->data + at;
		char number[13] = "";
		size_t size;
		int rank = rank_of(head, strnlen(head, TAR_NAME));

		memcpy(number, head + TAR_SIZE, 12);
		size = strtoul(number, NULL, 8);
		if (size > tar->len - at - TAR_BLOCK)
			return error_set(err, "it is broken, or cut off");
		if ((head[TAR_TYPE] == '0' || !head[TAR_TYPE]) && rank > best) {
			best = rank;
			found = head + TAR_BLOCK;
			len = size;
		}
		at += TAR_BLOCK + (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
	}
	if (!found)
		return error_set(err, "there is no pipeline.yaml in it");
	buf_add(ret, found, len);
	return 0;
}

/* ---- zip ---- */

static uint32_t
number_at(const char *bytes, size_t n)
{
	uint32_t number = 0;

	while (n--)
		number = number << 8 | (unsigned char)bytes[n];
	return number;
}

/* Where the directory's end is; NULL if there is none. */
static const char *
find_end(const char *bytes, size_t n)
{
	for (size_t back = ZIP_END; back <= n && back <= (size_t)ZIP_END + ZIP_COMMENT_MAX; back++)
		if (!memcmp(bytes + n - back, "PK\5\6", 4))
			return bytes + n - back;
	return NULL;
}

static int
take_entry(const char *bytes, size_t n, const char *entry, struct buf *ret, struct error *err)
{
	size_t at = number_at(entry + 42, 4), size = number_at(entry + 20, 4), head;
	uint32_t method = number_at(entry + 10, 2);

	if (at > n || n - at < ZIP_LOCAL || memcmp(bytes + at, "PK\3\4", 4) != 0)
		return error_set(err, "it is broken, or cut off");
	head = ZIP_LOCAL + number_at(bytes + at + 26, 2) + number_at(bytes + at + 28, 2);
	if (n - at < head || n - at - head < size)
		return error_set(err, "it is broken, or cut off");
	if (number_at(entry + 8, 2) & 1)
		return error_set(err, "it is encrypted");
	if (method == 8)
		return inflate_all(bytes + at + head, size, BITS_RAW, ret, err);
	if (method != 0)
		return error_set(err, "it is packed in a way that is not known here");
	buf_add(ret, bytes + at + head, size);
	return 0;
}

static int
find_in_zip(const char *bytes, size_t n, struct buf *ret, struct error *err)
{
	const char *end = find_end(bytes, n), *found = NULL;
	size_t at = end ? number_at(end + 16, 4) : n, count = end ? number_at(end + 10, 2) : 0;
	int best = 0;

	for (; count; count--) {
		size_t name, extra;
		int rank;

		if (at > n || n - at < ZIP_ENTRY || memcmp(bytes + at, "PK\1\2", 4) != 0)
			return error_set(err, "it is broken, or cut off");
		name = number_at(bytes + at + 28, 2);
		extra = number_at(bytes + at + 30, 2) + number_at(bytes + at + 32, 2);
		if (n - at - ZIP_ENTRY < name + extra)
			return error_set(err, "it is broken, or cut off");
		rank = rank_of(bytes + at + ZIP_ENTRY, name);
		if (rank > best) {
			best = rank;
			found = bytes + at;
		}
		at += ZIP_ENTRY + name + extra;
	}
	if (!found)
		return error_set(err, end ? "there is no pipeline.yaml in it" : "it is broken, or cut off");
	return take_entry(bytes, n, found, ret, err);
}

int
package_unpack(const char *bytes, size_t n, struct buf *ret, struct error *err)
{
	struct buf tar = { .max = PACKAGE_BYTES_MAX };
	int rc;

	if (n >= 4 && !memcmp(bytes, "PK", 2) && (unsigned char)bytes[2] < 9)
		return find_in_zip(bytes, n, ret, err);
	if (n < 2 || (unsigned char)bytes[0] != 0x1f || (unsigned char)bytes[1] != 0x8b)
		return 1;
	rc = inflate_all(bytes, n, BITS_GZIP, &tar, err);
	if (!rc)
		rc = find_in_tar(&tar, ret, err);
	buf_release(&tar);
	return rc;
}
