#include "config.h"

#include "kernels/cuda/products.cu"
