/* Products of matrices by cuBLASLt. What it needs for a product of one form (sizes, types, alignments) is made once and kept, the algorithm
 * too: of those that cuBLASLt thinks of, the fastest by the clock, which is tried when the product first runs, or the one that was found so
 * earlier (choices.h). Only algorithms whose sums have a fixed order are taken. */
#ifndef KERNELS_CUDA_PRODUCTS_H
#define KERNELS_CUDA_PRODUCTS_H

#include "kernels/cuda/cublaslt.h"
#include "kernels/cuda/cuda.h"

/* NULL with a sentence in *why, a constant. */
struct products *products_new(struct cuda *c, const struct cublaslt *lt, const char **why);
void products_free(struct products *p); /* NULL is fine */

#endif
