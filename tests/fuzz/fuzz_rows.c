/* A table from any bytes, as they are and packed: rows come out as texts that are valid UTF-8, or there is an error. The first byte
 * says how: 0 as they are; else packed by gzip as it should be, cut, or with a byte changed. */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "base/macros.h"
#include "base/utf8.h"
#include "runtime/step/rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_texts(const struct rows *rows, const char *const *texts, size_t n)
{
	size_t has = 0;

	for (size_t i = 0; i < n; i++) {
		if (!utf8_valid(texts[i], strlen(texts[i])))
			BUG("a text is not UTF-8");
		has += rows_has(rows, i);
		if (!rows_has(rows, i) && *texts[i])
			BUG("a text that is not there is not empty");
	}
	if (has > n)
		BUG("%zu of %zu texts", has, n);
}

static void
read_all(const char *path)
{
	struct error err = { .text = "" };
	struct rows *rows = rows_open(path, &err);
	const char *const *texts;
	int more = 0;

	if (!rows && !*err.text)
		BUG("no error");
	while (rows && ((more = rows_next(rows, &texts, &err)) > 0 || (more && rows_is_bad_row(rows)))) {
		const char *const *names;

		if (more > 0)
			check_texts(rows, texts, rows_columns(rows, &names));
	}
	rows_close(rows);
}

/* The packed bytes, a block to be freed. */
static uint8_t *
pack(const uint8_t *data, size_t size, size_t *ret)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)size };
	uint8_t *bytes;

	if (deflateInit2(&z, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		BUG("zlib does not begin");
	*ret = deflateBound(&z, size);
	bytes = xmalloc(*ret);
	z.next_out = bytes;
	z.avail_out = (uInt)*ret;
	if (deflate(&z, Z_FINISH) != Z_STREAM_END)
		BUG("zlib does not end");
	*ret = z.total_out;
	deflateEnd(&z);
	return bytes;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("rows", MFD_CLOEXEC);
	uint8_t *packed = NULL;
	char path[64];

	if (fd < 0 || size < 3) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (*data) {
		size_t n, at;

		packed = pack(data + 2, size - 2, &n);
		at = (size_t)data[1] * n / 256;
		if (*data % 3 == 1)
			n = at;
		else if (*data % 3 == 2)
			packed[at] ^= *data;
		size = n;
	} else {
		data++;
		size--;
	}
	if (write(fd, packed ? packed : data, size) != (ssize_t)size)
		BUG("cannot write");
	read_all(path);
	free(packed);
	close(fd);
	return 0;
}
