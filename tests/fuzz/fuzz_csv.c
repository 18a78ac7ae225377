/* CSV from any bytes, in pieces: every field lies in the record, and written fields are read as they were. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "runtime/step/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
	const uint8_t *data;
	size_t len, at, piece;
};

static long
give(void *context, char *bytes, size_t len, struct error *err UNUSED)
{
	struct bytes *from = context;
	size_t n = from->len - from->at;

	n = n < from->piece ? n : from->piece;
	n = n < len ? n : len;
	if (n)
		memcpy(bytes, from->data + from->at, n);
	from->at += n;
	return (long)n;
}

static void
write_back(const struct csv *csv, struct buf *buf)
{
	for (size_t i = 0; i < csv->n_fields; i++) {
		if (i)
			buf_putc(buf, ',');
		csv_write_field(buf, csv->fields[i].text, csv->fields[i].len);
	}
	buf_putc(buf, '\n');
}

static void
check_again(const struct csv *first, const struct buf *text)
{
	struct bytes from = { (const uint8_t *)text->data, text->len, 0, 1 + text->len };
	struct csv *csv = xmalloc(sizeof(*csv));

	csv_init(csv, give, &from);
	csv->begun = true; /* no byte order mark, no other separator: this is ours */
	if (csv_next(csv, NULL) == 1) {
		if (csv->n_fields != first->n_fields)
			BUG("%zu fields became %zu", first->n_fields, csv->n_fields);
		for (size_t i = 0; i < csv->n_fields; i++)
			if (csv->fields[i].len != first->fields[i].len ||
			    (csv->fields[i].len && memcmp(csv->fields[i].text, first->fields[i].text, csv->fields[i].len)))
				BUG("field %zu is not what it was", i);
	}
	csv_release(csv);
	free(csv);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes from = { data, size, 0, 1 + (size ? data[0] % 9 : 0) };
	struct csv *csv = xmalloc(sizeof(*csv));
	struct error err;

	csv_init(csv, give, &from);
	while (csv_next(csv, &err) > 0) {
		struct buf again = { 0 };

		write_back(csv, &again);
		check_again(csv, &again);
		buf_release(&again);
	}
	csv_release(csv);
	free(csv);
	return 0;
}
