#include "config.h"

#include "kernels/cuda/record.cu"
