#include "config.h"

#include "kernels/cuda/update.cu"
