#include "config.h"

#include "kernels/cuda/attention_backward.cu"
