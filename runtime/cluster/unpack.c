#include "config.h"

#include "runtime/cluster/unpack.h"

#include <stdint.h>
#include <string.h>
#include <zlib.h>

enum {
	BLOCK = 512,
	SLACK = 1024 * 1024, /* what tar may add to the file itself: headers and zeros at the end */
	GZIP = 16 + MAX_WBITS, /* zlib's word for it */
	PIECE = 64 * 1024,
};

bool
unpack_is_packed(const char *bytes, size_t n)
{
	return n > 2 && (unsigned char)bytes[0] == 0x1F && (unsigned char)bytes[1] == 0x8B;
}

/* All of it; -1 when it is none or grows past max. */
static int
inflate_all(const char *bytes, size_t n, size_t max, struct buf *ret, struct error *err)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (uInt)n };
	int code = n <= UINT32_MAX ? inflateInit2(&z, GZIP) : Z_DATA_ERROR;

	if (code != Z_OK)
		return error_set(err, "the archive cannot be unpacked");
	while (code == Z_OK && ret->len <= max) {
		z.next_out = (Bytef *)buf_space(ret, PIECE);
		z.avail_out = PIECE;
		code = z.next_out ? inflate(&z, Z_NO_FLUSH) : Z_MEM_ERROR;
		buf_commit(ret, PIECE - z.avail_out);
	}
	inflateEnd(&z);
	if (ret->len > max)
		return error_set(err, "what it unpacks to is longer than %zu bytes", max);
	return code == Z_STREAM_END ? 0 : error_set(err, "the archive is damaged");
}

/* Octal digits, with blanks or zeros around; -1: they are none. (Files past 8 GiB are written otherwise, and too long for us.) */
static int64_t
size_of(const char *header)
{
	int64_t size = 0;
	const char *at = header + 124, *end = at + 12;

	while (at < end && *at == ' ')
		at++;
	for (; at < end && *at && *at != ' '; at++) {
		if (*at < '0' || *at > '7')
			return -1;
		size = size * 8 + (*at - '0');
	}
	return size;
}

static bool
is_end(const char *header)
{
	for (size_t i = 0; i < BLOCK; i++)
		if (header[i])
			return false;
	return true;
}

int
unpack_file(const char *bytes, size_t n, size_t max, struct buf *ret, struct error *err)
{
	struct buf tar = { 0 };
	size_t at = 0, found = 0, from = 0, len = 0;
	int result = inflate_all(bytes, n, max < SIZE_MAX - SLACK ? max + SLACK : max, &tar, err);

	while (!result && at + BLOCK <= tar.len && !is_end(tar.data + at)) {
		const char *header = tar.data + at;
		int64_t size = size_of(header);

		at += BLOCK;
		if (size < 0 || (uint64_t)size > tar.len - at) {
			result = error_set(err, "the archive is damaged");
			break;
		}
		/* Folders, links and the longer names of what follows are of no interest. */
		if (header[156] == '0' || !header[156]) {
			found++;
			from = at;
			len = (size_t)size;
		}
		at += ((size_t)size + BLOCK - 1) / BLOCK * BLOCK;
		if (at > tar.len)
			at = tar.len;
	}
	if (!result && found != 1)
		result = found ? error_set(err, "it is a folder of %zu files", found) : error_set(err, "there is no file in the archive");
	if (!result && len > max)
		result = error_set(err, "it is longer than %zu bytes", max);
	if (!result)
		buf_add(ret, tar.data + from, len);
	buf_release(&tar);
	return result;
}
