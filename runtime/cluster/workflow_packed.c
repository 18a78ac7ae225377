#include "config.h"

#include "runtime/cluster/workflow_private.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { MAGIC = 4, OUT = 64 * 1024, IN = 4096 };

struct workflow_packed {
	struct json_scan *scan;
	z_stream zip;
	bool open, ended; /* the stream has begun; is whole */
	uint32_t bits; /* of base64 letters that make no whole byte yet */
	int n_bits;
	bool padded;
	unsigned char in[IN];
	size_t n_in;
	size_t total; /* bytes that came out */
	unsigned char out[OUT];
};

struct workflow_packed *
workflow_packed_new(struct json_scan *scan)
{
	struct workflow_packed *packed = xcalloc(1, sizeof *packed);

	packed->scan = scan;
	return packed;
}

void
workflow_packed_free(struct workflow_packed *packed)
{
	if (packed && packed->open)
		inflateEnd(&packed->zip);
	free(packed);
}

/* Argo 4.1 can be told to compress otherwise. */
static int
begin(struct workflow_packed *packed, struct error *err)
{
	static const unsigned char zstd[MAGIC] = { 0x28, 0xB5, 0x2F, 0xFD };

	if (packed->n_in >= 2 && packed->in[0] == 0x1F && packed->in[1] == 0x8B) {
		if (inflateInit2(&packed->zip, 16 + MAX_WBITS) != Z_OK)
			BUG("zlib does not begin");
		packed->open = true;
		return 0;
	}
	if (packed->n_in >= MAGIC && memcmp(packed->in, zstd, MAGIC) == 0)
		return error_set(err, "the nodes are compressed with zstd, which is not read here: Argo's own way is gzip");
	return error_set(err, "the nodes are compressed with something that is neither gzip nor zstd (it may be brotli), which is not read here");
}

static int
inflate_some(struct workflow_packed *packed, struct error *err)
{
	int status;
	size_t n;

	packed->zip.next_out = packed->out;
	packed->zip.avail_out = OUT;
	status = inflate(&packed->zip, Z_NO_FLUSH);
	if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
		return error_set(err, "the compressed nodes are no gzip: %s", packed->zip.msg ? packed->zip.msg : "broken");
	packed->ended = status == Z_STREAM_END;
	n = OUT - packed->zip.avail_out;
	packed->total += n;
	if (packed->total > WORKFLOW_BYTES_MAX)
		return error_set(err, "the nodes are longer than %d MiB", WORKFLOW_BYTES_MAX / 1024 / 1024);
	return json_scan_feed(packed->scan, (const char *)packed->out, n, err);
}

/* What lies in `in` comes out. */
static int
flush(struct workflow_packed *packed, struct error *err)
{
	if (!packed->n_in)
		return 0;
	if (!packed->open && begin(packed, err))
		return -1;
	packed->zip.next_in = packed->in;
	packed->zip.avail_in = (uInt)packed->n_in;
	packed->n_in = 0;
	do {
		if (packed->ended)
			return packed->zip.avail_in ? error_set(err, "something stands behind the compressed nodes") : 0;
		if (inflate_some(packed, err))
			return -1;
	} while (packed->zip.avail_in || !packed->zip.avail_out);
	return 0;
}

static int
letter(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 : c >= '0' && c <= '9' ? c - '0' + 52 :
	       c == '+' ? 62 : c == '/' ? 63 : -1;
}

static int
take(struct workflow_packed *packed, int six, struct error *err)
{
	packed->bits = (packed->bits << 6 | (uint32_t)six) & 0xFFFFFF;
	packed->n_bits += 6;
	if (packed->n_bits < 8)
		return 0;
	packed->n_bits -= 8;
	packed->in[packed->n_in++] = (unsigned char)(packed->bits >> packed->n_bits);
	return packed->n_in == IN ? flush(packed, err) : 0;
}

int
workflow_packed_feed(struct workflow_packed *packed, const char *text, size_t n, struct error *err)
{
	for (size_t i = 0; i < n; i++) {
		int six = letter(text[i]);

		if (text[i] == '=') {
			packed->padded = true;
			continue;
		}
		if (six < 0 || packed->padded)
			return error_set(err, "the compressed nodes are no base64");
		if (take(packed, six, err))
			return -1;
	}
	return 0;
}

int
workflow_packed_end(struct workflow_packed *packed, struct error *err)
{
	if (flush(packed, err))
		return -1;
	if (!packed->open)
		return 0;
	if (!packed->ended)
		return error_set(err, "the compressed nodes end too early");
	return json_scan_end(packed->scan, err);
}
