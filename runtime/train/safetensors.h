/* Tensors in a file, as Hugging Face's safetensors has them: a length, a header in JSON, then the numbers.
 *
 * A reader takes nothing on trust: the header's size, names, shapes and places are checked when a file is opened; the tensors must fill
 * the file without holes, overlaps or a rest. A writer gives the same bytes for the same tensors. */
#ifndef RUNTIME_TRAIN_SAFETENSORS_H
#define RUNTIME_TRAIN_SAFETENSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum {
	SAFETENSORS_HEADER_MAX = 100 * 1000 * 1000,
	SAFETENSORS_RANK_MAX = 8,
	SAFETENSORS_TENSORS_MAX = 1 << 20,
};

enum tensor_dtype {
	TENSOR_F64, TENSOR_F32, TENSOR_F16, TENSOR_BF16, TENSOR_I64, TENSOR_I32, TENSOR_I16, TENSOR_I8, TENSOR_U64, TENSOR_U32, TENSOR_U16,
	TENSOR_U8, TENSOR_BOOL, TENSOR_DTYPES
};

struct tensor {
	const char *name;
	enum tensor_dtype dtype;
	size_t rank, shape[SAFETENSORS_RANK_MAX]; /* rank 0: one number */
	size_t n; /* numbers */
	const unsigned char *data; /* little-endian, of any alignment */
};

const char *tensor_dtype_name(enum tensor_dtype dtype);
size_t tensor_dtype_size(enum tensor_dtype dtype);

/* ---- reading ---- */

struct safetensors;

/* Maps the file into memory. NULL with *err set. */
struct safetensors *safetensors_open(const char *path, struct error *err);
/* The same of bytes that stay the caller's and outlive it. */
struct safetensors *safetensors_parse(const unsigned char *bytes, size_t len, struct error *err);
void safetensors_close(struct safetensors *file); /* NULL is fine */
size_t safetensors_count(const struct safetensors *file);
const struct tensor *safetensors_item(const struct safetensors *file, size_t i); /* in the order of the file */
const struct tensor *safetensors_find(const struct safetensors *file, const char *name); /* NULL if there is none */
/* A text of `__metadata__`; NULL if it has none of that name. */
const char *safetensors_metadata(const struct safetensors *file, const char *key);
/* The n numbers of a tensor of floating point; another dtype is an error. */
int tensor_floats(const struct tensor *tensor, float *ret, struct error *err);

/* ---- writing ---- */

/* The bytes of n numbers as one of these three, each the nearest (of two the even one); false when one became infinite by that. */
bool tensor_pack(enum tensor_dtype dtype, const float *numbers, size_t n, unsigned char *ret);

/* Where a tensor's n single-precision numbers come from, once it is its turn. */
typedef void (*safetensors_source)(void *context, size_t i, float *ret);

/* Writes n tensors of TENSOR_F32, TENSOR_F16 or TENSOR_BF16 (`data` is not looked at), and n_metadata pairs of key and text. A number that is too
 * large for the dtype is an error. The file is synced to disk. */
int safetensors_write(const char *path, const struct tensor *tensors, size_t n, safetensors_source source, void *context,
	const char *const (*metadata)[2], size_t n_metadata, struct error *err);

#endif
