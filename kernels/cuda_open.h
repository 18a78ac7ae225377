/* Opens the device for GPUs, which lies in a plugin of its own, since it is built by nvcc and few machines have a use for it. */
#ifndef KERNELS_CUDA_OPEN_H
#define KERNELS_CUDA_OPEN_H

#include "kernels/ops.h"

/* The plugin that LATEEN_CUDA_PLUGIN names, or the one beside the program, or the installed one. NULL with a sentence in *ret_why, a
 * constant. */
struct ops_device *cuda_open(enum ops_precision precision, const char **ret_why);

#endif
