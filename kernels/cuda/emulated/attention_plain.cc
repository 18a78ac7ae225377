#include "config.h"

#include "kernels/cuda/attention_plain.cu"
