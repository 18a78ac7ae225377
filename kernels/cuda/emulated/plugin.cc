#include "config.h"

#include "kernels/cuda/plugin.cu"
