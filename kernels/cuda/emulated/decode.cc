#include "config.h"

#include "kernels/cuda/decode.cu"
