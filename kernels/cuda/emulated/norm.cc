#include "config.h"

#include "kernels/cuda/norm.cu"
