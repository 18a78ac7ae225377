#include "config.h"

#include <stdint.h>
#include <string.h>
#include <zlib.h>

#include "dsl/target.h"

/* The file that Kubeflow looks for in an archive. */
static const char member[] = "pipeline.yaml";

enum {
	TAR_BLOCK = 512,
	TAR_RECORD = 20 * TAR_BLOCK, /* what tar pads an archive to */
	MEMBER_MODE = 0644,
	ZIP_VERSION = 20, /* deflate */
	ZIP_UNIX = 3, /* what the file's mode is of */
	ZIP_DEFLATED = 8,
	ZIP_DATE = 1 << 5 | 1, /* 1980-01-01, the first day there is */
};

int
package_from_name(const char *name, enum package *ret)
{
	static const struct {
		const char *end;
		enum package package;
	} ends[] = { { ".yaml", PACKAGE_YAML }, { ".yml", PACKAGE_YAML },	{ ".json", PACKAGE_JSON },
		     { ".tar.gz", PACKAGE_TAR_GZ }, { ".tgz", PACKAGE_TAR_GZ }, { ".zip", PACKAGE_ZIP } };
	size_t len = strlen(name);

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		size_t n = strlen(ends[i].end);

		if (len > n && !strcmp(name + len - n, ends[i].end)) {
			*ret = ends[i].package;
			return 0;
		}
	}
	return -1;
}

/* Appends the text compressed: with a gzip frame for window_bits 15 + 16, bare for -15. */
static int
deflate_text(struct buf *buf, const struct buf *text, int window_bits, struct error *err)
{
	z_stream z = { 0 };
	size_t bound;
	char *space;
	int rc;

	if (text->len > UINT32_MAX / 2)
		return error_set(err, "the text is too large to pack");
	if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return error_set(err, "zlib cannot compress: %s", z.msg ? z.msg : "no memory");
	bound = deflateBound(&z, text->len);
	space = buf_space(buf, bound);
	if (!space) {
		deflateEnd(&z);
		return error_set(err, "the package is too large");
	}
	z.next_in = (Bytef *)(uintptr_t)buf_text(text);
	z.avail_in = (uInt)text->len;
	z.next_out = (Bytef *)space;
	z.avail_out = (uInt)bound;
	rc = deflate(&z, Z_FINISH);
	buf_commit(buf, z.total_out);
	deflateEnd(&z);
	return rc == Z_STREAM_END ? 0 : error_set(err, "zlib cannot compress the package");
}

/* ---- tar.gz: a POSIX ustar header, the text, zeros to the end of the record ---- */

struct tar_header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100], magic[6], version[2], user[32],
		group[32], major[8], minor[8], prefix[155], rest[12];
};

/* Octal digits and a NUL. */
static void
put_octal(char *field, size_t size, unsigned long value)
{
	field[--size] = '\0';
	while (size) {
		field[--size] = (char)('0' + (value & 7));
		value >>= 3;
	}
}

static void
add_tar_header(struct buf *tar, size_t size)
{
	struct tar_header header = { .type = '0', .magic = "ustar", .version = { '0', '0' } };
	unsigned long sum = 0;

	_Static_assert(sizeof header == TAR_BLOCK, "a tar header is one block");
	memcpy(header.name, member, sizeof member);
	put_octal(header.mode, sizeof header.mode, MEMBER_MODE);
	put_octal(header.uid, sizeof header.uid, 0);
	put_octal(header.gid, sizeof header.gid, 0);
	put_octal(header.size, sizeof header.size, size);
	put_octal(header.mtime, sizeof header.mtime, 0);
	put_octal(header.major, sizeof header.major, 0);
	put_octal(header.minor, sizeof header.minor, 0);
	/* Counted with blanks in its own place; written as six digits, NUL, blank. */
	memset(header.checksum, ' ', sizeof header.checksum);
	for (size_t i = 0; i < sizeof header; i++)
		sum += ((const unsigned char *)&header)[i];
	put_octal(header.checksum, sizeof header.checksum - 1, sum);
	buf_add(tar, &header, sizeof header);
}

static int
write_tar_gz(struct buf *buf, const struct buf *text, struct error *err)
{
	CLEANUP(buf_release) struct buf tar = { 0 };

	add_tar_header(&tar, text->len);
	buf_add(&tar, buf_text(text), text->len);
	buf_repeat(&tar, '\0', (TAR_BLOCK - tar.len % TAR_BLOCK) % TAR_BLOCK + 2 * TAR_BLOCK);
	buf_repeat(&tar, '\0', (TAR_RECORD - tar.len % TAR_RECORD) % TAR_RECORD);
	if (tar.overflow)
		return error_set(err, "the package is too large");
	return deflate_text(buf, &tar, 15 + 16, err);
}

/* ---- zip: local header, the text, central directory (PKWARE's APPNOTE 4.3) ---- */

static void
add_little(struct buf *buf, unsigned long value, int bytes)
{
	for (; bytes; bytes--, value >>= 8)
		buf_putc(buf, (char)(value & 0xFF));
}

/* What the local header and the directory's entry share. */
static void
add_zip_facts(struct buf *buf, const struct buf *text, size_t packed)
{
	add_little(buf, ZIP_VERSION, 2);
	add_little(buf, 0, 2); /* flags */
	add_little(buf, ZIP_DEFLATED, 2);
	add_little(buf, 0, 2); /* time */
	add_little(buf, ZIP_DATE, 2);
	add_little(buf, crc32(0, (const Bytef *)buf_text(text), (uInt)text->len), 4);
	add_little(buf, packed, 4);
	add_little(buf, text->len, 4);
	add_little(buf, sizeof member - 1, 2);
	add_little(buf, 0, 2); /* extra */
}

static void
add_zip_directory(struct buf *buf, const struct buf *text, size_t packed, size_t start)
{
	size_t at = buf->len, size;

	buf_puts(buf, "PK\1\2");
	add_little(buf, ZIP_UNIX << 8 | ZIP_VERSION, 2);
	add_zip_facts(buf, text, packed);
	add_little(buf, 0, 2 + 2 + 2); /* comment, disk, internal attributes */
	add_little(buf, (0100000UL | MEMBER_MODE) << 16, 4);
	add_little(buf, 0, 4); /* where the local header is */
	buf_puts(buf, member);
	size = buf->len - at;
	buf_puts(buf, "PK\5\6");
	add_little(buf, 0, 2 + 2); /* disks */
	add_little(buf, 1, 2);
	add_little(buf, 1, 2);
	add_little(buf, size, 4);
	add_little(buf, at - start, 4);
	add_little(buf, 0, 2); /* comment */
}

static int
write_zip(struct buf *buf, const struct buf *text, struct error *err)
{
	CLEANUP(buf_release) struct buf packed = { 0 };
	size_t start = buf->len;

	if (deflate_text(&packed, text, -15, err))
		return -1;
	buf_puts(buf, "PK\3\4");
	add_zip_facts(buf, text, packed.len);
	buf_puts(buf, member);
	buf_add(buf, packed.data, packed.len);
	add_zip_directory(buf, text, packed.len, start);
	return 0;
}

static int
write_archive(struct buf *buf, const struct value *object, enum package package, struct error *err)
{
	CLEANUP(buf_release) struct buf text = { 0 };

	yaml_write(&text, object);
	if (text.overflow)
		return error_set(err, "the package is too large");
	return package == PACKAGE_ZIP ? write_zip(buf, &text, err) : write_tar_gz(buf, &text, err);
}

int
package_write(struct buf *buf, const struct value *object, enum package package, struct error *err)
{
	int rc = 0;

	if (package == PACKAGE_JSON) {
		value_write_json_pretty(buf, object, 2);
		buf_putc(buf, '\n');
	} else if (package == PACKAGE_YAML) {
		yaml_write(buf, object);
	} else {
		rc = write_archive(buf, object, package, err);
	}
	if (!rc && buf->overflow)
		rc = error_set(err, "the package is too large");
	return rc;
}
