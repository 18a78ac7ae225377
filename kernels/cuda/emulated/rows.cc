#include "config.h"

#include "kernels/cuda/rows.cu"
