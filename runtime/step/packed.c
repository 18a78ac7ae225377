#include "config.h"

#include "runtime/step/packed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/macros.h"
#include "runtime/step/packed_private.h"

enum {
	READ_SIZE = 64 * 1024,
	MAGIC_MAX = 5,
	GZIP = 16 + MAX_WBITS, /* zlib's word for it */
};

enum packing { PACKING_NONE, PACKING_GZIP, PACKING_ZSTD };

struct packed {
	int fd;
	enum packing packing;
	char *bytes; /* of the file, READ_SIZE of them */
	struct packed_input input;
	bool at_end; /* of the file */
	z_stream gzip;
	bool gzip_begun; /* to be released */
	bool in_member; /* of gzip: begun, not ended */
	bool in_padding; /* behind the last one: only zeros */
	struct zstd *zstd;
	uint64_t taken, given; /* bytes of the file, and what they became */
};

/* More input behind the first `kept` bytes of it. */
static int
read_more(struct packed *packed, size_t kept, struct error *err)
{
	ssize_t n;

	do
		n = read(packed->fd, packed->bytes + kept, READ_SIZE - kept);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_errno(err, errno, "it cannot be read");
	packed->input = (struct packed_input){ packed->bytes, kept + (size_t)n, 0 };
	packed->at_end = n == 0;
	packed->taken += (uint64_t)n;
	return 0;
}

/* ---- gzip ---- */

static int
begin_member(struct packed *packed)
{
	int rc = packed->gzip_begun ? inflateReset(&packed->gzip) : inflateInit2(&packed->gzip, GZIP);

	if (rc != Z_OK)
		BUG("zlib does not begin");
	packed->gzip_begun = packed->in_member = true;
	return 0;
}

/* Behind a member: another one, or the zeros with which tapes and discs fill up. */
static int
between_members(struct packed *packed, struct error *err)
{
	struct packed_input *input = &packed->input;

	while (input->at < input->len && !input->bytes[input->at]) {
		packed->in_padding = true;
		input->at++;
	}
	if (input->at == input->len)
		return 0;
	if (packed->in_padding || input->bytes[input->at] != '\x1F')
		return error_set(err, "there is something that is not gzip behind its gzip data");
	return begin_member(packed);
}

static int
gunzip(struct packed *packed, char *bytes, size_t len, size_t *ret_n, struct error *err)
{
	struct packed_input *input = &packed->input;
	z_stream *z = &packed->gzip;
	int rc;

	*ret_n = 0;
	if (!packed->in_member && between_members(packed, err))
		return -1;
	if (!packed->in_member)
		return 0;
	z->next_in = (Bytef *)(uintptr_t)(input->bytes + input->at);
	z->avail_in = (uInt)(input->len - input->at);
	z->next_out = (Bytef *)bytes;
	z->avail_out = (uInt)len;
	rc = inflate(z, Z_NO_FLUSH);
	input->at = input->len - z->avail_in;
	*ret_n = len - z->avail_out;
	packed->in_member = rc != Z_STREAM_END;
	if (rc == Z_MEM_ERROR)
		BUG("no memory");
	/* Z_BUF_ERROR: it wants more input. */
	if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
		return error_set(err, "its gzip data are damaged: %s", z->msg ? z->msg : "not gzip");
	return 0;
}

/* ---- all of them ---- */

static bool
begins_with(const struct packed_input *input, const char *bytes, size_t len)
{
	return input->len >= len && !memcmp(input->bytes, bytes, len);
}

/* A frame of zstd, or one that is to be skipped: 0x184D2A50 to 0x184D2A5F, little-endian. */
static bool
is_zstd(const struct packed_input *input)
{
	return begins_with(input, "\x28\xB5\x2F\xFD", 4) ||
	       (input->len >= 4 && (input->bytes[0] & 0xF0) == 0x50 && !memcmp(input->bytes + 1, "\x2A\x4D\x18", 3));
}

static int
refuse_others(const struct packed *packed, struct error *err)
{
	static const struct {
		const char *magic;
		size_t len;
		const char *name, *what;
	} others[] = {
		{ "PK\3\4", 4, "a zip archive", "unpack it first" },
		{ "BZh", 3, "packed by bzip2", "unpack it first" },
		{ "\xFD" "7zXZ", 5, "packed by xz", "unpack it first" },
		{ "\xFF\xFE", 2, "UTF-16", "save it as UTF-8" },
		{ "\xFE\xFF", 2, "UTF-16", "save it as UTF-8" },
		{ "PAR1", 4, "Parquet", "save it as CSV or JSON lines" },
	};

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (begins_with(&packed->input, others[i].magic, others[i].len))
			return error_set(err, "it is %s, which is not read here: %s", others[i].name, others[i].what);
	return 0;
}

static int
begin(struct packed *packed, struct error *err)
{
	/* A pipe may give less than a magic number. */
	while (packed->input.len < MAGIC_MAX && !packed->at_end)
		if (read_more(packed, packed->input.len, err))
			return -1;
	if (begins_with(&packed->input, "\x1F\x8B", 2)) {
		packed->packing = PACKING_GZIP;
		return begin_member(packed);
	}
	if (!is_zstd(&packed->input))
		return refuse_others(packed, err);
	packed->packing = PACKING_ZSTD;
	packed->zstd = zstd_open(err);
	return packed->zstd ? 0 : -1;
}

struct packed *
packed_open(const char *path, struct error *err)
{
	struct packed *packed = xcalloc(1, sizeof(*packed));

	packed->bytes = xmalloc(READ_SIZE);
	packed->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (packed->fd < 0)
		error_errno(err, errno, "cannot open `%s`", path);
	else if (begin(packed, err))
		error_prefix(err, "`%s`", path);
	else
		return packed;
	packed_close(packed);
	return NULL;
}

void
packed_close(struct packed *packed)
{
	if (!packed)
		return;
	if (packed->fd >= 0)
		close(packed->fd);
	if (packed->gzip_begun)
		inflateEnd(&packed->gzip);
	zstd_close(packed->zstd);
	free(packed->bytes);
	free(packed);
}

static size_t
take_as_it_is(struct packed *packed, char *bytes, size_t len)
{
	size_t n = packed->input.len - packed->input.at;

	n = n < len ? n : len;
	if (n)
		memcpy(bytes, packed->input.bytes + packed->input.at, n);
	packed->input.at += n;
	return n;
}

/* What the input at hand gives: 0 bytes when it wants more. */
static int
unpack(struct packed *packed, char *bytes, size_t len, size_t *ret_n, struct error *err)
{
	if (packed->packing == PACKING_GZIP)
		return gunzip(packed, bytes, len, ret_n, err);
	if (packed->packing == PACKING_ZSTD)
		return zstd_unpack(packed->zstd, &packed->input, bytes, len, ret_n, err);
	*ret_n = take_as_it_is(packed, bytes, len);
	return 0;
}

static int
check_end(const struct packed *packed, struct error *err)
{
	if (packed->in_member || (packed->zstd && !zstd_is_whole(packed->zstd)))
		return error_set(err, "it is cut off: it ends within its %s data", packed->zstd ? "zstd" : "gzip");
	return 0;
}

static int
check_growth(const struct packed *packed, struct error *err)
{
	if (!packed->packing || packed->given <= PACKED_FREE || packed->given / PACKED_RATIO <= packed->taken)
		return 0;
	return error_set(err, "it grows to more than %d times its size when it is unpacked, which no table does", PACKED_RATIO);
}

long
packed_read(void *context, char *bytes, size_t len, struct error *err)
{
	struct packed *packed = context;

	for (;;) {
		size_t n = 0;

		if (unpack(packed, bytes, len, &n, err))
			return -1;
		packed->given += n;
		if (check_growth(packed, err))
			return -1;
		if (n)
			return (long)n;
		if (packed->input.at < packed->input.len)
			continue;
		if (packed->at_end)
			return check_end(packed, err);
		if (read_more(packed, 0, err))
			return -1;
	}
}
