/* A file of records, as Tensor2Tensor's data and TensorBoard's event files are, of any bytes; and any bytes as a tf.Example. */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "runtime/train/example.h"
#include "runtime/train/tfrecord.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What can be read comes back when it is written and read again. */
static void
try_example(const unsigned char *bytes, size_t len)
{
	static const char *const names[] = { "inputs" };
	struct token_ids ids = { 0 }, again = { 0 };
	CLEANUP(buf_release) struct buf buf = { 0 };

	if (!example_read(bytes, len, names[0], &ids, NULL)) {
		example_write(&buf, names, &ids, 1);
		if (example_read((const unsigned char *)buf_text(&buf), buf.len, names[0], &again, NULL) || again.n != ids.n ||
			(ids.n && memcmp(ids.items, again.items, ids.n * sizeof(*ids.items)) != 0))
			BUG("%zu ids come back as %zu", ids.n, again.n);
	}
	vec_release(&ids);
	vec_release(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(buf_release) struct buf whole = { 0 };
	struct tfrecord *records;
	const unsigned char *bytes;
	FILE *file;
	size_t len;

	try_example(data, size);
	/* A true record before the bytes, so that the reader is always on its way when it meets them. */
	tfrecord_write(&whole, data, size);
	buf_add(&whole, data, size);
	file = fmemopen(whole.data, whole.len, "rb");
	if (!file)
		return 0;
	records = tfrecord_from(file, "bytes");
	if (tfrecord_next(records, &bytes, &len, NULL) != 1 || len != size || (size && memcmp(bytes, data, size) != 0))
		BUG("a record of %zu bytes is not what it was", size);
	while (tfrecord_next(records, &bytes, &len, NULL) > 0)
		try_example(bytes, len);
	tfrecord_close(records);
	return 0;
}
