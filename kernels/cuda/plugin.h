/* What the plugin for GPUs gives to whoever opens it, and what stands in the tests for it. */
#ifndef KERNELS_CUDA_PLUGIN_H
#define KERNELS_CUDA_PLUGIN_H

#include "kernels/ops.h"

#define CUDA_PLUGIN_FILE "liblateen-cuda.so"
#define CUDA_PLUGIN_SYMBOL "lateen_cuda_open"

/* abi and size: what whoever calls knows of struct ops. NULL with a sentence in *ret_why, a constant: there is no GPU to work with, and why. */
typedef struct ops_device *cuda_open_function(uint32_t abi, uint32_t size, enum ops_precision precision, const char **ret_why);

#ifdef __cplusplus
extern "C" {
#endif
#ifdef __GNUC__
__attribute__((visibility("default")))
#endif
cuda_open_function lateen_cuda_open;
#ifdef __cplusplus
}
#endif

#endif
