/* The one table of a model's parameters: names (as in the files), shapes, how they begin and whether they shrink. Whatever goes over all
 * parameters goes over this. */
#ifndef RUNTIME_MODEL_PARAMS_H
#define RUNTIME_MODEL_PARAMS_H

#include "runtime/model/config.h"

enum { PARAM_NAME_MAX = 80, PARAM_PARTS_MAX = 3 };

enum param_init { PARAM_ZERO, PARAM_ONE, PARAM_NORMAL /* its deviation is `scale` */, PARAM_UNIFORM /* from -scale to scale */ };

/* Some columns of a matrix, which are a matrix of their own to whoever looks at what it means: queries, keys, values; gate and up. */
struct param_part {
	char name[PARAM_NAME_MAX]; /* in files; "" where only the whole has one */
	size_t column, columns; /* the first, and how many */
};

/* A matrix has a row for each channel that goes in and a column for each that comes out; the embedding and the output's matrix have a row for
 * each id. */
struct param {
	char name[PARAM_NAME_MAX];
	size_t rows, columns; /* a vector has 0 rows */
	size_t at, n; /* where it begins among all parameters, and its numbers */
	enum param_init init;
	double scale;
	bool decay; /* whether weight decay is for it: matrices, not gains and biases */
	bool hidden; /* a matrix of a layer */
	struct param_part parts[PARAM_PARTS_MAX]; /* of a hidden one */
	size_t n_parts;
	bool turned; /* files have its parts, and these transposed, as transformers' Llama has them */
};

/* Where they are in the table; SIZE_MAX where the family has none. qkv: (C, QKV); fc: (C, F), or (C, 2 F), gate and up side by side, for
 * MODEL_LLAMA. */
struct layer_params {
	size_t norm1_gain, norm1_bias, qkv, qkv_bias, proj, proj_bias, norm2_gain, norm2_bias, fc, fc_bias, out, out_bias;
};

struct params {
	struct param *items;
	size_t n, cap;
	size_t total; /* numbers, gaps included */
	size_t embedding, positions, final_gain, final_bias;
	size_t head; /* the output's matrix (V, C): the embedding where they are tied */
	struct layer_params *layers;
};

/* A tensor of a file that a parameter, or a part of one, lies in. */
struct param_tensor {
	const char *name;
	size_t rank, shape[2], n;
};

/* config has been checked. */
void params_init(struct params *params, const struct model_config *config);
void params_release(struct params *params);
/* NULL if there is none. */
const struct param *params_find(const struct params *params, const char *name);
/* How a parameter's n numbers begin: by the seed and its name's place in the table. */
void params_begin(const struct params *params, size_t which, uint64_t seed, float *ret);
/* How many tensors of a file a parameter is, and which they are. */
size_t param_tensors(const struct param *param);
struct param_tensor param_tensor(const struct param *param, size_t which);
/* The tensor's numbers out of the parameter's, and into them. */
void param_tensor_from(const struct param *param, size_t which, const float *numbers, float *ret);
void param_tensor_into(const struct param *param, size_t which, const float *from, float *numbers);
/* The numbers of all, without gaps. */
size_t params_count(const struct params *params);

#endif
