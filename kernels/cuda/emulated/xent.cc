#include "config.h"

#include "kernels/cuda/xent.cu"
