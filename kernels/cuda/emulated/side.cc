#include "config.h"

#include "kernels/cuda/side.cu"
