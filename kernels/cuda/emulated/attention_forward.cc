#include "config.h"

#include "kernels/cuda/attention_forward.cu"
