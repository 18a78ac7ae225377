/* The operations for any processor. */
#include "config.h"

#include "kernels/cpu.h"
#include <math.h>
#include <string.h>

#define LANES 4
#define BF16 0
#define TABLE CPU_BASE
#include "kernels/simd_ops.h"
