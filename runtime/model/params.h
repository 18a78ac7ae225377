/* The one table of a model's parameters: names (as in the files), shapes, how they begin and whether they shrink. Whatever goes over all
 * parameters goes over this. */
#ifndef RUNTIME_MODEL_PARAMS_H
#define RUNTIME_MODEL_PARAMS_H

#include "runtime/model/config.h"

enum { PARAM_NAME_MAX = 64 };

enum param_init { PARAM_ZERO, PARAM_ONE, PARAM_NORMAL /* its deviation is `scale` */, PARAM_UNIFORM /* from -scale to scale */ };

struct param {
	char name[PARAM_NAME_MAX];
	size_t rows, columns; /* a vector has 0 rows */
	size_t at, n; /* where it begins among all parameters, and its numbers */
	enum param_init init;
	double scale;
	bool decay; /* whether weight decay is for it: matrices, not gains and biases */
};

/* Where they are in the table; SIZE_MAX where the family has none. */
struct layer_params {
	size_t norm1_gain, norm1_bias, qkv, qkv_bias, proj, proj_bias, norm2_gain, norm2_bias, fc, fc_bias, out, out_bias;
};

struct params {
	struct param *items;
	size_t n, cap;
	size_t total; /* numbers, gaps included */
	size_t embedding, positions, final_gain, final_bias;
	struct layer_params *layers;
};

/* config has been checked. */
void params_init(struct params *params, const struct model_config *config);
void params_release(struct params *params);
/* NULL if there is none. */
const struct param *params_find(const struct params *params, const char *name);
/* How a parameter's n numbers begin: by the seed and its name's place in the table. */
void params_begin(const struct params *params, size_t which, uint64_t seed, float *ret);
/* The numbers of all, without gaps. */
size_t params_count(const struct params *params);

#endif
