#include "config.h"

#include "kernels/cuda/attention.cu"
