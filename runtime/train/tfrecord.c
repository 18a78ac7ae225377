#include "config.h"

#include "runtime/train/tfrecord.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/macros.h"
#include "runtime/train/events.h"
#include "runtime/train/proto.h"

enum { LENGTH = 8, CHECKSUM = 4 };

struct tfrecord {
	FILE *file;
	char *name;
	uint64_t n; /* records so far */
	unsigned char *bytes;
	size_t cap;
};

/* A checksum of bytes that hold their own checksum would be the same for all of them: it is turned. */
static uint32_t
masked_crc(const void *bytes, size_t len)
{
	uint32_t crc = events_crc(bytes, len);

	return (crc >> 15 | crc << 17) + 0xA282EAD8u;
}

void
tfrecord_write(struct buf *buf, const void *bytes, size_t len)
{
	CLEANUP(buf_release) struct buf head = { 0 };

	proto_little(&head, len, LENGTH);
	proto_little(&head, masked_crc(head.data, LENGTH), CHECKSUM);
	buf_add(buf, head.data, head.len);
	buf_add(buf, bytes, len);
	proto_little(buf, masked_crc(bytes, len), CHECKSUM);
}

struct tfrecord *
tfrecord_from(FILE *file, const char *name)
{
	struct tfrecord *r = xcalloc(1, sizeof(*r));

	*r = (struct tfrecord){ .file = file, .name = xstrdup(name) };
	return r;
}

struct tfrecord *
tfrecord_open(const char *path, struct error *err)
{
	FILE *file = fopen(path, "rbe");

	if (file)
		return tfrecord_from(file, path);
	error_errno(err, errno, "cannot open `%s`", path);
	return NULL;
}

void
tfrecord_close(struct tfrecord *r)
{
	if (!r)
		return;
	fclose(r->file);
	free(r->name);
	free(r->bytes);
	free(r);
}

static uint64_t
little(const unsigned char *bytes, unsigned n)
{
	uint64_t ret = 0;

	for (unsigned i = 0; i < n; i++)
		ret |= (uint64_t)bytes[i] << (8 * i);
	return ret;
}

static int
bad(const struct tfrecord *r, const char *why, struct error *err)
{
	return error_set(err, "`%s`, record %" PRIu64 ": %s", r->name, r->n + 1, why);
}

static int
cut_off(const struct tfrecord *r, struct error *err)
{
	return ferror(r->file) ? error_errno(err, errno, "cannot read `%s`", r->name) : bad(r, "the file is cut off in it", err);
}

int
tfrecord_next(struct tfrecord *r, const unsigned char **ret, size_t *ret_len, struct error *err)
{
	unsigned char head[LENGTH + CHECKSUM];
	size_t got = fread(head, 1, sizeof(head), r->file), whole;
	uint64_t len;

	if (!got && feof(r->file))
		return 0;
	if (got < sizeof(head))
		return cut_off(r, err);
	len = little(head, LENGTH);
	if (little(head + LENGTH, CHECKSUM) != masked_crc(head, LENGTH))
		return bad(r, "the checksum of its length is wrong: this is no file of records, or it is damaged", err);
	if (len > TFRECORD_MAX)
		return bad(r, "it is too long", err);
	whole = (size_t)len + CHECKSUM;
	if (whole > r->cap) {
		r->cap = whole + whole / 2;
		r->bytes = xrealloc(r->bytes, r->cap);
	}
	if (fread(r->bytes, 1, whole, r->file) < whole)
		return cut_off(r, err);
	if (little(r->bytes + len, CHECKSUM) != masked_crc(r->bytes, (size_t)len))
		return bad(r, "its checksum is wrong: the file is damaged", err);
	r->n++;
	*ret = r->bytes;
	*ret_len = (size_t)len;
	return 1;
}
