/* libzstd, without its header: its few functions that are called here, as its documentation has them. */
#include "config.h"

#include <dlfcn.h>
#include <stdlib.h>

#include "base/library.h"
#include "base/macros.h"
#include "runtime/step/packed_private.h"

struct zstd_output { /* ZSTD_outBuffer */
	void *bytes;
	size_t len, at;
};

struct zstd_input { /* ZSTD_inBuffer */
	const void *bytes;
	size_t len, at;
};

struct zstd {
	void *library;
	void *(*create)(void);
	size_t (*release)(void *stream);
	size_t (*unpack)(void *stream, struct zstd_output *output, struct zstd_input *input);
	unsigned (*is_error)(size_t code);
	const char *(*error_name)(size_t code);
	void *stream;
	bool is_whole; /* the last frame has ended, and nothing came behind it */
	bool is_full; /* there may be more without more input */
};

struct zstd *
zstd_open(struct error *err)
{
	struct zstd *zstd = xcalloc(1, sizeof(*zstd));
	const struct library_function functions[] = {
		{ "ZSTD_createDStream", &zstd->create },
		{ "ZSTD_freeDStream", &zstd->release },
		{ "ZSTD_decompressStream", &zstd->unpack },
		{ "ZSTD_isError", &zstd->is_error },
		{ "ZSTD_getErrorName", &zstd->error_name },
	};
	struct error why;

	zstd->is_whole = true;
	zstd->library = library_open("libzstd.so.1", functions, ARRAY_LEN(functions), &why);
	if (!zstd->library)
		error_set(err, "it is packed by zstd, and %s; install libzstd (Debian: libzstd1) or unpack the file", why.text);
	else if (!(zstd->stream = zstd->create()))
		error_set(err, "it is packed by zstd, and libzstd.so.1 does not start");
	if (zstd->stream)
		return zstd;
	zstd_close(zstd);
	return NULL;
}

void
zstd_close(struct zstd *zstd)
{
	if (!zstd)
		return;
	if (zstd->stream)
		zstd->release(zstd->stream);
	if (zstd->library)
		dlclose(zstd->library);
	free(zstd);
}

bool
zstd_is_whole(const struct zstd *zstd)
{
	return zstd->is_whole;
}

int
zstd_unpack(struct zstd *zstd, struct packed_input *input, char *bytes, size_t len, size_t *ret_n, struct error *err)
{
	struct zstd_output to = { bytes, len, 0 };
	struct zstd_input from = { input->bytes, input->len, input->at };

	while (to.at < to.len && (from.at < from.len || zstd->is_full)) {
		size_t more = zstd->unpack(zstd->stream, &to, &from);

		if (zstd->is_error(more))
			return error_set(err, "its zstd data are damaged: %s", zstd->error_name(more));
		zstd->is_whole = more == 0;
		zstd->is_full = more && to.at == to.len;
	}
	input->at = from.at;
	*ret_n = to.at;
	return 0;
}
