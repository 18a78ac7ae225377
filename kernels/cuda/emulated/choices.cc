#include "config.h"

#include "kernels/cuda/choices.cu"
