#include "config.h"

#include "kernels/cuda/embed.cu"
