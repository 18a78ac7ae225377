#include "config.h"

#include "kernels/cuda/calls.cu"
